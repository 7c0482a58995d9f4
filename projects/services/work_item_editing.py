"""Changing what a work item says; what it said before stays in its events."""

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import models, transaction

from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap
from projects.models import WorkItem
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.work_item_details import is_empty
from projects.services import notices
from projects.services.work_events import note, record
from projects.services.work_item_checks import check_item

#: Columns that may be edited; status, sprint, rank and outcome have commands of their own.
EDITABLE = (
    "title",
    "description",
    "parent",
    "points",
    "hours",
    "due_on",
    "metric_key",
    "expected_effect",
    "time_box_hours",
    "assignee",
)


@transaction.atomic
def edit_work_item(
    item: WorkItem, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None
) -> WorkItem:
    """Change columns and, under `details`, the kind's own fields; an empty value clears a field.

    Only the named fields change, so two people who edit different things by turns lose nothing.
    `version` is the `version_lock` on which the editor's text is based.

    Raises:
        InvalidInput: code `invalid_work_item`, with every wrong field.
        RuleViolated: codes `item_finished` and `time_box_started`.
        StaleState: the item was changed since it was read.
    """
    access.require(actor, "work_item.edit", item.project)
    _require_open(item, changes, version)
    row = copy.copy(item)
    given = dict(changes.get("details") or {})
    columns = {name: value for name, value in changes.items() if name != "details"}
    for name, value in columns.items():
        setattr(row, name, value)
    row.details = {**item.details, **given}
    check_item(row, changed=_changed(item, columns, given), doing="changed")
    before, after = _difference(item, row)
    if not before and not after:
        return item
    changed = {name: getattr(row, name) for name in (*columns, "details")}
    compare_and_swap(item, expected={"status": item.status}, **changed)
    if columns.get("assignee"):
        notices.let_watch(item, [item.assignee])
    note(
        item,
        "edited",
        actor,
        before=before,
        after=after,
        points_before=before.get("points"),
        points_after=after.get("points"),
    )
    record("work_item.edited", item, actor=actor, fields=sorted({*before, *after}))
    return item


def _changed(item: WorkItem, columns: Mapping[str, Any], details: Mapping[str, Any]) -> set[str]:
    """Return the names that get another value; a form sends the others along as they were."""
    new_columns = {name for name, value in columns.items() if getattr(item, name) != value}
    return new_columns | {n for n, value in details.items() if item.details.get(n) != value}


def _require_open(item: WorkItem, changes: Mapping[str, Any], version: int | None) -> None:
    unknown = set(changes) - {*EDITABLE, "details"}
    if unknown:
        errors = {name: ["This cannot be edited."] for name in sorted(unknown)}
        raise InvalidInput(
            f"The work item cannot be changed. {', '.join(errors)}: this cannot be edited.",
            code="invalid_work_item",
            details={"errors": errors},
        )
    if version is not None and version != item.version_lock:
        raise StaleState(f"“{item.title}” was changed by someone else; read it again.")
    if item.status in FINISHED_ITEM_STATUSES:
        raise RuleViolated(
            f"“{item.title}” is {item.get_status_display().lower()}; reopen it to change it.",
            code="item_finished",
        )
    box = changes.get("time_box_hours", item.time_box_hours)
    if item.time_box_ends_at is not None and box != item.time_box_hours:
        raise RuleViolated(
            "The time box runs since the work began; extend it once, or end the work.",
            code="time_box_started",
        )


def _difference(old: WorkItem, new: WorkItem) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the changed fields as they were and as they are; an empty field is left out."""
    before, after = _values(old), _values(new)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return _pick(before, names), _pick(after, names)


def _pick(values: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if not is_empty(values.get(name))}


def _values(item: WorkItem) -> dict[str, Any]:
    columns = {name: _plain(getattr(item, name)) for name in EDITABLE}
    return {**item.details, **columns}


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return getattr(value, "ref", "") or f"user:{value.pk}"
    return value.isoformat() if isinstance(value, date) else value
