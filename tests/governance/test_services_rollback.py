"""Rollback: one act, no committee, and nothing that was never signed comes back."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from governance.models import Finding, GateReview, Promotion
from governance.services import enforcement, promotions, reviews, rollback
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from tests.factories import session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"


@pytest.fixture
def second(applied: Promotion, promote_second: Any) -> Promotion:
    """Version 2 holds the alias; version 1 stood before."""
    found = promote_second(applied)
    applied.refresh_from_db()
    return found


def is_untouched(second: Promotion, entries: int) -> bool:
    second.refresh_from_db()
    return (second.status, LedgerEntry.objects.count()) == ("applied", entries)


def test_the_last_good_version_is_queued_and_the_bad_one_stops_at_once(
    second: Promotion, applied: Promotion, ml_engineer: User
) -> None:
    done = rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    assert done.restored == applied
    assert (done.undone.status, done.restored.status) == ("suspended", "approved")
    assert not enforcement.may_deploy(MODEL, 2, "production").allowed


def test_a_worker_then_puts_it_in_place(
    second: Promotion, applied: Promotion, ml_engineer: User
) -> None:
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    applied.refresh_from_db()
    assert promotions.claim_promotion(applied, worker="here:2")
    promotions.mark_applied(applied, actor=system("promotion"))
    second.refresh_from_db()
    assert (applied.status, second.status) == ("applied", "superseded")
    assert promotions.standing_promotion(MODEL, "production") == applied
    assert enforcement.may_deploy(MODEL, 1, "production").allowed


def test_what_was_undone_is_no_version_to_go_back_to(
    second: Promotion, applied: Promotion, ml_engineer: User
) -> None:
    actor = session_actor(ml_engineer)
    rollback.roll_back(second, actor=actor, reason="Scores are off.")
    applied.refresh_from_db()
    promotions.claim_promotion(applied, worker="here:2")
    promotions.mark_applied(applied, actor=system("promotion"))
    with pytest.raises(RuleViolated) as refusal:
        rollback.roll_back(applied, actor=actor, reason="Back and forth.")
    assert refusal.value.code == "no_good_version"
    applied.refresh_from_db()
    assert applied.status == "applied"


def test_somebody_has_to_look_into_it_afterwards(second: Promotion, ml_engineer: User) -> None:
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    finding = Finding.objects.get(subject_ref=second.subject_ref)
    assert (finding.severity, finding.status) == ("high", "open")
    assert finding.description == "Scores are off."


def test_a_version_that_a_monitor_suspended_can_be_rolled_back(
    second: Promotion, applied: Promotion, ml_engineer: User
) -> None:
    promotions.suspend_promotion(second, actor=system("monitoring"), reason="Drift.")
    done = rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Drift is real.")
    assert done.restored == applied
    with pytest.raises(InvalidTransition):
        rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Again.")


def test_of_two_who_roll_back_at_once_one_does(second: Promotion, ml_engineer: User) -> None:
    late = Promotion.objects.get(pk=second.pk)
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    entries = LedgerEntry.objects.count()
    with pytest.raises((StaleState, RuleViolated)):
        rollback.roll_back(late, actor=session_actor(ml_engineer), reason="Scores are off.")
    assert LedgerEntry.objects.count() == entries


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: reviews.suspend_review(
            one.review, actor=system("governance"), reason="A condition is overdue."
        ),
        lambda one: GateReview.objects.filter(pk=one.review_id).update(
            expires_at=timezone.now() - timedelta(days=1)
        ),
    ],
    ids=["suspended", "expired"],
)
def test_a_version_whose_approval_ended_is_not_gone_back_to(
    second: Promotion, applied: Promotion, ml_engineer: User, spoil: Any
) -> None:
    spoil(applied)
    entries = LedgerEntry.objects.count()
    with pytest.raises(RuleViolated) as refusal:
        rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    assert refusal.value.code == "no_good_version"
    assert is_untouched(second, entries)


def test_files_that_moved_meanwhile_are_not_restored(
    second: Promotion, applied: Promotion, ml_engineer: User, world: fakes.Subjects
) -> None:
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    world.change(applied.subject_ref, bindings={"run": fakes.sha("f")})
    applied.refresh_from_db()
    assert not promotions.claim_promotion(applied, worker="here:2")
    assert applied.status == "suspended"


def test_a_reason_is_asked_for(second: Promotion, ml_engineer: User) -> None:
    entries = LedgerEntry.objects.count()
    with pytest.raises(InvalidInput) as refusal:
        rollback.roll_back(second, actor=session_actor(ml_engineer), reason=" ")
    assert refusal.value.code == "reason_missing"
    assert is_untouched(second, entries)


def test_only_what_holds_the_alias_can_be_rolled_back(
    second: Promotion, applied: Promotion, ml_engineer: User
) -> None:
    entries = LedgerEntry.objects.count()
    with pytest.raises(InvalidTransition):
        rollback.roll_back(applied, actor=session_actor(ml_engineer), reason="The wrong one.")
    assert is_untouched(second, entries)


def test_strangers_and_people_without_the_role_are_refused(
    second: Promotion, validator: User, outsider: User
) -> None:
    entries = LedgerEntry.objects.count()
    with pytest.raises(NotPermitted):
        rollback.roll_back(second, actor=session_actor(validator), reason="I say so.")
    with pytest.raises(NotFound):
        rollback.roll_back(second, actor=session_actor(outsider), reason="I say so.")
    assert is_untouched(second, entries)


def test_it_is_one_call_over_rest(
    second: Promotion, applied: Promotion, ml_engineer: User, api: Any
) -> None:
    place = f"/api/v1/promotions/{second.pk}/roll-back/"
    answer = api(ml_engineer).post(place, {"reason": "Scores are off."}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["status"]) == (applied.pk, "approved")


def test_the_button_tells_what_happens(
    second: Promotion, applied: Promotion, ml_engineer: User, client_for: Any
) -> None:
    client = client_for(ml_engineer)
    place = f"/promotions/{second.pk}/roll-back/"
    answer = client.post(place, {"reason": "Scores are off."}, follow=True)
    assert "a worker puts the version that stood before in its place" in answer.content.decode()
    applied.refresh_from_db()
    assert applied.status == "approved"


def test_an_earlier_version_can_be_named(
    second: Promotion, applied: Promotion, ml_engineer: User, api: Any
) -> None:
    place = f"/api/v1/promotions/{second.pk}/roll-back/"
    wrong = api(ml_engineer).post(place, {"reason": "Off.", "version": 7}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "no_good_version")
    assert "there is v1" in wrong.json()["detail"]
    second.refresh_from_db()
    assert second.status == "applied"
    answer = api(ml_engineer).post(place, {"reason": "Off.", "version": 1}, format="json")
    assert (answer.status_code, answer.json()["id"]) == (200, applied.pk)


def test_the_command_goes_the_same_way(second: Promotion, applied: Promotion) -> None:
    asked = (second.model_name, "production")
    with pytest.raises(CommandError, match="role"):
        call_command("roll_back", *asked, "--by", "vera", "--reason", "Off.")
    with pytest.raises(CommandError, match="holds the alias"):
        call_command("roll_back", "another", "production", "--by", "mia", "--reason", "Off.")
    second.refresh_from_db()
    assert second.status == "applied"
    call_command("roll_back", *asked, "--by", "mia", "--reason", "Off.")
    applied.refresh_from_db()
    assert applied.status == "approved"


def test_the_page_always_says_what_a_rollback_would_go_back_to(
    second: Promotion, applied: Promotion, validator: User, ml_engineer: User, client_for: Any
) -> None:
    page = f"/reviews/{second.review_id}/"
    reader = client_for(validator).get(page).content.decode()
    assert "A rollback now goes back to <strong>version 1</strong>" in reader
    assert "Roll back now" not in reader
    assert "Roll back now" in client_for(ml_engineer).get(page).content.decode()
    reviews.suspend_review(applied.review, actor=system("governance"), reason="Doubt.")
    assert "There is nothing to go back to" in client_for(validator).get(page).content.decode()


def test_the_reason_is_kept_apart_from_the_hashed_record(
    second: Promotion, ml_engineer: User
) -> None:
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Bruno said so.")
    entry = LedgerEntry.objects.get(event="promotion.rolled_back")
    assert b"Bruno said so" not in bytes(entry.body)
