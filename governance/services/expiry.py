"""What time ends: approvals, overrides, waivers and broken promises; and whom it warns before.

Time ends things and tells people. It approves nothing: nothing here settles a review.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from django.db import OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from governance.models import (
    Condition,
    GateReview,
    Override,
    RequirementResult,
    ReviewNotice,
    SignOff,
    Waiver,
)
from governance.services import eligibility, evaluating, notices, overrides, renewals
from governance.services.binding import stored_authors, subject_of
from governance.services.reviews import expire_review, suspend_review
from governance.services.standing import UNDECIDED
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import DomainError
from projects.lifecycle import compare_and_swap

logger = logging.getLogger(__name__)
Status = GateReview.Status
Row = TypeVar("Row", GateReview, Override)
#: Rows of each kind in one round; the next round takes the rest.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ended:
    """References of what one round ended, judged again, or told people of."""

    expired: list[str] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    overrides_ended: list[str] = field(default_factory=list)
    overrides_lapsed: list[str] = field(default_factory=list)
    judged_again: list[str] = field(default_factory=list)
    escalated: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    unsignable: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(len(getattr(self, one.name)) for one in fields(self))


def expire_due(now: datetime, *, actor: Actor) -> Ended:
    """Do what is due at `now`, each row in a transaction of its own.

    Doing it twice does nothing the second time. A row that somebody changes meanwhile, or whose
    subject cannot be asked, is left to the next round.
    """
    return Ended(
        expired=_each(_over(now), lambda row: _expire(row, actor=actor)),
        suspended=_each(_broken(now), lambda row: _revoke(row, now, actor=actor)),
        overrides_ended=_each(_spent(now), lambda row: _end(row, now, actor=actor)),
        overrides_lapsed=_each(_lapsed(now), lambda row: _decline(row, actor=actor)),
        judged_again=_each(_unwaived(now), lambda row: _judge_again(row, actor=actor)),
        escalated=_each(_late(now), lambda row: _escalate(row, now, actor=actor)),
        warned=_each(_ending(now), lambda row: notices.tell_ending(row, actor=actor)),
        unsignable=_each(_without_signer(), lambda row: eligibility.escalate(row, actor=actor)),
    )


def _each(rows: Iterable[Row], act: Callable[[Row], object]) -> list[str]:
    done = []
    for row in rows:
        try:
            with transaction.atomic():
                act(row)
        except (DomainError, OperationalError) as error:
            logger.info("%s is left to the next round: %s", row.ref, error)
        else:
            done.append(row.ref)
    return done


# --- Approvals whose time is over -----------------------------------------------------------------


def _over(now: datetime) -> QuerySet[GateReview]:
    approved = GateReview.objects.filter(status=Status.APPROVED, expires_at__lte=now)
    return approved.select_related("project").order_by("expires_at", "pk")[:AT_ONCE]


def _expire(review: GateReview, *, actor: Actor) -> None:
    if review.expires_at is None:
        return
    ended = f"{review.expires_at:%Y-%m-%d}"
    waiver = Waiver.objects.filter(review=review, expires_at=review.expires_at).first()
    if waiver is None:
        reason = f"The approval held until {ended}. Request the review again."
    else:
        reason = (
            f"The waiver of {waiver.requirement_key}, on which the approval rests, ended on "
            f"{ended}. Meet the requirement and request the review again."
        )
    expire_review(review, actor=actor, reason=reason)


# --- Reviews that nobody can sign any more --------------------------------------------------------


def _without_signer() -> list[GateReview]:
    """Return open reviews that do not say rightly whether anybody can sign them."""
    rows = GateReview.objects.open().select_related("project", "policy_version__policy")
    return [
        review
        for review in rows.order_by("pk")[:AT_ONCE]
        if eligibility.says_otherwise(
            review, eligibility.lacks_of(review, authors=stored_authors(review))
        )
    ]


# --- Promises that were not kept ------------------------------------------------------------------


def _broken(now: datetime) -> list[GateReview]:
    """Return the approvals that rest on an overdue condition, also by way of a carried sign-off."""
    overdue = Condition.objects.overdue(now.date())
    found = set(overdue.values_list("sign_off", flat=True))
    newer = found
    while newer:
        carried = SignOff.objects.filter(carried_from__in=newer).values_list("pk", flat=True)
        newer = set(carried) - found
        found |= newer
    resting = GateReview.objects.filter(
        status=Status.APPROVED,
        sign_offs__in=found,
        sign_offs__bindings_digest=F("bindings_digest"),
    )
    rows = resting.select_related("project").distinct().order_by("pk")[:AT_ONCE]
    return [review for review in rows if broken_promise(review, now) is not None]


def broken_promise(review: GateReview, now: datetime) -> Condition | None:
    """Return the first overdue condition of the sign-offs that a review's approval rests on.

    A signer who signed again in the same role took the earlier conditions back.
    """
    latest: dict[tuple[int, str], SignOff] = {}
    for one in SignOff.objects.counting(review).select_related("carried_from"):
        latest[one.signer_id, one.role] = one
    origins = [_origin(one).pk for one in latest.values()]
    return Condition.objects.overdue(now.date()).filter(sign_off__in=origins).first()


def _origin(sign_off: SignOff) -> SignOff:
    while sign_off.carried_from is not None:
        sign_off = sign_off.carried_from
    return sign_off


def _revoke(review: GateReview, now: datetime, *, actor: Actor) -> None:
    condition = broken_promise(review, now)
    if condition is None:
        return
    reason = (
        f"A condition of the approval was due on {condition.due_on:%Y-%m-%d} and is not met: "
        f"{condition.text}"
    )
    suspend_review(review, actor=actor, reason=reason)


# --- Break-glass ----------------------------------------------------------------------------------


def _spent(now: datetime) -> QuerySet[Override]:
    """Return what is active past its hours, or whose review was decided meanwhile."""
    active = Override.objects.filter(status=Override.Status.ACTIVE)
    spent = active.filter(
        Q(expires_at__lte=now) | ~Q(promotion__review__status__in=list(UNDECIDED))
    )
    return spent.select_related("promotion__project", "promotion__review")[:AT_ONCE]


def _end(override: Override, now: datetime, *, actor: Actor) -> None:
    status = override.promotion.review.status
    if status == Status.APPROVED:
        reason = "Settled: the review of the promotion approved it."
    elif override.expires_at is not None and override.expires_at <= now:
        reason = f"The {override.hours} hours are over."
    else:
        reason = f"The review of the promotion is {status}."
    overrides.end_override(override, actor=actor, reason=reason)


def _lapsed(now: datetime) -> list[Override]:
    asked = Override.objects.filter(status=Override.Status.REQUESTED)
    rows = asked.select_related("promotion__project", "promotion__review")[:AT_ONCE]
    return [one for one in rows if overrides.lapses_at(one) <= now]


def _decline(override: Override, *, actor: Actor) -> None:
    reason = f"Nobody confirmed it within the {override.hours} hours that it asked for."
    overrides.decline_override(override, actor=actor, reason=reason)


# --- Waivers of open reviews ----------------------------------------------------------------------


def _unwaived(now: datetime) -> QuerySet[GateReview]:
    """Return open reviews whose newest outcomes count a waiver that has ended."""
    live = Waiver.objects.live(now).filter(
        review=OuterRef("review"), requirement_key=OuterRef("key")
    )
    waived = RequirementResult.Outcome.WAIVED
    newest = RequirementResult.objects.filter(review__status=Status.OPEN).newest()
    lost = newest.filter(~Exists(live), outcome=waived).order_by()
    open_ones = GateReview.objects.open().filter(pk__in=lost.values("review"))
    return open_ones.select_related("project", "policy_version").order_by("pk")[:AT_ONCE]


def _judge_again(review: GateReview, *, actor: Actor) -> None:
    """Write down what holds without the waiver; whoever asks next has the review decided."""
    subject = subject_of(review)
    compare_and_swap(review, expected={"status": Status.OPEN})
    results = evaluating.store(review, evaluating.judge(review, subject))
    outcomes: dict[str, Any] = {one.key: str(one.outcome) for one in results}
    ledger.append("review.evaluated", subject=review.ref, actor=actor, data={"outcomes": outcomes})


# --- Warnings -------------------------------------------------------------------------------------


def _late(now: datetime) -> QuerySet[GateReview]:
    late = GateReview.objects.open().filter(due_on__lt=now.date(), escalated_at__isnull=True)
    return late.select_related("project").order_by("due_on", "pk")[:AT_ONCE]


def _escalate(review: GateReview, now: datetime, *, actor: Actor) -> None:
    # Not by the version: a warning must not make somebody's signature lose the race.
    unwarned = GateReview.objects.open().filter(pk=review.pk, escalated_at__isnull=True)
    if unwarned.update(escalated_at=now) != 1:
        return
    notices.tell_overdue(review, actor=actor)
    ledger.append(
        "review.escalated",
        subject=review.ref,
        actor=actor,
        data={"due_on": f"{review.due_on:%Y-%m-%d}"},
    )


def _ending(now: datetime) -> QuerySet[GateReview]:
    told = ReviewNotice.objects.filter(review=OuterRef("pk"), kind=ReviewNotice.Kind.ENDING)
    return renewals.ending(now).filter(~Exists(told))[:AT_ONCE]
