"""Rule 14: of two last approvals at once one decides, and what they decide is done once."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import GateReview, Promotion, SignOff
from governance.services import deciding, promotions, signing
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import StaleState
from tests.concurrency.racing import race
from tests.governance.fifteen_rules.doors import give

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def last(
    racing_db: None, door: Any, review: GateReview, business_owner: User, risk_officer: User
) -> GateReview:
    """A review that lacks one of its two validators."""
    give(review, risk_officer, "validator")
    assert door.sign(business_owner, review, "business_owner").is_done
    return review


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two signatures pass every check before either is written."""
    both, known = threading.Barrier(2), signing.since_last_approval

    def wait(*args: Any) -> Any:
        both.wait(timeout=30)
        return known(*args)

    monkeypatch.setattr(signing, "since_last_approval", wait)


def own(review: GateReview) -> GateReview:
    return GateReview.objects.select_related("project", "policy_version__policy").get(pk=review.pk)


def test_rule_14_of_two_last_approvals_at_once_one_decides(
    door: Any, last: GateReview, at_once: None, validator: User, risk_officer: User
) -> None:
    tries = race(
        lambda: door.sign(validator, own(last)), lambda: door.sign(risk_officer, own(last))
    )
    assert sorted(one.is_done for one in tries) == [False, True]
    (lost,) = [one for one in tries if not one.is_done]
    assert lost.status == 409
    assert SignOff.objects.filter(review=last, role="validator").count() == 1
    last.refresh_from_db()
    promotion = Promotion.objects.get(review=last)
    assert (last.status, promotion.status) == ("approved", "approved")
    approved = LedgerEntry.objects.filter(event="review.approved", subject=last.ref)
    fired = LedgerEntry.objects.filter(event="promotion.approved")
    assert (approved.count(), fired.count()) == (1, 1)


def test_rule_14_a_decision_that_cannot_be_written_takes_its_signature_along(
    door: Any, last: GateReview, validator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise StaleState("Somebody else was faster.")

    monkeypatch.setattr(deciding.notices, "tell_decided", fail)
    assert door.sign(validator, last).status == 409
    last.refresh_from_db()
    assert last.status == "open"
    assert not SignOff.objects.filter(review=last, role="validator").exists()
    assert Promotion.objects.get(review=last).status == "requested"
    monkeypatch.undo()
    assert door.sign(validator, last).is_done
    last.refresh_from_db()
    assert last.status == "approved"


def test_rule_14_what_they_decided_is_carried_out_once(
    door: Any, last: GateReview, validator: User
) -> None:
    assert door.sign(validator, last).is_done

    def claim(worker: str) -> bool:
        rows = Promotion.objects.select_related("environment", "review", "project")
        return promotions.claim_promotion(rows.get(review=last), worker=worker)

    assert sorted(race(*(lambda n=n: claim(f"elsewhere:{n}") for n in range(4)))) == [
        False,
        False,
        False,
        True,
    ]
    promotion = Promotion.objects.select_related("environment", "project").get(review=last)
    for _ in range(2):
        promotions.mark_applied(promotion, actor=system("promotion"))
    assert not claim("elsewhere:9")
    counts = [
        LedgerEntry.objects.filter(event=f"promotion.{name}").count()
        for name in ("approved", "claimed", "applied")
    ]
    assert counts == [1, 1, 1]
