"""Rules 13 and 15: reviews stay on their policy version; separation is asked when promoting too."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from governance.models import Delegation, GateReview, PolicyVersion, Promotion, SignOff
from governance.services import promotions
from projects.actors import system
from tests.governance.fifteen_rules.doors import V1

pytestmark = pytest.mark.django_db


@pytest.fixture
def stricter(policy: PolicyVersion, review: GateReview) -> PolicyVersion:
    """A version published while a review runs, by which a risk officer has to sign as well."""
    text = policy.text.replace(
        "- validator\n        - business_owner", "- validator\n        - lead"
    )
    assert text != policy.text
    PolicyVersion.objects.filter(pk=policy.pk).update(status="retired")
    return PolicyVersion.objects.create(
        policy=policy.policy, number=policy.number + 1, text=text, digest="e" * 64,
        status="published",
    )  # fmt: skip


def test_rule_13_a_running_review_stays_on_its_policy_version(
    door: Any, review: GateReview, policy: PolicyVersion, stricter: PolicyVersion, validator: User,
    business_owner: User,
) -> None:  # fmt: skip
    assert door.sign(validator, review).is_done
    assert door.sign(business_owner, review, "business_owner").is_done
    review.refresh_from_db()
    assert (review.status, review.policy_version) == ("approved", policy)
    signed = SignOff.objects.filter(review=review)
    assert {one.policy_digest for one in signed} == {policy.digest}


def test_rule_13_rest_changes_no_published_version(
    api: Any, policy: PolicyVersion, superuser: User
) -> None:
    body = {"text": "schema: 1", "version_lock": policy.version_lock}
    answer = api(superuser).patch(f"{V1}/policy-versions/{policy.pk}/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "policy_not_draft")
    assert PolicyVersion.objects.get(pk=policy.pk).text == policy.text


def test_rule_13_the_admin_changes_no_published_version(
    client_for: Any, policy: PolicyVersion, superuser: User
) -> None:
    address = reverse("admin:governance_policyversion_change", args=[policy.pk])
    body = {"text": "schema: 1", "note": "", "read_version": policy.version_lock}
    assert client_for(superuser).post(address, body).status_code == 403
    delete = reverse("admin:governance_policyversion_delete", args=[policy.pk])
    assert client_for(superuser).post(delete, {"post": "yes"}).status_code == 403
    assert PolicyVersion.objects.get(pk=policy.pk).text == policy.text


def promotion_of(review: GateReview) -> Promotion:
    return Promotion.objects.select_related("review", "environment", "project").get(review=review)


@pytest.fixture
def passed(door: Any, review: GateReview, validator: User, business_owner: User) -> Promotion:
    """A promotion that was approved through the door and waits for its worker."""
    assert door.sign(validator, review).is_done
    assert door.sign(business_owner, review, "business_owner").is_done
    promotion = promotion_of(review)
    assert promotion.status == "approved"
    return promotion


@pytest.mark.parametrize("part", ["run", "registration", "commit", "assignee", "deployment"])
def test_rule_15_who_worked_on_it_since_takes_the_approval_along(
    door: Any, world: Any, passed: Promotion, validator: User, lead: User, part: str
) -> None:
    world.change(passed.subject_ref, authors={part: frozenset({validator.pk})})
    assert not promotions.claim_promotion(passed, worker="here:1")
    passed.refresh_from_db()
    assert (passed.status, passed.applied_at) == ("suspended", None)
    assert passed.status_reason.startswith("A signer did part of the work: Vera: Who ")
    assert not may_deploy(door, lead)


def test_rule_15_so_does_who_passed_the_right_on(
    door: Any,
    cast: Any,
    world: Any,
    review: GateReview,
    stand_in: User,
) -> None:
    assert Delegation.objects.get().holder == cast.validator
    assert door.sign(stand_in, review).is_done
    assert door.sign(cast.business_owner, review, "business_owner").is_done
    world.change(review.subject_ref, authors={"commit": frozenset({cast.validator.pk})})
    promotion = promotion_of(review)
    assert not promotions.claim_promotion(promotion, worker="here:1")
    promotion.refresh_from_db()
    assert "Rita for Vera: Who committed the code" in promotion.status_reason
    assert not may_deploy(door, cast.lead)


def test_rule_15_a_run_that_is_not_the_signed_one_stops_it_as_well(
    door: Any, world: Any, passed: Promotion, lead: User
) -> None:
    world.change(passed.subject_ref, bindings={"run": "e" * 64})
    assert not promotions.claim_promotion(passed, worker="here:1")
    passed.refresh_from_db()
    passed.review.refresh_from_db()
    assert (passed.status, passed.review.status) == ("suspended", "stale")
    assert "The training run changed" in door.show(lead, passed.review).words
    assert not may_deploy(door, lead)


def test_rule_15_what_nobody_touched_is_promoted(door: Any, passed: Promotion, lead: User) -> None:
    assert promotions.claim_promotion(passed, worker="here:1")
    promotions.mark_applied(passed, actor=system("promotion"))
    assert may_deploy(door, lead)


def may_deploy(door: Any, user: User) -> bool:
    """Return whether the door says that the version is, or may be, in production."""
    if door.name == "rest":
        asked = "model=term-deposit-calls&version=1&environment=production"
        return '"allowed":true' in door.read(user, f"{V1}/may-deploy/?{asked}").words
    shown = door.read(user, "/environments/production/").words
    return "Versions that stand for your projects" in shown
