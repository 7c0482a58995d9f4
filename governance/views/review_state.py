"""Where a review stands at a glance: what holds, who has signed, whose turn it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils import timezone

from governance.models import GateReview, RequirementResult, ReviewAssignment
from governance.services import evaluating
from governance.services.signers import Eligibility
from projects.models import Stakeholder
from projects.rules.words import role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class Seat:
    """A role that has to sign: whether somebody has, who is asked, and who else could."""

    role: str
    label: str
    is_signed: bool
    asked: "User | None"
    note: str
    others: Sequence[str]


@dataclass(frozen=True)
class Pip:
    """One requirement or seat in the picture of the progress."""

    tone: str
    words: str


@dataclass(frozen=True)
class Standing:
    """What the bar above a review says."""

    seats: Sequence[Seat]
    missing: Sequence[str]
    requirements: Sequence[Pip]
    holding: int
    signed: int
    turn: Sequence[str]
    days_left: int | None

    @property
    def is_late(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def days_late(self) -> int:
        return -(self.days_left or 0)


def standing_of(
    review: GateReview, results: Sequence[RequirementResult], people: Sequence[Eligibility]
) -> Standing:
    """Return where the review stands, from its newest results and who may sign."""
    seats = seats_of(review, people)
    pips = [_pip(result) for result in results]
    return Standing(
        seats=seats,
        missing=evaluating.unmet_requirements(review),
        requirements=pips,
        holding=sum(evaluating.result_holds(result) for result in results),
        signed=sum(seat.is_signed for seat in seats),
        turn=_turn(review, seats),
        days_left=_days_left(review.due_on),
    )


def seats_of(review: GateReview, people: Sequence[Eligibility]) -> list[Seat]:
    """Return the roles that have to sign, in the order of the policy."""
    missing = evaluating.quorum_state(review).missing_roles
    current = ReviewAssignment.objects.current().filter(review=review).select_related("user")
    asked = {one.role: one for one in current}
    return [
        _seat(role, role not in missing, asked.get(role), people)
        for role in evaluating.quorum_rule(review).roles
    ]


def _seat(
    role: str,
    is_signed: bool,  # noqa: FBT001 - a fact, not a switch
    asked: ReviewAssignment | None,
    people: Sequence[Eligibility],
) -> Seat:
    others = [
        _name(one.user)
        for one in people
        if one.role == role and not one.reasons and (not asked or one.user.pk != asked.user_id)
    ]
    return Seat(
        role=role,
        label=Stakeholder.Role(role).label,
        is_signed=is_signed,
        asked=asked.user if asked else None,
        note=asked.note if asked else "",
        others=others,
    )


def _pip(result: RequirementResult) -> Pip:
    holds = evaluating.result_holds(result)
    words = f"{result.title}: {result.outcome}"
    if not result.is_blocking and result.outcome not in {"pass", "waived"}:
        return Pip("muted", f"{words}, advisory")
    if holds:
        return Pip("warn" if result.outcome == "waived" else "ok", words)
    return Pip("bad" if result.outcome == "fail" else "warn", words)


def _turn(review: GateReview, seats: Sequence[Seat]) -> list[str]:
    """Return who has to do something next, in words; nobody once the review is decided."""
    waiting = [seat for seat in seats if not seat.is_signed]
    if review.status not in {GateReview.Status.OPEN, GateReview.Status.STALE}:
        return []
    if review.status == GateReview.Status.STALE or not waiting:
        who = _name(review.requested_by) if review.requested_by else review.requested_as
        return [f"{who}, who asked for it"]
    return [
        f"{_name(seat.asked) if seat.asked else 'nobody asked yet'}, {role_words(seat.role)}"
        for seat in waiting
    ]


def _days_left(due_on: date | None) -> int | None:
    return None if due_on is None else (due_on - timezone.now().date()).days


def _name(user: "User") -> str:
    return user.get_full_name() or user.get_username()
