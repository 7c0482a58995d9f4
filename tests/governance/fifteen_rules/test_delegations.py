"""Rule 8: a right passed on is explicit, dated, by its holder, not passed further, and shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from governance.models import Delegation, GateReview, SignOff
from governance.services.eligibility import everybody
from governance.services.inbox import waiting_reviews
from ledger.models import LedgerEntry
from tests.governance.fifteen_rules.doors import Try, assert_refused, give

pytestmark = pytest.mark.django_db


def assert_not_passed_on(tried: Try, status: int, words: str, *, there_were: int = 0) -> None:
    assert tried.is_refused_as(status, words), (tried.status, tried.words[:2000])
    assert Delegation.objects.count() == there_were
    assert LedgerEntry.objects.filter(event="delegation.given").count() == there_were


def test_rule_8_its_holder_passes_it_on_and_the_delegate_signs_as_one_for_the_other(
    door: Any, review: GateReview, validator: User, risk_officer: User
) -> None:
    assert door.delegate(validator, review.project, risk_officer).is_done
    assert door.sign(risk_officer, review).is_done
    signed = SignOff.objects.get(review=review)
    assert (signed.printed_name, signed.on_behalf_of) == ("Rita for Vera", validator)
    assert signed.statement.startswith("I, Rita for Vera, as validator")
    assert signed.circumstances["delegation"] == Delegation.objects.get().ref
    assert "Rita for Vera" in door.show(validator, review).words


def test_rule_8_nobody_passes_on_what_they_do_not_hold(
    door: Any, review: GateReview, business_owner: User, risk_officer: User
) -> None:
    tried = door.delegate(business_owner, review.project, risk_officer)
    words = {"rest": "only its holder can pass it on", "page": "Nothing was passed on"}
    assert_not_passed_on(tried, 403, words[door.name])


def test_rule_8_a_delegate_passes_nothing_on(
    door: Any, review: GateReview, validator: User, risk_officer: User, business_owner: User
) -> None:
    door.delegate(validator, review.project, risk_officer)
    tried = door.delegate(risk_officer, review.project, business_owner)
    words = {"rest": "only its holder can pass it on", "page": "Nothing was passed on"}
    assert_not_passed_on(tried, 403, words[door.name], there_were=1)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((0, 100), "A delegation lasts 90 days at most"),
        ((-9, -2), "A delegation ends after it begins"),
        ((5, 2), "A delegation ends after it begins"),
    ],
)
def test_rule_8_it_has_two_dates(
    door: Any, review: GateReview, validator: User, risk_officer: User, days: Any, words: str
) -> None:
    tried = door.delegate(validator, review.project, risk_officer, days=days)
    assert_not_passed_on(tried, 400, words)


@pytest.mark.parametrize(
    "times",
    [
        {"valid_to": timezone.now() - timedelta(minutes=1)},
        {"valid_from": timezone.now() + timedelta(days=1)},
    ],
)
def test_rule_8_outside_its_dates_it_is_none(
    door: Any, review: GateReview, stand_in: User, times: Any
) -> None:
    Delegation.objects.update(**{"valid_from": timezone.now() - timedelta(days=2), **times})
    assert_refused(door.sign(stand_in, review), 403, "does not hold the role", review)


@pytest.mark.parametrize("whose", ["validator", "stand_in"])
def test_rule_8_separation_asks_holder_and_delegate(
    door: Any,
    cast: Any,
    world: Any,
    review: GateReview,
    stand_in: User,
    whose: str,
) -> None:
    author = {"validator": cast.validator, "stand_in": stand_in}[whose]
    world.change(review.subject_ref, authors={"run": frozenset({author.pk})})
    assert_refused(door.sign(stand_in, review), 422, "Who launched the training run", review)


def test_rule_8_a_delegate_of_the_requester_signs_in_no_role(
    door: Any, review: GateReview, ml_engineer: User, validator: User
) -> None:
    give(review, ml_engineer, "operations")
    assert door.delegate(ml_engineer, review.project, validator, role="operations").is_done
    assert_refused(door.sign(validator, review), 422, "on behalf of the requester", review)


@pytest.fixture
def at_canary(
    door: Any, canary: GateReview, business_owner: User, risk_officer: User
) -> Delegation:
    """Bruno's right as business owner, passed on to Rita at the gate `canary` alone."""
    role = {"role": "business_owner", "gate": "canary"}
    assert door.delegate(business_owner, canary.project, risk_officer, **role).is_done
    return Delegation.objects.get()


def test_rule_8_narrowed_to_a_gate_it_counts_there_alone(
    door: Any, cast: Any, at_canary: Delegation, canary: GateReview, review: GateReview
) -> None:
    tried = door.sign(cast.risk_officer, review, "business_owner")
    assert_refused(tried, 403, "does not hold the role of business owner", review)
    assert door.sign(cast.risk_officer, canary, "business_owner").is_done
    signed = SignOff.objects.get(review=canary)
    assert (signed.on_behalf_of, signed.circumstances["delegation"]) == (
        cast.business_owner,
        at_canary.ref,
    )
    assert LedgerEntry.objects.get(event="delegation.given").data["gate"] == "canary"


def test_rule_8_narrowed_to_a_gate_it_asks_for_that_one_alone(
    door: Any, at_canary: Delegation, canary: GateReview, review: GateReview, risk_officer: User
) -> None:
    assert waiting_reviews(risk_officer).ids == (canary.pk,)
    may = {(one.user, one.role) for one in everybody(canary) if one.may_sign}
    assert (risk_officer, "business_owner") in may
    here = {(one.user, one.role) for one in everybody(review) if one.is_asked}
    assert (risk_officer, "business_owner") not in here
    seen = door.read(risk_officer, {"rest": "/api/v1/inbox/", "page": "/inbox/"}[door.name]).words
    assert "canary" in seen


def test_rule_8_two_gates_may_go_to_two_people_and_one_gate_to_one(
    door: Any, cast: Any, at_canary: Delegation, review: GateReview
) -> None:
    holder, project = cast.business_owner, review.project
    for gate in ("canary", ""):
        tried = door.delegate(holder, project, cast.validator, role="business_owner", gate=gate)
        told = "The role at the gate canary is passed on to Rita"
        assert_not_passed_on(tried, 422, told, there_were=1)
    other = {"role": "business_owner", "gate": "validation"}
    assert door.delegate(holder, project, cast.validator, **other).is_done
    assert Delegation.objects.count() == 2


@pytest.mark.parametrize(
    ("gate", "status", "words"),
    [
        ("nowhere", 400, {"rest": "There is no gate 'nowhere'", "page": "At which gate?"}),
        ("canary", 422, dict.fromkeys(("rest", "page"), "there is nothing to pass on there")),
    ],
)
def test_rule_8_it_is_narrowed_to_a_gate_that_asks_for_the_role(
    door: Any, cast: Any, review: GateReview, gate: str, status: int, words: Any
) -> None:
    tried = door.delegate(cast.validator, review.project, cast.risk_officer, gate=gate)
    assert_not_passed_on(tried, status, words[door.name])


def test_rule_8_beside_a_review_it_is_narrowed_to_its_gate(
    client_for: Any, review: GateReview, validator: User, risk_officer: User
) -> None:
    client = client_for(validator)
    offered = client.get(f"/reviews/{review.pk}/hand-over/").content.decode()
    assert "only at this one: validation" in offered
    body = {"role": "validator", "person": risk_officer.pk, "note": "Leave.", "days": 3}
    client.post(f"/reviews/{review.pk}/delegate/", {**body, "gate": "validation"})
    assert Delegation.objects.get().gate == "validation"
    told = client.get("/delegations/").content.decode()
    assert "only at the gate validation" in told


def test_rule_8_the_admin_shows_the_gate(
    client_for: Any, at_canary: Delegation, superuser: User
) -> None:
    rows = client_for(superuser).get(reverse("admin:governance_delegation_changelist"))
    assert '<td class="field-gate">canary</td>' in rows.content.decode()


def test_rule_8_the_admin_passes_nothing_on(
    client_for: Any, review: GateReview, superuser: User
) -> None:
    answer = client_for(superuser).get(reverse("admin:governance_delegation_add"))
    assert answer.status_code == 403
