"""The fifteen rules of quorum and separation, each refused through every door that signs.

A case says who wants to sign what under which circumstances; it is tried over REST and on the page.
The admin offers no signing, and a token never signs: both are cases of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from governance.models import Delegation, GateReview, PolicyVersion, SignOff
from governance.services import policies, promotions, reviews
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import DomainError
from projects.models import Stakeholder
from tests.factories import PASSWORD, StakeholderFactory, UserFactory, page_token_for, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
DOORS = ("rest", "page")


@pytest.fixture
def policy(db: None, settings: Any, tmp_path: Path) -> PolicyVersion:
    """The tests' policy with every rule on authors at the gate of model versions."""
    source = Path(django_settings.POLICY_DIR) / "standard.yaml"
    named = ["committer", "assignee", "deployer"]
    more = "".join(f"      - {name}_not_approver\n" for name in named)
    more += "      - builder_not_validator\n"
    more += "      - {rule: other_reporting_line, tiers: [high]}\n"
    text = source.read_text(encoding="utf-8").replace(
        "      - evidence_author_not_approver\n", f"      - evidence_author_not_approver\n{more}", 1
    )
    assert more in text
    (tmp_path / "standard.yaml").write_text(text, encoding="utf-8")
    settings.POLICY_DIR = tmp_path
    policies.load_standard_policies(actor=system("setup"))
    return PolicyVersion.objects.get(policy__name="standard")


@dataclass
class Try:
    """One attempt to sign through a door: its status and its words."""

    status: int
    words: str


@pytest.fixture(params=DOORS)
def attempt(request: Any, api: Any, client_for: Any) -> Callable[..., Try]:
    """Sign through a door as a user: `attempt(vera, review, "validator")`."""

    def go(user: User, review: GateReview, role: str = "validator", **changes: Any) -> Try:
        review.refresh_from_db()
        body = {
            "role": role,
            "outcome": "approved",
            "meaning": "I approve.",
            "reason": "Read.",
            "password": PASSWORD,
            "bindings_digest": review.bindings_digest,
            **changes,
        }
        actor = session_actor(user)
        body["page_token"] = page_token_for(review, role, body["outcome"], actor=actor)
        if request.param == "rest":
            address = f"/api/v1/gate-reviews/{review.pk}/sign/"
            answer = api(user).post(address, body, format="json")
        else:
            answer = client_for(user).post(f"/reviews/{review.pk}/sign/", body)
        return Try(answer.status_code, answer.content.decode())

    return go


def give(review: GateReview, user: User, *roles: str) -> User:
    for role in roles:
        StakeholderFactory(project=review.project, user=user, role=role)
    return user


def assert_refused(tried: Try, status: int, words: str, review: GateReview) -> None:
    assert tried.status == status
    assert words in tried.words.replace("&#x27;", "'")
    assert not SignOff.objects.filter(review=review).exists()
    assert not LedgerEntry.objects.filter(event="review.signed", subject=review.ref).exists()


# --- 1: nobody who had a hand in it, by whichever identity ---------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        ("run", "Who launched the training run"),
        ("registration", "Who registered the model version"),
        ("commit", "Who committed the code"),
        ("assignee", "Who was assigned the experiment"),
        ("deployment", "Who deployed it"),
    ],
)
def test_rule_1_no_maker_of_a_part_signs(
    attempt: Any, world: Any, review: GateReview, validator: User, made: tuple[str, str]
) -> None:
    part, words = made
    world.change(review.subject_ref, authors={part: frozenset({validator.pk})})
    assert_refused(attempt(validator, review), 422, words, review)


def test_rule_1_the_requester_does_not_sign(
    attempt: Any, review: GateReview, ml_engineer: User
) -> None:
    give(review, ml_engineer, "validator")
    assert_refused(attempt(ml_engineer, review), 422, "Who requested the review", review)


def test_rule_1_an_unknown_committer_clears_nobody(
    attempt: Any, world: Any, candidate: str, review: GateReview, validator: User,
    business_owner: User,
) -> None:  # fmt: skip
    world.change(candidate, unmapped=("commit",))
    attempt(validator, review)
    attempt(business_owner, review, "business_owner")
    review.refresh_from_db()
    assert review.status == "open"
    assert any("known to stand behind: commit" in one for one in reviews.unmet_requirements(review))


# --- 2 and 3: people and roles --------------------------------------------------------------------


def test_rule_2_at_medium_risk_two_roles_take_two_people(
    attempt: Any, review: GateReview, validator: User
) -> None:
    give(review, validator, "business_owner")
    attempt(validator, review)
    attempt(validator, review, "business_owner")
    review.refresh_from_db()
    assert review.status == "open"
    assert any("one more person" in one for one in reviews.unmet_requirements(review))


def test_rule_2_at_high_risk_one_person_fills_one_role(
    attempt: Any, review: GateReview, business_owner: User
) -> None:
    GateReview.objects.filter(pk=review.pk).update(tier="high")
    give(review, business_owner, "risk_officer")
    attempt(business_owner, review, "business_owner")
    tried = attempt(business_owner, review, "risk_officer")
    assert (tried.status, "one person fills one role" in tried.words) == (422, True)
    assert SignOff.objects.filter(review=review).count() == 1


def test_rule_3_a_second_person_in_one_role_does_not_stand_in_for_the_other(
    attempt: Any, review: GateReview, validator: User, risk_officer: User
) -> None:
    give(review, risk_officer, "validator")
    attempt(validator, review)
    attempt(risk_officer, review)
    review.refresh_from_db()
    assert review.status == "open"
    assert "A sign-off as business owner is missing." in reviews.unmet_requirements(review)


# --- 5 to 8: blocks, bindings, roles, delegations -------------------------------------------------


def test_rule_5_another_holder_lifts_a_block_with_a_reason_only(
    attempt: Any, review: GateReview, validator: User, risk_officer: User
) -> None:
    attempt(validator, review, outcome="changes_requested")
    give(review, risk_officer, "validator")
    assert attempt(risk_officer, review, reason="").status == 400
    assert SignOff.objects.filter(review=review).count() == 1
    assert attempt(risk_officer, review, reason="It is in the card now.").status in {201, 302}


def test_rule_6_what_moved_is_not_signed(
    attempt: Any, world: Any, candidate: str, review: GateReview, validator: User
) -> None:
    world.change(candidate, bindings={"run": fakes.sha("e")})
    assert_refused(attempt(validator, review), 422, "The training run changed", review)
    review.refresh_from_db()
    assert review.status == "stale"


def test_rule_7_the_roles_of_the_moment_are_kept_and_open_approvals_asked_again(
    attempt: Any, review: GateReview, validator: User, business_owner: User
) -> None:
    attempt(validator, review)
    Stakeholder.objects.filter(user=validator).delete()
    attempt(business_owner, review, "business_owner")
    review.refresh_from_db()
    assert review.status == "open"
    assert "A sign-off as validator is missing." in reviews.unmet_requirements(review)
    kept = SignOff.objects.get(review=review, signer=validator)
    assert kept.circumstances["held_roles"] == ["validator"]


@pytest.fixture
def stand_in(review: GateReview, validator: User, risk_officer: User) -> User:
    now = timezone.now()
    Delegation.objects.create(
        project=review.project, role="validator", holder=validator, delegate=risk_officer,
        reason="Leave.", valid_from=now, valid_to=now + timedelta(days=3),
    )  # fmt: skip
    return risk_officer


def test_rule_8_a_delegate_signs_as_one_for_the_other(
    attempt: Any, review: GateReview, stand_in: User
) -> None:
    assert attempt(stand_in, review).status in {201, 302}
    signed = SignOff.objects.get(review=review)
    assert signed.printed_name == "Rita for Vera"
    assert signed.statement.startswith("I, Rita for Vera, as validator")
    assert signed.circumstances["delegation"].startswith("delegation:")


def test_rule_8_a_delegate_of_an_author_is_refused(
    attempt: Any, world: Any, candidate: str, review: GateReview, validator: User, stand_in: User
) -> None:
    world.change(candidate, authors={"run": frozenset({validator.pk})})
    assert_refused(attempt(stand_in, review), 422, "Who launched the training run", review)


# --- 9 and 10: no right by office, no signing without a person ------------------------------------


def test_rule_9_an_administrator_has_no_right_to_sign(
    attempt: Any, review: GateReview, superuser: User
) -> None:
    assert attempt(superuser, review).status == 404
    give(review, superuser, "operations")
    assert_refused(attempt(superuser, review), 403, "does not hold the role", review)


def test_rule_9_the_admin_offers_no_signature(
    client_for: Any, review: GateReview, superuser: User
) -> None:
    client = client_for(superuser)
    assert client.get(reverse("admin:governance_signoff_add")).status_code == 403
    assert not SignOff.objects.filter(review=review).exists()


def test_rule_10_the_password_is_asked_for_again(
    attempt: Any, review: GateReview, validator: User
) -> None:
    tried = attempt(validator, review, password="another horse")
    assert_refused(tried, 403, "The password is wrong", review)


# --- 12, 13 and 15 --------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["rejected", "changes_requested", "approved_with_conditions"])
def test_rule_12_such_an_outcome_needs_its_reason(
    attempt: Any, review: GateReview, validator: User, outcome: str
) -> None:
    assert_refused(attempt(validator, review, outcome=outcome, reason=" "), 400, "eason", review)


def test_rule_13_a_running_review_stays_on_its_policy_version(
    attempt: Any, review: GateReview, policy: PolicyVersion, validator: User
) -> None:
    PolicyVersion.objects.filter(pk=policy.pk).update(status="retired")
    assert attempt(validator, review).status in {201, 302}
    signed = SignOff.objects.get(review=review)
    assert (signed.policy_digest, review.policy_version) == (policy.digest, policy)


def test_rule_15_separation_is_asked_again_when_promoting(
    world: Any, candidate: str, approved: Any, validator: User
) -> None:
    world.change(candidate, authors={"commit": frozenset({validator.pk})})
    try:
        claimed = promotions.claim_promotion(approved, worker="here:1")
    except DomainError:
        claimed = False
    approved.refresh_from_db()
    assert not claimed
    assert approved.status != "applying"


@pytest.mark.parametrize("role", ["data_scientist", "ml_engineer", "data_engineer", "lead"])
def test_who_builds_here_validates_nothing_here(
    attempt: Any, review: GateReview, role: str
) -> None:
    user = give(review, UserFactory(username="two-hats"), "validator", role)
    assert_refused(attempt(user, review), 422, "Who builds on the project", review)


def test_at_high_risk_a_validator_answers_to_another_line(
    attempt: Any, review: GateReview, validator: User
) -> None:
    GateReview.objects.filter(pk=review.pk).update(tier="high")
    Stakeholder.objects.filter(project=review.project).update(reporting_line="Analytics")
    assert_refused(attempt(validator, review), 422, "answers to the same line", review)
    Stakeholder.objects.filter(user=validator).update(reporting_line="Model risk")
    assert attempt(validator, review).status in {201, 302}
