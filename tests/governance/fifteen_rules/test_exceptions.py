"""Rules 11 and 12: waivers with an end, and approvals on conditions that block a later gate."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Condition, GateReview, RequirementResult, Waiver
from governance.services import reviews
from governance.services.expiry import expire_due
from ledger.models import LedgerEntry
from projects.actors import system
from projects.models import Stakeholder
from tests.factories import session_actor
from tests.governance import fakes
from tests.governance.fifteen_rules.doors import Try, assert_refused, give, is_in_days

pytestmark = pytest.mark.django_db


@pytest.fixture
def weak(review: GateReview, world: Any, lead: User) -> GateReview:
    """A review whose model misses one criterion."""
    world.change(fakes.MODEL, metrics={"test_roc_auc": 0.5})
    reviews.evaluate_review(review, actor=session_actor(lead))
    return review


def assert_not_waived(tried: Try, status: int, words: str) -> None:
    assert tried.is_refused_as(status, words), (tried.status, tried.words[:2000])
    assert not Waiver.objects.exists()
    assert not LedgerEntry.objects.filter(event="waiver.granted").exists()


@pytest.fixture
def waived(
    door: Any, weak: GateReview, risk_officer: User, validator: User, business_owner: User
) -> Waiver:
    """A waiver on which an approval rests."""
    assert door.waive(risk_officer, weak).is_done
    assert door.sign(validator, weak).is_done
    assert door.sign(business_owner, weak, "business_owner").is_done
    weak.refresh_from_db()
    assert weak.status == "approved"
    return Waiver.objects.get()


def test_rule_11_without_a_waiver_the_gate_stays_closed(
    door: Any, weak: GateReview, validator: User, business_owner: User
) -> None:
    door.sign(validator, weak)
    assert door.sign(business_owner, weak, "business_owner").is_done
    weak.refresh_from_db()
    assert weak.status == "open"


def test_rule_11_a_waiver_of_one_requirement_lets_it_pass_and_ends_with_it(
    door: Any, waived: Waiver
) -> None:
    review = waived.review
    outcomes = RequirementResult.objects.filter(review=review).newest()
    assert [one.key for one in outcomes if one.outcome == "waived"] == [waived.requirement_key]
    assert (waived.reason, waived.compensating_control) == (
        "The season was odd.",
        "Weekly look at the ranking.",
    )
    assert is_in_days(waived.expires_at, 30)
    assert review.expires_at == waived.expires_at


def test_rule_11_its_end_opens_the_gate_again(door: Any, waived: Waiver, lead: User) -> None:
    expire_due(waived.expires_at, actor=system("governance"))
    waived.review.refresh_from_db()
    waived.review.promotion.refresh_from_db()
    assert (waived.review.status, waived.review.promotion.status) == ("expired", "suspended")
    assert door.request_promotion(lead, waived.review.project, fakes.MODEL).is_done
    past = timezone.now() - timedelta(days=1)
    Waiver.objects.update(granted_at=past - timedelta(days=1), expires_at=past)
    fresh = GateReview.objects.filter(status="open", gate="validation").get()
    assert door.evaluate(lead, fresh).is_done
    (missed,) = RequirementResult.objects.filter(review=fresh, key=waived.requirement_key).newest()
    assert missed.outcome == "fail"


def test_rule_11_revoking_it_suspends_what_rests_on_it(
    door: Any, waived: Waiver, risk_officer: User
) -> None:
    assert door.revoke_waiver(risk_officer, waived).is_done
    waived.review.refresh_from_db()
    waived.review.promotion.refresh_from_db()
    assert (waived.review.status, waived.review.promotion.status) == ("suspended", "suspended")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": " "}, {"rest": "reason", "page": "Why may it fail?"}),
        ({"compensating_control": ""}, {"rest": "compensating", "page": "stands in for it"}),
        ({"days": -1}, {"rest": "ends in the future", "page": "ends in the future"}),
        ({"days": 200}, {"rest": "180 days at most", "page": "180 days at most"}),
        ({"requirement_key": "criteria"}, {"rest": "no requirement", "page": "Requirement"}),
    ],
)
def test_rule_11_it_has_a_reason_a_control_an_end_and_one_requirement(
    door: Any, weak: GateReview, risk_officer: User, changes: Any, words: Any
) -> None:
    assert_not_waived(door.waive(risk_officer, weak, **changes), 400, words[door.name])


def test_rule_11_what_the_policy_lets_nobody_waive_stays(
    door: Any, weak: GateReview, risk_officer: User
) -> None:
    tried = door.waive(risk_officer, weak, requirement_key="files")
    assert_not_waived(tried, 422, "The policy allows no exception")


@pytest.mark.parametrize("who", ["validator", "lead"])
def test_rule_11_only_an_accountable_role_grants_it(
    door: Any, weak: GateReview, request: Any, who: str
) -> None:
    tried = door.waive(request.getfixturevalue(who), weak)
    assert_not_waived(tried, 403, "waiver.grant")


@pytest.mark.parametrize("who", ["ml_engineer", "data_scientist"])
def test_rule_11_neither_requester_nor_author_grants_it(
    door: Any, weak: GateReview, request: Any, who: str
) -> None:
    user = give(weak, request.getfixturevalue(who), "risk_officer")
    tried = door.waive(user, weak)
    assert_not_waived(tried, 403, "Who requested the review or did the work cannot waive")


def test_rule_11_nor_who_became_an_author_since(
    door: Any, world: Any, weak: GateReview, risk_officer: User
) -> None:
    world.change(fakes.MODEL, authors={"assignee": frozenset({risk_officer.pk})})
    tried = door.waive(risk_officer, weak)
    assert_not_waived(tried, 403, "Who requested the review or did the work cannot waive")


def test_rule_11_nor_whoever_decides_for_the_requester(
    door: Any, weak: GateReview, ml_engineer: User, risk_officer: User
) -> None:
    give(weak, ml_engineer, "operations")
    passed_on = door.delegate(ml_engineer, weak.project, risk_officer, role="operations")
    assert passed_on.is_done
    tried = door.waive(risk_officer, weak)
    assert_not_waived(tried, 403, "Who decides on behalf of the requester")


def test_rule_11_nor_an_auditor(door: Any, weak: GateReview, risk_officer: User) -> None:
    give(weak, risk_officer, Stakeholder.Role.AUDITOR)
    assert_not_waived(door.waive(risk_officer, weak), 403, "An auditor")


def test_rule_11_the_project_counts_what_is_waived_now(
    door: Any, waived: Waiver, lead: User
) -> None:
    live = {"rest": '"waivers":1', "page": "1 live waiver"}[door.name]
    assert live in door.overview(lead)
    Waiver.objects.update(
        granted_at=timezone.now() - timedelta(days=2),
        expires_at=timezone.now() - timedelta(days=1),
    )
    assert live not in door.overview(lead)


@pytest.mark.parametrize("outcome", ["rejected", "changes_requested", "approved_with_conditions"])
def test_rule_12_such_an_outcome_needs_its_reason(
    door: Any, review: GateReview, validator: User, outcome: str
) -> None:
    tried = door.sign(validator, review, outcome=outcome, reason=" ")
    assert_refused(tried, 400, "eason", review)


def test_rule_12_on_conditions_means_that_there_are_some(
    door: Any, review: GateReview, validator: User
) -> None:
    tried = door.sign(validator, review, outcome="approved_with_conditions")
    assert_refused(tried, 400, "Name the conditions, each with a date", review)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"due_on": "2020-01-01"}, "A condition is due today or later"),
        ({"blocks_gate": "scope"}, "scope"),
        ({"blocks_gate": "validation"}, "validation"),
    ],
)
def test_rule_12_a_condition_has_a_date_ahead_and_a_gate_that_is_to_come(
    door: Any, review: GateReview, validator: User, changes: Any, words: str
) -> None:
    tried = door.sign(validator, review, **on_condition(**changes))
    assert_refused(tried, 400, words, review)
    assert not Condition.objects.exists()


def test_rule_12_a_condition_blocks_its_gate_until_somebody_else_sees_it_kept(
    door: Any,
    cast: Any,
    review: GateReview,
    canary: GateReview,
) -> None:
    assert door.sign(cast.validator, review, **on_condition()).is_done
    condition = Condition.objects.get()
    assert (condition.blocks_gate, condition.text) == ("canary", "Publish the card.")
    door.sign(cast.business_owner, canary, "business_owner")
    assert door.sign(cast.data_owner, canary, "business_owner").is_done
    canary.refresh_from_db()
    assert canary.status == "open"
    assert "Publish the card." in door.show(cast.lead, canary).words
    assert not door.meet(cast.ml_engineer, condition).is_done
    assert Condition.objects.unmet().exists()
    assert door.meet(cast.validator, condition).is_done
    assert door.evaluate(cast.lead, canary).is_done
    canary.refresh_from_db()
    assert canary.status == "approved"


def on_condition(**changes: Any) -> dict[str, Any]:
    """Return an approval on the condition that the card is published before the canary."""
    due = (timezone.now().date() + timedelta(days=7)).isoformat()
    promise = {"text": "Publish the card.", "due_on": due, "blocks_gate": "canary", **changes}
    return {"outcome": "approved_with_conditions", "conditions": [promise]}
