"""Hard time boxes: started with the work, ended by the clock, extended once with a reason."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from projects import access
from projects.actors import Actor
from projects.errors import DomainError, InvalidInput, InvalidTransition, RuleViolated
from projects.lifecycle import compare_and_swap, move
from projects.models import WorkItem
from projects.rules import time_boxes as rules
from projects.rules.transitions import WORK_ITEM_TRANSITIONS
from projects.rules.work_item_kinds import TIME_BOXED
from projects.services.work_events import note, record

logger = logging.getLogger(__name__)

Status, Outcome = WorkItem.Status, WorkItem.Outcome
AT_WORK = (Status.DOING, Status.REVIEW)
CHOICES = (
    "Stop: say what was found until then; the item ends as “time box expired”.",
    "Extend it once, with a reason; the lead does that.",
    "Re-scope: change the question, the approach or the scope, and plan a new item.",
)


def box_at_start(item: WorkItem, to: str) -> dict[str, Any]:
    """Return what changes when work on the item begins: the hard box starts to run, once."""
    starts = to == Status.DOING and item.kind in TIME_BOXED and item.time_box_ends_at is None
    if not starts or not item.time_box_hours:
        return {}
    return {"time_box_ends_at": rules.first_end(timezone.now(), item.time_box_hours)}


def require_time_left(item: WorkItem) -> None:
    """Refuse to go on with an item whose time box is over, whether or not the clock ran.

    Raises:
        RuleViolated: code `time_box_over`, with the choices.
    """
    if rules.is_over(item.time_box_ends_at, timezone.now()):
        raise RuleViolated(
            f"The time box of “{item.title}” ended on {item.time_box_ends_at:%d %b %Y, %H:%M} UTC. "
            "Choose how to go on.",
            code="time_box_over",
            reasons=CHOICES,
        )


def expire_due(now: datetime, *, actor: Actor) -> int:
    """End every item at work whose box is over; return how many they were."""
    due = WorkItem.objects.filter(
        kind__in=TIME_BOXED, status__in=AT_WORK, time_box_ends_at__lte=now
    ).select_related("project")
    ended = 0
    for item in due:
        try:
            _expire(item, actor=actor)
        except DomainError as error:
            # Somebody moved it meanwhile; if it is still over, the next round takes it.
            logger.info("The time box of %s was left: %s", item.ref, error.message)
        else:
            ended += 1
    return ended


@transaction.atomic
def _expire(item: WorkItem, *, actor: Actor) -> None:
    access.require(actor, "work_item.expire", item.project)
    _end(item, actor=actor, conclusion="")


@transaction.atomic
def stop_at_time_box(item: WorkItem, *, actor: Actor, conclusion: str) -> WorkItem:
    """Choose to stop: keep what was found until the box was over.

    Raises:
        RuleViolated: code `time_box_not_over`.
        InvalidInput: code `conclusion_missing`.
        InvalidTransition: the choice was made already, or nobody is working on it.
    """
    access.require(actor, "work_item.conclude", item.project)
    if not rules.is_over(item.time_box_ends_at, timezone.now()):
        raise RuleViolated(
            "Its time box is not over; conclude it with what was found.", code="time_box_not_over"
        )
    if not conclusion.strip():
        raise InvalidInput("Say in words what was learned.", code="conclusion_missing")
    if item.status != Status.DONE:
        return _end(item, actor=actor, conclusion=conclusion)
    if not is_choice_open(item):
        raise InvalidTransition(f"“{item.title}” is done; the choice was made.")
    compare_and_swap(item, expected={"status": Status.DONE}, conclusion=conclusion)
    note(item, "time_box_stopped", actor)
    record("work_item.time_box_stopped", item, actor=actor)
    return item


@transaction.atomic
def extend_time_box(item: WorkItem, *, actor: Actor, hours: int, reason: str) -> WorkItem:
    """Extend the box once, by no more than its own length; an ended item is at work again.

    Raises:
        RuleViolated: codes `no_time_box`, `already_extended` and `extension_too_long`.
        InvalidInput: code `reason_missing`.
    """
    access.require(actor, "work_item.extend", item.project)
    ends_at = item.time_box_ends_at
    if ends_at is None or not item.time_box_hours:
        raise RuleViolated(f"“{item.title}” has no running time box.", code="no_time_box")
    if item.time_box_extended_because:
        raise RuleViolated(
            "The time box was extended already; a box is extended once. Stop, or re-scope.",
            code="already_extended",
        )
    if not reason.strip():
        raise InvalidInput("Say why it needs more time.", code="reason_missing")
    try:
        end = rules.extended_end(
            ends_at, timezone.now(), hours=hours, allowed_hours=item.time_box_hours
        )
    except rules.NoExtension as error:
        raise RuleViolated(str(error), code=error.code) from error
    changes = {"time_box_ends_at": end, "time_box_extended_because": reason.strip()}
    source = item.status
    if source == Status.DONE:
        changes |= {"status": Status.DOING, "outcome": "", "conclusion": ""}
    elif source not in AT_WORK:
        raise InvalidTransition(f"“{item.title}” is {source}; take it up before extending it.")
    compare_and_swap(item, expected={"status": source}, **changes)
    kind = "moved" if source != item.status else "time_box_extended"
    note(item, kind, actor, source=source, to=item.status, hours_added=hours, reason=reason.strip())
    record("work_item.time_box_extended", item, actor=actor, until=end.isoformat())
    return item


def is_choice_open(item: WorkItem) -> bool:
    """Tell whether the box ended and nobody has said how to go on."""
    if item.status in AT_WORK:
        return rules.is_over(item.time_box_ends_at, timezone.now())
    return item.outcome == Outcome.TIME_BOX_EXPIRED and not item.conclusion


def _end(item: WorkItem, *, actor: Actor, conclusion: str) -> WorkItem:
    source, outcome = item.status, Outcome.TIME_BOX_EXPIRED
    move(item, Status.DONE, allowed=WORK_ITEM_TRANSITIONS, outcome=outcome, conclusion=conclusion)
    note(item, "moved", actor, source=source, to=Status.DONE, outcome=outcome)
    record("work_item.time_box_expired", item, actor=actor)
    return item
