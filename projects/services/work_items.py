"""Commands on work items; each leaves an event from which the charts are computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction

from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, RuleViolated
from projects.lifecycle import compare_and_swap, move
from projects.models import Project, Sprint, WorkItem
from projects.rules.transitions import (
    FINISHED_ITEM_STATUSES,
    OUTCOMES_BY_KIND,
    WORK_ITEM_TRANSITIONS,
)
from projects.services import notices, time_boxes
from projects.services.definitions import require_done, require_ready
from projects.services.ranking import last_rank
from projects.services.wip_limits import require_room
from projects.services.work_events import note, record
from projects.services.work_item_checks import OPEN_SPRINTS, check_item
from projects.services.work_item_editing import edit_work_item

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = WorkItem.Status


@dataclass(frozen=True, slots=True)
class NewWorkItem:
    """What a work item is to be, before it exists."""

    kind: str
    title: str
    description: str = ""
    sprint: Sprint | None = None
    parent: WorkItem | None = None
    points: int | None = None
    hours: float | None = None
    due_on: date | None = None
    metric_key: str = ""
    expected_effect: str = ""
    time_box_hours: int | None = None
    assignee: "User | None" = None
    rank: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)


NEW_FIELDS = tuple(field.name for field in fields(NewWorkItem))


@transaction.atomic
def add_work_item(project: Project, item: NewWorkItem, *, actor: Actor) -> WorkItem:
    """Add an item to the backlog, or to a sprint as work to do.

    Raises:
        InvalidInput: code `invalid_work_item`, with every wrong field.
    """
    access.require(actor, "work_item.add", project)
    row = WorkItem(
        project=project,
        status=Status.TODO if item.sprint else Status.BACKLOG,
        created_by=actor.user or project.created_by,
        **{name: getattr(item, name) for name in NEW_FIELDS},
    )
    row.details = dict(item.details)
    row.rank = item.rank or last_rank(project)
    check_item(row, changed={*NEW_FIELDS, *row.details}, doing="added")
    require_room(row, row.status, row.sprint)
    row.save()
    notices.let_watch(row, {actor.user, row.assignee})
    sprint = item.sprint.ref if item.sprint else ""
    note(row, "created", actor)
    record("work_item.added", row, actor=actor, kind=item.kind, sprint=sprint)
    return row


@transaction.atomic
def move_work_item(item: WorkItem, to: str, *, actor: Actor) -> WorkItem:
    """Move an item to another column of the board.

    Raises:
        InvalidInput: there is no such column.
        RuleViolated: code `conclusion_required`; this kind ends with an outcome. Code `not_ready`,
            `not_done`, `time_box_over` or `wip_limit_reached`, with the reasons.
        InvalidTransition: there is no arrow between the columns.
        StaleState: somebody else moved it first.
    """
    access.require(actor, "work_item.move", item.project)
    if to not in Status.values:
        raise InvalidInput(f"There is no column {to!r}.", code="unknown_status")
    if to == Status.DONE and item.kind in OUTCOMES_BY_KIND:
        raise RuleViolated(
            f"A {item.get_kind_display().lower()} is done when it is concluded; record the outcome "
            "and what it means.",
            code="conclusion_required",
            reasons=["No outcome is recorded."],
        )
    require_room(item, to, item.sprint)
    source = item.status
    if to in WORK_ITEM_TRANSITIONS[source]:
        _require_may_move(item, to)
    changes = {"outcome": "", "conclusion": ""} if source == Status.DONE else {}
    changes |= time_boxes.box_at_start(item, to)
    move(item, to, allowed=WORK_ITEM_TRANSITIONS, **changes)
    note(item, "moved", actor, source=source, to=to)
    record("work_item.moved", item, actor=actor, source=source, to=to)
    return item


@transaction.atomic
def conclude_work_item(
    item: WorkItem,
    *,
    actor: Actor,
    outcome: str,
    conclusion: str,
    details: Mapping[str, Any] | None = None,
) -> WorkItem:
    """Finish an item of a kind that ends with an outcome; refuted is as done as supported.

    `details` are the fields that its kind asks for at the end; all of it happens, or nothing.

    Raises:
        InvalidInput: the outcome does not fit the kind, or nothing is concluded in words.
        RuleViolated: code `not_done` or `time_box_over`, with the reasons; `time_box_not_over`.
        InvalidTransition: nobody is working on it.
    """
    access.require(actor, "work_item.conclude", item.project)
    fitting = OUTCOMES_BY_KIND.get(item.kind, frozenset())
    if outcome not in fitting:
        kind = item.get_kind_display().lower()
        raise InvalidInput(
            f"A {kind} cannot end as {outcome!r}; it may end as {', '.join(sorted(fitting))}."
            if fitting
            else f"A {kind} has no outcome; move it to done.",
            code="outcome_does_not_fit",
            details={"outcomes": sorted(fitting)},
        )
    if not conclusion.strip():
        raise InvalidInput("Say in words what was learned.", code="conclusion_missing")
    if outcome == WorkItem.Outcome.TIME_BOX_EXPIRED:
        return time_boxes.stop_at_time_box(item, actor=actor, conclusion=conclusion)
    if details and item.status not in FINISHED_ITEM_STATUSES:
        edit_work_item(item, {"details": details}, actor=actor)
    source = item.status
    if Status.DONE in WORK_ITEM_TRANSITIONS[source]:
        time_boxes.require_time_left(item)
        require_done(item, outcome)
    move(item, Status.DONE, allowed=WORK_ITEM_TRANSITIONS, outcome=outcome, conclusion=conclusion)
    note(item, "moved", actor, source=source, to=Status.DONE, outcome=outcome)
    record("work_item.concluded", item, actor=actor, outcome=outcome)
    return item


@transaction.atomic
def schedule_work_item(item: WorkItem, sprint: Sprint, *, actor: Actor) -> WorkItem:
    """Take an open item into a sprint as work to do.

    Raises:
        RuleViolated: code `sprint_not_open`; the sprint is over or belongs to another project.
            Code `wip_limit_reached`; its column is full.
        InvalidTransition: the item is finished.
    """
    access.require(actor, "work_item.move", item.project)
    if sprint.project_id != item.project_id or sprint.status not in OPEN_SPRINTS:
        raise RuleViolated(
            f"Nothing can be added to the sprint {sprint.name}: it is over, or another project's.",
            code="sprint_not_open",
        )
    if item.status in FINISHED_ITEM_STATUSES:
        raise InvalidTransition(f"“{item.title}” is {item.status}; reopen it first.")
    left = item.sprint.ref if item.sprint else ""
    source = item.status
    status = Status.TODO if source == Status.BACKLOG else source
    require_room(item, status, sprint)
    compare_and_swap(item, expected={"status": source}, sprint=sprint, status=status)
    note(item, "sprint_changed", actor, source=source, to=status, left=left, joined=sprint.ref)
    record("work_item.scheduled", item, actor=actor, sprint=sprint.ref)
    return item


@transaction.atomic
def link_run(item: WorkItem, run_id: str, *, actor: Actor) -> WorkItem:
    """Tie a training run to the item; a second time changes nothing."""
    access.require(actor, "work_item.link_run", item.project)
    if not run_id.strip():
        raise InvalidInput("Name the run to link.", code="run_id_missing")
    if run_id in item.run_ids:
        return item
    compare_and_swap(item, expected={"status": item.status}, run_ids=[*item.run_ids, run_id])
    note(item, "run_linked", actor, run=run_id)
    record("work_item.run_linked", item, actor=actor, run=run_id)
    return item


@transaction.atomic
def unlink_run(item: WorkItem, run_id: str, *, actor: Actor) -> WorkItem:
    """Take a run off the item; the events keep that it was on it.

    Raises:
        InvalidInput: code `run_not_linked`.
    """
    access.require(actor, "work_item.link_run", item.project)
    if run_id not in item.run_ids:
        raise InvalidInput(f"The run {run_id} is not on this item.", code="run_not_linked")
    kept = [other for other in item.run_ids if other != run_id]
    compare_and_swap(item, expected={"status": item.status}, run_ids=kept)
    note(item, "run_unlinked", actor, run=run_id)
    record("work_item.run_unlinked", item, actor=actor, run=run_id)
    return item


@transaction.atomic
def carry_over(sprint: Sprint, *, actor: Actor, to: Sprint | None = None) -> int:
    """Send a sprint's unfinished items to another sprint or the backlog; return how many.

    The items leave the sprint, the events keep that they were in it. Finished ones never move.
    """
    unfinished = list(sprint.work_items.exclude(status__in=FINISHED_ITEM_STATUSES))
    for item in unfinished:
        source = item.status
        status = source if to else Status.BACKLOG
        compare_and_swap(item, expected={"status": source}, status=status, sprint=to)
        joined = to.ref if to else ""
        note(
            item,
            "sprint_changed",
            actor,
            source=source,
            to=item.status,
            left=sprint.ref,
            joined=joined,
        )
        record("work_item.carried_over", item, actor=actor, sprint=sprint.ref, to=joined)
    return len(unfinished)


def _require_may_move(item: WorkItem, to: str) -> None:
    time_boxes.require_time_left(item)
    # Out of review it goes on with work that was ready when it began.
    if to == Status.DOING and item.status != Status.REVIEW:
        require_ready(item)
    if to == Status.DONE:
        require_done(item)
