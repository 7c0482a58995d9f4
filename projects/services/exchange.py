"""Backlogs in and out of files; what an import would do is shown first, and then done exactly."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.dateparse import parse_date

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import DomainError, InvalidInput, RuleViolated
from projects.models import Project, Sprint, WorkItem
from projects.rules.exchange import (
    COLUMNS,
    Row,
    Table,
    keys_in,
    read,
    write_csv,
    write_json,
)
from projects.rules.fates import CREATE, REFUSED, UPDATE, Fate, Import
from projects.rules.text_files import Unreadable
from projects.services import dependencies, work_items
from projects.services.work_item_editing import edit_work_item
from projects.services.work_items import NewWorkItem

#: How each form of an export is sent.
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_TEXTS = ("title", "description", "metric_key", "expected_effect")
_EDITED = (*_TEXTS, "parent", "assignee", "points", "hours", "due_on", "time_box_hours")


def dry_run(project: Project, data: bytes, *, actor: Actor) -> Import:
    """Return what an import of the file would do; nothing is written.

    The rows go through the very commands of an import, in a transaction that is taken back.

    Raises:
        InvalidInput: code `unreadable_file`; the message names the line.
    """
    access.require(actor, "work_item.import", project)
    table = _read(data)
    with transaction.atomic():
        fates = _Importer(project, actor).run(table)
        transaction.set_rollback(True)
    return Import(tuple(fates), table.unknown, table.shape, _digest(data))


@transaction.atomic
def import_work_items(
    project: Project, data: bytes, *, actor: Actor, skip_refused: bool = False
) -> Import:
    """Create and update items as the file says; rows find their item by key.

    Raises:
        InvalidInput: code `unreadable_file`; the message names the line.
        RuleViolated: code `import_refused`; a row is refused, and `skip_refused` is not set.
            Nothing is written.
    """
    access.require(actor, "work_item.import", project)
    table = _read(data)
    fates = tuple(_Importer(project, actor).run(table))
    found = Import(fates, table.unknown, table.shape, _digest(data), is_done=True)
    if found.is_refused and not skip_refused:
        raise RuleViolated(
            f"{found.counts[REFUSED]} of {len(found.fates)} rows are refused, so nothing was "
            "imported.",
            code="import_refused",
            reasons=found.reasons[:100],
            details={"counts": found.counts},
        )
    ledger.append(
        "work_item.imported",
        subject=project.ref,
        actor=actor,
        data={"counts": found.counts, "shape": found.shape, "file": found.digest},
    )
    return found


def export_work_items(project: Project, form: str) -> str:
    """Return every item of a project as `csv` or `json`, such as an import takes back.

    Raises:
        InvalidInput: code `unknown_format`.
    """
    if form not in MEDIA_TYPES:
        raise InvalidInput("Items are written as csv or json.", code="unknown_format")
    items = (
        WorkItem.objects.filter(project=project)
        .select_related("sprint", "parent", "assignee")
        .prefetch_related("depends_on")
        .order_by("rank", "pk")
    )
    rows = map(plain_item, items)
    return write_csv(rows) if form == "csv" else write_json(rows)


def plain_item(item: WorkItem) -> dict[str, Any]:
    """Return an item as a row of an export."""
    plain: dict[str, Any] = {name: getattr(item, name, None) for name in COLUMNS}
    return {
        **plain,
        "key": key_of(item),
        "sprint": item.sprint.name if item.sprint else "",
        "parent": key_of(item.parent) if item.parent else "",
        "assignee": item.assignee.get_username() if item.assignee else "",
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "depends_on": sorted(map(key_of, item.depends_on.all())),
    }


def key_of(item: WorkItem) -> str:
    """Return the key by which files name an item: the one that it came with, or its own."""
    return item.external_key or item.ref


class _Importer:
    """Carries a table's rows into a project: items first, then what they wait for."""

    def __init__(self, project: Project, actor: Actor) -> None:
        self.project = project
        self.actor = actor
        self.items = {key_of(one): one for one in self._all()}
        self.sprints = {one.name: one for one in Sprint.objects.filter(project=project)}
        people = User.objects.filter(is_active=True)
        self.people = {one.username: one for one in people}
        self.by_mail = {one.email.lower(): one for one in people if one.email}

    def run(self, table: Table) -> list[Fate]:
        fates = {row.number: self._begin(row) for row in table.rows}
        self._refuse_repeated(table.rows, fates)
        # Epics first, so that the items below them find their parent wherever it stands.
        for row in sorted(table.rows, key=lambda row: row.values.get("kind") != "epic"):
            self._guarded(fates[row.number], self._take, row)
        if "depends_on" in table.columns:
            for row in table.rows:
                self._guarded(fates[row.number], self._depend, row)
        return list(fates.values())

    def _all(self) -> Iterable[WorkItem]:
        rows = WorkItem.objects.filter(project=self.project)
        return rows.select_related("project", "sprint", "parent", "assignee")

    def _begin(self, row: Row) -> Fate:
        values = row.values
        return Fate(row.number, str(values.get("key") or ""), str(values.get("title") or ""))

    def _refuse_repeated(self, rows: Iterable[Row], fates: Mapping[int, Fate]) -> None:
        seen: dict[str, int] = {}
        for row in rows:
            fate = fates[row.number]
            if fate.key and fate.key in seen:
                fate.refuse("key", f"{fate.key} stands on line {seen[fate.key]} already.")
            seen.setdefault(fate.key, row.number)

    def _guarded(self, fate: Fate, step: Any, row: Row) -> None:
        if fate.fate == REFUSED:
            return
        try:
            with transaction.atomic():
                step(fate, row)
        except DomainError as error:
            named = error.details.get("errors")
            for name, texts in (named or {"row": [error.message]}).items():
                for text in texts:
                    fate.refuse(name, str(text))

    def _take(self, fate: Fate, row: Row) -> None:
        values = self._values(fate, row.values)
        if fate.fate == REFUSED:
            return
        item = self.items.get(fate.key) if fate.key else None
        if item is None:
            self._create(fate, values)
        else:
            self._update(fate, item, values)

    def _create(self, fate: Fate, values: dict[str, Any]) -> None:
        item = work_items.add_work_item(self.project, NewWorkItem(**values), actor=self.actor)
        if fate.key:
            WorkItem.objects.filter(pk=item.pk).update(external_key=fate.key)
            item.external_key = fate.key
            self.items[fate.key] = item
        fate.fate = CREATE

    def _update(self, fate: Fate, item: WorkItem, values: dict[str, Any]) -> None:
        kind, sprint = values.pop("kind", item.kind), values.pop("sprint", item.sprint)
        if kind != item.kind:
            fate.refuse("kind", f"It is a {item.kind}; the kind of an item does not change.")
            return
        details = values.pop("details", item.details)
        changes = {name: new for name, new in values.items() if getattr(item, name) != new}
        if details != item.details:
            gone = dict.fromkeys(set(item.details) - set(details))
            changes["details"] = {**gone, **details}
        if changes:
            edit_work_item(item, changes, actor=self.actor)
        if sprint is not None and sprint != item.sprint:
            work_items.schedule_work_item(item, sprint, actor=self.actor)
            changes["sprint"] = sprint
        if changes:
            fate.fate, fate.changes = UPDATE, sorted(changes)

    def _depend(self, fate: Fate, row: Row) -> None:
        item = self.items.get(fate.key)
        if item is None:
            if keys_in(row.values.get("depends_on")):
                fate.refuse("depends_on", "An item without a key cannot wait for others here.")
            return
        wanted = {}
        for key in keys_in(row.values.get("depends_on")):
            if key not in self.items:
                fate.refuse("depends_on", f"Neither the file nor the project has an item {key}.")
            else:
                wanted[self.items[key].pk] = self.items[key]
        held = {one.pk: one for one in item.depends_on.all()}
        if fate.fate == REFUSED or set(held) == set(wanted):
            return
        for pk in set(wanted) - set(held):
            dependencies.add_dependency(item, wanted[pk], actor=self.actor)
        for pk in set(held) - set(wanted):
            dependencies.remove_dependency(item, held[pk], actor=self.actor)
        fate.changes.append("depends_on")
        fate.fate = CREATE if fate.fate == CREATE else UPDATE

    def _values(self, fate: Fate, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns that the file holds, as values of an item."""
        values: dict[str, Any] = {}
        for name, convert in self._converters().items():
            if name not in given:
                continue
            try:
                values[name] = convert(given[name])
            except ValueError as error:
                fate.refuse(name, str(error))
        return values

    def _converters(self) -> dict[str, Any]:
        return {
            "kind": lambda value: str(value or "").strip(),
            **dict.fromkeys(_TEXTS, lambda value: str(value or "").strip()),
            "points": _whole,
            "time_box_hours": _whole,
            "hours": _real,
            "due_on": _day,
            "details": _object,
            "sprint": self._sprint,
            "parent": self._parent,
            "assignee": self._person,
        }

    def _sprint(self, value: object) -> Sprint | None:
        name = str(value or "").strip()
        if name and name not in self.sprints:
            raise ValueError(f"The project has no sprint {name!r}; plan it first.")
        return self.sprints.get(name)

    def _parent(self, value: object) -> WorkItem | None:
        key = str(value or "").strip()
        if key and key not in self.items:
            raise ValueError(f"Neither the file nor the project has an item {key}.")
        return self.items.get(key)

    def _person(self, value: object) -> User | None:
        name = str(value or "").strip()
        found = self.people.get(name) or self.by_mail.get(name.lower())
        if name and found is None:
            raise ValueError(f"There is no active user {name!r}.")
        return found if name else None


def _read(data: bytes) -> Table:
    try:
        return read(data)
    except Unreadable as error:
        raise InvalidInput(str(error), code="unreadable_file") from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _whole(value: object) -> int | None:
    text = str("" if value is None else value).strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > len("32767"):
        raise ValueError(f"{text!r} is not a whole number from 0 on.")
    return int(text)


def _real(value: object) -> float | None:
    text = str("" if value is None else value).strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise ValueError(f"{text!r} is not a number.") from None


def _day(value: object) -> date | None:
    text = str(value or "").strip()
    try:
        found = parse_date(text) if text else None
    except ValueError:
        found = None
    if text and found is None:
        raise ValueError(f"{text!r} is not a day such as 2026-11-30.")
    return found


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("This is no JSON object.") from None
    if not value:
        return {}
    if not isinstance(value, dict):
        raise ValueError("This is no JSON object.")  # noqa: TRY004 - a wrong cell, not a wrong call
    return value
