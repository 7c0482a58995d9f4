"""Promises: kept by evidence or in words, confirmed by somebody independent."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Condition, Evidence, GateReview, SignOff
from governance.services import conditions
from governance.services.reviews import NewCondition
from ledger.models import LedgerEntry
from projects.errors import InvalidInput, InvalidTransition, NotFound, NotPermitted
from tests.factories import StakeholderFactory, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def promised(review: GateReview, sign: Any, validator: User) -> Condition:
    promise = [NewCondition("Publish the card.", timezone.now().date() + timedelta(days=7))]
    outcome = "approved_with_conditions"
    sign(review, validator, "validator", outcome=outcome, reason="x", conditions=promise)
    return Condition.objects.get()


@pytest.mark.parametrize("who", ["validator", "risk_officer"])
def test_signer_and_oversight_confirm_in_words(promised: Condition, who: str, request: Any) -> None:
    user = request.getfixturevalue(who)
    conditions.meet_condition(promised, actor=session_actor(user), note="It is published.")
    assert (promised.met_by, promised.note) == (user, "It is published.")
    entry = LedgerEntry.objects.get(event="condition.met")
    assert "published" not in str(entry.data)


def test_evidence_is_enough(promised: Condition, validator: User) -> None:
    shown = Evidence.objects.filter(subject_ref=fakes.MODEL).first()
    conditions.meet_condition(promised, actor=session_actor(validator), evidence=shown)
    assert promised.evidence == shown
    assert LedgerEntry.objects.get(event="condition.met").data["evidence"] == shown.ref


def test_neither_words_nor_evidence_is_too_little(promised: Condition, validator: User) -> None:
    with pytest.raises(InvalidInput) as error:
        conditions.meet_condition(promised, actor=session_actor(validator), note=" ")
    assert error.value.code == "note_missing"
    promised.refresh_from_db()
    assert promised.met_at is None


def test_evidence_of_another_project_shows_nothing(promised: Condition, validator: User) -> None:
    elsewhere = StakeholderFactory(user=validator, role="lead").project
    shown = Evidence.objects.first()
    shown.project = elsewhere
    with pytest.raises(InvalidInput) as error:
        conditions.meet_condition(promised, actor=session_actor(validator), evidence=shown)
    assert error.value.code == "wrong_evidence"


@pytest.mark.parametrize(
    ("who", "kind", "code"),
    [
        ("ml_engineer", NotPermitted, "role_missing"),
        ("data_scientist", NotPermitted, "role_missing"),
        ("auditor", NotPermitted, "role_missing"),
        ("outsider", NotFound, "not_found"),
    ],
)
def test_others_confirm_nothing(
    promised: Condition, request: Any, who: str, kind: Any, code: str
) -> None:
    user = request.getfixturevalue(who)
    with pytest.raises(kind) as error:
        conditions.meet_condition(promised, actor=session_actor(user), note="Done.")
    assert error.value.code == code
    promised.refresh_from_db()
    assert promised.met_at is None


def test_who_requested_the_review_confirms_nothing_even_as_oversight(
    promised: Condition, ml_engineer: User
) -> None:
    StakeholderFactory(
        project=promised.sign_off.review.project, user=ml_engineer, role="risk_officer"
    )
    with pytest.raises(NotPermitted) as error:
        conditions.meet_condition(promised, actor=session_actor(ml_engineer), note="Done.")
    assert error.value.code == "not_independent"
    assert not conditions.may_meet(promised, session_actor(ml_engineer))


def test_a_promise_is_kept_once(promised: Condition, validator: User) -> None:
    conditions.meet_condition(promised, actor=session_actor(validator), note="Done.")
    with pytest.raises(InvalidTransition) as error:
        conditions.meet_condition(promised, actor=session_actor(validator), note="Again.")
    assert error.value.code == "already_met"
    promised.refresh_from_db()
    assert promised.note == "Done."


def test_one_that_went_along_with_a_carried_sign_off_stays_on_the_list(
    promised: Condition, lead: User
) -> None:
    given = promised.sign_off
    names = [field.name for field in SignOff._meta.concrete_fields if field.name != "id"]
    values = {name: getattr(given, name) for name in names}
    other = GateReview.objects.get(gate="data")
    values |= {"review": other, "bindings_digest": other.bindings_digest, "carried_from": given}
    SignOff.objects.create(**values | {"sequence": 77})
    GateReview.objects.filter(pk=given.review_id).update(bindings_digest="0" * 64)
    assert list(conditions.open_conditions(session_actor(lead))) == [promised]


def test_the_open_ones_of_my_projects_are_listed(
    promised: Condition, lead: User, outsider: User, validator: User
) -> None:
    assert list(conditions.open_conditions(session_actor(lead))) == [promised]
    assert not conditions.open_conditions(session_actor(outsider)).exists()
    conditions.meet_condition(promised, actor=session_actor(validator), note="Done.")
    assert not conditions.open_conditions(session_actor(lead)).exists()
