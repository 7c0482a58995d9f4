"""What time ends, whom it warns, and that it approves nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.models import (
    Condition,
    GateReview,
    Override,
    Promotion,
    RequirementResult,
    ReviewNotice,
    SignOff,
    Waiver,
)
from governance.services import expiry, overrides, promotions, reviews, waivers
from governance.services.expiry import Ended
from governance.services.overrides import Confirmation, NewOverride
from governance.services.reviews import NewCondition
from governance.services.waivers import NewWaiver
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import InvalidTransition, StaleState
from tests.factories import PASSWORD, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
CLOCK = system("governance")
A_DAY = timedelta(days=1)
KEY = "criteria.ranks-later-months"


def at(**later: int) -> datetime:
    return timezone.now() + timedelta(**later)


def due(now: datetime | None = None) -> Ended:
    return expiry.expire_due(now or timezone.now(), actor=CLOCK)


@pytest.fixture
def override(promotion: Promotion, ml_engineer: User, business_owner: User) -> Override:
    wanted = NewOverride("INC-7", "It burns.", 24, "ml_engineer", PASSWORD)
    asked = overrides.request_override(promotion, wanted, actor=session_actor(ml_engineer))
    second = Confirmation("business_owner", PASSWORD)
    return overrides.confirm_override(asked, second, actor=session_actor(business_owner))


@pytest.fixture
def waived(review: GateReview, world: fakes.Subjects, lead: User, risk_officer: User) -> Waiver:
    """A waiver of the one criterion that the model misses."""
    world.change(fakes.MODEL, metrics={"test_roc_auc": 0.5})
    reviews.evaluate_review(review, actor=session_actor(lead))
    new = NewWaiver(
        KEY, "The season was odd.", "Weekly look.", "risk_officer", at(days=30), PASSWORD
    )
    return waivers.grant_waiver(review, new, actor=session_actor(risk_officer))


@pytest.fixture
def promised(review: GateReview, sign: Any, validator: User, business_owner: User) -> Condition:
    """An approval on a promise that is due in a week."""
    promise = [NewCondition("Publish the card.", at(days=7).date())]
    outcome = "approved_with_conditions"
    sign(review, validator, "validator", outcome=outcome, reason="x", conditions=promise)
    sign(review, business_owner, "business_owner")
    return Condition.objects.get()


def test_a_round_in_which_nothing_is_due_does_nothing(applied: Promotion) -> None:
    entries = LedgerEntry.objects.count()
    assert due().total == 0
    assert LedgerEntry.objects.count() == entries


def test_an_approval_that_rests_on_a_waiver_ends_with_it_and_names_it(
    waived: Waiver, sign: Any, validator: User, business_owner: User
) -> None:
    review = waived.review
    sign(review, validator, "validator")
    sign(review, business_owner, "business_owner")
    assert due(waived.expires_at).expired[-1] == review.ref
    review.refresh_from_db()
    assert review.status == "expired"
    assert f"The waiver of {KEY}" in review.status_reason
    assert Promotion.objects.get(review=review).status_reason == review.status_reason


def test_an_open_review_is_judged_again_when_a_waiver_ends(
    waived: Waiver, sign: Any, validator: User
) -> None:
    review = waived.review
    sign(review, validator, "validator")
    assert review.results.newest().get(key=KEY).outcome == "waived"
    Waiver.objects.update(granted_at=at(days=-2), expires_at=at(days=-1))
    assert due().judged_again == [review.ref]
    review.refresh_from_db()
    assert (review.status, review.results.newest().get(key=KEY).outcome) == ("open", "fail")
    assert due().judged_again == []


def test_judging_again_decides_nothing_even_where_nothing_is_lacking(
    waived: Waiver, world: fakes.Subjects, sign: Any, validator: User, business_owner: User
) -> None:
    """Everybody has signed and the facts got better; it still takes a person to ask."""
    review = waived.review
    sign(review, validator, "validator")
    world.change(fakes.MODEL, metrics={"latency_p95_ms": 10_000.0})
    reviews.evaluate_review(review, actor=session_actor(validator))
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    world.change(fakes.MODEL, metrics=dict(fakes.GOOD_METRICS))
    RequirementResult.objects.filter(key=KEY).update(outcome="waived")
    Waiver.objects.update(granted_at=at(days=-2), expires_at=at(days=-1))
    assert due().judged_again == [review.ref]
    review.refresh_from_db()
    assert review.status == "open"


def test_a_broken_promise_suspends_says_which_and_tells_lead_and_signer(
    promised: Condition, lead: User, validator: User
) -> None:
    review = promised.sign_off.review
    promotion = Promotion.objects.get(review=review)
    assert due(at(days=7)).suspended == []
    assert due(at(days=8)).suspended == [review.ref]
    review.refresh_from_db()
    promotion.refresh_from_db()
    assert (review.status, promotion.status) == ("suspended", "suspended")
    assert "Publish the card." in review.status_reason
    told = ReviewNotice.objects.filter(review=review, kind="ended").values_list("user", flat=True)
    assert {lead.pk, validator.pk} <= set(told)


def test_a_promise_travels_with_a_sign_off_that_was_carried_over(
    promised: Condition,
) -> None:
    given = promised.sign_off
    review = given.review
    other = GateReview.objects.get(gate="data")
    values = {
        field.name: getattr(given, field.name)
        for field in SignOff._meta.concrete_fields
        if field.name != "id"
    }
    values |= {"review": other, "bindings_digest": other.bindings_digest, "sequence": 77}
    SignOff.objects.create(**values | {"carried_from": given})
    assert set(due(at(days=8)).suspended) == {review.ref, other.ref}


def test_a_promise_that_the_signer_took_back_binds_nobody(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    promise = [NewCondition("Publish the card.", at(days=7).date())]
    outcome = "approved_with_conditions"
    sign(review, validator, "validator", outcome=outcome, reason="x", conditions=promise)
    sign(review, validator, "validator")
    sign(review, business_owner, "business_owner")
    assert review.status == "approved"
    assert due(at(days=8)).suspended == []


def test_break_glass_ends_with_its_hours_and_serving_with_it(override: Override) -> None:
    promotion = override.promotion
    assert promotions.claim_promotion(promotion, worker="here:1")
    promotions.mark_applied(promotion, actor=system("promotion"))
    assert due(override.expires_at - timedelta(seconds=1)).overrides_ended == []
    assert due(override.expires_at).overrides_ended == [override.ref]
    override.refresh_from_db()
    promotion.refresh_from_db()
    assert (override.status, promotion.status) == ("ended", "suspended")
    assert promotion.review.status == "open"
    assert due(override.expires_at).overrides_ended == []


def test_break_glass_is_settled_by_the_approval_and_the_promotion_stays(
    override: Override, sign: Any, validator: User, business_owner: User
) -> None:
    promotion = override.promotion
    assert promotions.claim_promotion(promotion, worker="here:1")
    promotions.mark_applied(promotion, actor=system("promotion"))
    sign(promotion.review, validator, "validator")
    sign(promotion.review, business_owner, "business_owner")
    assert due().overrides_ended == [override.ref]
    override.refresh_from_db()
    promotion.refresh_from_db()
    assert (override.status, promotion.status) == ("ended", "applied")
    assert override.status_reason.startswith("Settled")


def test_a_request_that_nobody_confirms_lapses(promotion: Promotion, ml_engineer: User) -> None:
    wanted = NewOverride("INC-7", "It burns.", 24, "ml_engineer", PASSWORD)
    asked = overrides.request_override(promotion, wanted, actor=session_actor(ml_engineer))
    assert due(at(hours=23)).overrides_lapsed == []
    assert due(at(hours=25)).overrides_lapsed == [asked.ref]
    asked.refresh_from_db()
    promotion.refresh_from_db()
    assert (asked.status, promotion.status) == ("declined", "requested")


def test_a_late_review_is_brought_before_the_lead_once(review: GateReview, lead: User) -> None:
    GateReview.objects.filter(pk=review.pk).update(due_on=timezone.now().date() - A_DAY)
    before = GateReview.objects.get(pk=review.pk).version_lock
    assert due().escalated == [review.ref]
    assert ReviewNotice.objects.filter(review=review, kind="overdue", user=lead).count() == 1
    assert due().escalated == []
    review.refresh_from_db()
    assert review.escalated_at is not None
    assert review.version_lock == before, "a signature given now would lose the race"


def test_an_approval_that_is_about_to_end_is_told_of_once(applied: Promotion, lead: User) -> None:
    review = applied.review
    GateReview.objects.filter(pk=review.pk).update(expires_at=at(days=31))
    assert due().warned == []
    assert due(at(days=2)).warned == [review.ref]
    assert ReviewNotice.objects.filter(review=review, kind="ending", user=lead).count() == 1
    assert due(at(days=2)).warned == []


def test_a_row_that_somebody_changes_meanwhile_holds_nothing_else_up(
    applied: Promotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = at(days=366)
    expire = expiry.expire_review

    def lose(review: GateReview, **kwargs: Any) -> Any:
        if review.gate == "data":
            raise StaleState("Somebody was faster.")
        return expire(review, **kwargs)

    monkeypatch.setattr(expiry, "expire_review", lose)
    assert due(later).expired == [applied.review.ref]
    assert GateReview.objects.get(gate="data").status == "approved"


def test_the_command_says_what_it_ended(applied: Promotion) -> None:
    GateReview.objects.filter(pk=applied.review_id).update(expires_at=at(hours=-1))
    said = StringIO()
    call_command("expire_due", stdout=said)
    assert f"expired: {applied.review.ref}" in said.getvalue()
    said = StringIO()
    call_command("expire_due", stdout=said)
    assert said.getvalue().strip() == "Nothing was due."


# --- The law: time approves nothing ---------------------------------------------------------------

STANDS = {"approved", "applying", "applied"}


def standing() -> tuple[set[int], set[int], set[int]]:
    """Return the reviews, promotions and overrides by which something may be served."""
    return (
        set(GateReview.objects.filter(status="approved").values_list("pk", flat=True)),
        set(Promotion.objects.filter(status__in=STANDS).values_list("pk", flat=True)),
        set(Override.objects.filter(status="active").values_list("pk", flat=True)),
    )


@pytest.fixture
def anything(review: GateReview, sign: Any, request: Any) -> Callable[[str], None]:
    """Let people do something to the review, or fail to."""
    who = {name: request.getfixturevalue(name) for name in ("validator", "business_owner")}
    promise = [NewCondition("Publish the card.", at(days=7).date())]
    conditional = {"outcome": "approved_with_conditions", "reason": "x", "conditions": promise}
    rejecting = {"outcome": "rejected", "reason": "x"}
    acts: dict[str, Callable[[], object]] = {
        "validate": lambda: sign(review, who["validator"], "validator"),
        "own": lambda: sign(review, who["business_owner"], "business_owner"),
        "condition": lambda: sign(review, who["validator"], "validator", **conditional),
        "reject": lambda: sign(review, who["validator"], "validator", **rejecting),
        "nothing": lambda: None,
    }

    def act(name: str) -> None:
        try:
            acts[name]()
        except InvalidTransition:
            # Decided already, or signed so before: what people may not do is not the point here.
            return

    return act


@pytest.mark.slow
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    acts=st.lists(
        st.sampled_from(["validate", "own", "condition", "reject", "nothing"]), max_size=4
    ),
    clocks=st.lists(st.integers(min_value=-400, max_value=1200), min_size=1, max_size=4),
)
def test_at_no_moment_does_time_approve_anything(
    anything: Callable[[str], None], acts: list[str], clocks: list[int]
) -> None:
    with transaction.atomic():
        for act, days in zip(acts + ["nothing"] * len(clocks), clocks, strict=False):
            anything(act)
            before = standing()
            due(at(days=days))
            after = standing()
            assert all(now <= then for now, then in zip(after, before, strict=True))
        transaction.set_rollback(True)
