"""Rules 5 to 7: who lifts a block, what a sign-off binds, and roles that are lost later."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import GateReview, SignOff
from governance.services.evidence import Material, record_evidence
from projects.models import Stakeholder
from tests.factories import session_actor
from tests.governance import fakes
from tests.governance.fifteen_rules.doors import assert_refused, give

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocked(door: Any, review: GateReview, validator: User, business_owner: User) -> GateReview:
    """A review that Vera asked changes of, and that lacks nothing else."""
    assert door.sign(validator, review, outcome="changes_requested").is_done
    assert door.sign(business_owner, review, "business_owner").is_done
    review.refresh_from_db()
    assert review.status == "open"
    return review


def test_rule_5_a_change_request_blocks_and_the_same_person_lifts_it(
    door: Any, blocked: GateReview, validator: User
) -> None:
    assert "The validator asked for changes." in door.show(validator, blocked).words
    assert door.sign(validator, blocked, reason="").is_done
    blocked.refresh_from_db()
    assert blocked.status == "approved"


def test_rule_5_another_holder_lifts_a_block_with_a_reason_only(
    door: Any, blocked: GateReview, risk_officer: User
) -> None:
    give(blocked, risk_officer, "validator")
    tried = door.sign(risk_officer, blocked, reason="")
    assert tried.is_refused_as(400, "Give the reason why your approval lifts that")
    assert SignOff.objects.filter(review=blocked).count() == 2
    assert door.sign(risk_officer, blocked, reason="It is in the card now.").is_done
    blocked.refresh_from_db()
    assert blocked.status == "approved"


def test_rule_5_no_other_role_lifts_it(
    door: Any, blocked: GateReview, lead: User, data_owner: User
) -> None:
    give(blocked, data_owner, "business_owner")
    assert door.sign(data_owner, blocked, "business_owner").is_done
    assert door.evaluate(lead, blocked).is_done
    blocked.refresh_from_db()
    assert blocked.status == "open"


def test_rule_5_who_asked_for_changes_and_then_worked_on_it_is_not_needed_to_go_on(
    door: Any, world: Any, blocked: GateReview, validator: User, risk_officer: User
) -> None:
    world.change(blocked.subject_ref, authors={"commit": frozenset({validator.pk})})
    tried = door.sign(validator, blocked)
    assert tried.is_refused_as(422, "Who committed the code")
    blocked.refresh_from_db()
    assert "The validator asked for changes." in door.show(validator, blocked).words
    give(blocked, risk_officer, "validator")
    assert door.sign(risk_officer, blocked, reason="It is in the card now.").is_done
    blocked.refresh_from_db()
    assert blocked.status == "approved"


def test_rule_5_a_rejection_ends_the_review(
    door: Any, review: GateReview, validator: User, business_owner: User
) -> None:
    assert door.sign(validator, review, outcome="rejected").is_done
    review.refresh_from_db()
    review.promotion.refresh_from_db()
    assert (review.status, review.promotion.status) == ("rejected", "rejected")
    tried = door.sign(business_owner, review, "business_owner")
    assert tried.is_refused_as(409, "only an open one can be signed")


MOVES = {
    "model_files": "The model's files changed",
    "run": "The training run changed",
    "dataset:train": "The data train changed",
    "scope": "The scope changed",
}


@pytest.mark.parametrize("part", MOVES)
def test_rule_6_what_moved_is_not_signed(
    door: Any, world: Any, candidate: str, review: GateReview, validator: User, part: str
) -> None:
    world.change(candidate, bindings={part: fakes.sha("e")})
    assert_refused(door.sign(validator, review), 422, "What you were shown has changed", review)
    review.refresh_from_db()
    assert review.status == "stale"


def test_rule_6_a_sign_off_of_what_has_moved_counts_as_absent(
    door: Any,
    cast: Any,
    world: Any,
    candidate: str,
    review: GateReview,
) -> None:
    door.sign(cast.validator, review)
    world.change(candidate, bindings={"run": fakes.sha("e")})
    assert door.refresh(cast.lead, review).is_done
    assert door.sign(cast.business_owner, review, "business_owner").is_done
    review.refresh_from_db()
    assert review.status == "open"
    assert "A sign-off as validator is missing." in door.show(cast.lead, review).words


@pytest.mark.parametrize(("kind", "kept"), [("eda_report", True), ("plot", False)])
def test_rule_6_the_policy_says_whose_sign_offs_outlive_which_change(
    door: Any,
    cast: Any,
    candidate: str,
    review: GateReview,
    kind: str,
    kept: bool,
) -> None:
    door.sign(cast.business_owner, review, "business_owner")
    material = Material(
        review.project, "model_version", candidate, kind, "Newer", data={"text": "Newer."}
    )
    record_evidence(material, actor=session_actor(cast.data_scientist))
    review.refresh_from_db()
    assert review.status == "stale"
    assert door.refresh(cast.lead, review).is_done
    assert door.sign(cast.validator, review).is_done
    review.refresh_from_db()
    assert review.status == ("approved" if kept else "open")
    missing = "A sign-off as business owner is missing."
    assert (missing in door.show(cast.lead, review).words) != kept


LOSSES = {
    "role taken away": lambda user: Stakeholder.objects.filter(user=user).delete(),
    "role run out": lambda user: Stakeholder.objects.filter(user=user).update(
        valid_to=timezone.now().date() - timedelta(days=1)
    ),
    "left": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_rule_7_the_roles_of_the_moment_are_kept_and_open_approvals_asked_again(
    door: Any, review: GateReview, validator: User, business_owner: User, loss: str
) -> None:
    door.sign(validator, review)
    Stakeholder.objects.filter(user=validator).update(valid_from="2026-01-01")
    LOSSES[loss](validator)
    door.sign(business_owner, review, "business_owner")
    review.refresh_from_db()
    assert review.status == "open"
    shown = door.show(business_owner, review).words
    assert "A sign-off as validator is missing." in shown
    kept = SignOff.objects.get(review=review, signer=validator)
    assert kept.circumstances["held_roles"] == ["validator"]


def test_rule_7_what_was_decided_is_not_rewritten(
    door: Any, review: GateReview, validator: User, business_owner: User
) -> None:
    door.sign(validator, review)
    door.sign(business_owner, review, "business_owner")
    Stakeholder.objects.filter(user=validator).delete()
    review.refresh_from_db()
    assert review.status == "approved"
    assert "A sign-off as validator is missing." not in door.show(business_owner, review).words


def test_rule_7_the_dossier_of_a_decision_names_who_signed_then(
    client_for: Any, approved: Any, validator: User, lead: User
) -> None:
    Stakeholder.objects.filter(user=validator).delete()
    printed = client_for(lead).get(f"/reviews/{approved.review_id}/dossier/document/")
    assert printed.content.decode().count("<td>signed</td>") == 2
