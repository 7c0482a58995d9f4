"""Rule 8: a right passed on is explicit, dated, by its holder, not passed further, and shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from governance.models import Delegation, GateReview, SignOff
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


def test_rule_8_the_admin_passes_nothing_on(
    client_for: Any, review: GateReview, superuser: User
) -> None:
    answer = client_for(superuser).get(reverse("admin:governance_delegation_add"))
    assert answer.status_code == 403
