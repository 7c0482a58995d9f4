"""What may be done with an item now, and why not the rest: what pages and REST answers offer."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from projects import access
from projects.actors import Actor
from projects.models import WorkItem
from projects.rules.definitions import open_reasons
from projects.rules.time_boxes import is_over, time_left
from projects.rules.transitions import OUTCOMES_BY_KIND, WORK_ITEM_TRANSITIONS
from projects.services import time_boxes
from projects.services.definitions import Checklists

Status, Outcome = WorkItem.Status, WorkItem.Outcome


@dataclass(frozen=True, slots=True)
class PossibleMove:
    """A column that the item may go to; `reasons` say why not now.

    `by` names the command: `move`, or `conclude` where the kind ends with an outcome.
    """

    to: str
    label: str
    by: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class TimeBox:
    """A hard time box that runs or has ended; `is_settled` if the work ended before it did."""

    left: str
    is_over: bool
    is_settled: bool
    is_choice_open: bool
    may_extend: bool
    most_hours: int


def moves_of(item: WorkItem, lists: Checklists, *, actor: Actor) -> list[PossibleMove]:
    """Return every arrow from where the item is, with what stands against each."""
    return [
        _move(item, status, lists, actor)
        for status in Status.values
        if status in WORK_ITEM_TRANSITIONS[item.status]
    ]


def time_box_of(item: WorkItem, *, actor: Actor) -> TimeBox | None:
    """Return the item's running or ended time box, and which choices are open."""
    ends_at, now = item.time_box_ends_at, timezone.now()
    if ends_at is None:
        return None
    over = is_over(ends_at, now)
    settled = item.status == Status.DONE and item.outcome != Outcome.TIME_BOX_EXPIRED
    settled = settled or item.status == Status.DROPPED
    can_extend = not item.time_box_extended_because and item.status != Status.DROPPED
    return TimeBox(
        left=time_left(ends_at, now),
        is_over=over,
        is_settled=settled,
        is_choice_open=time_boxes.is_choice_open(item),
        # Work that ended in time needs more of it only if it is taken up again later.
        may_extend=can_extend
        and (over or not settled)
        and access.can(actor, "work_item.extend", item.project),
        most_hours=item.time_box_hours or 0,
    )


def outcomes_of(item: WorkItem) -> list[str]:
    """Return the outcomes with which the item may end now; the clock's own is no choice."""
    fitting = OUTCOMES_BY_KIND.get(item.kind, frozenset()) - {Outcome.TIME_BOX_EXPIRED}
    return [value for value in Outcome.values if value in fitting]


def _move(item: WorkItem, to: str, lists: Checklists, actor: Actor) -> PossibleMove:
    by = "conclude" if to == Status.DONE and item.kind in OUTCOMES_BY_KIND else "move"
    label = str(dict(Status.choices)[to])
    warnings: Sequence[str] = ()
    reasons: Sequence[str] = ()
    if not access.can(actor, f"work_item.{by}", item.project):
        reasons = ["Your roles on the project do not allow it."]
    elif is_over(item.time_box_ends_at, timezone.now()):
        reasons = ["The time box is over: stop, extend it once, or re-scope."]
    elif to == Status.DOING and item.status != Status.REVIEW:
        reasons = open_reasons(lists.ready)
        warnings = [one.reason for one in lists.ready if one.reason and one.only_warns]
    elif to == Status.DONE:
        reasons = open_reasons(lists.done)
        warnings = [one.reason for one in lists.done if one.reason and one.only_warns]
    return PossibleMove(to, label, by, tuple(reasons), tuple(warnings))
