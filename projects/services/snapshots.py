"""What a sprint came to, computed from the events of its items and frozen when it ends."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from projects.models import Sprint, SprintSnapshot, WorkItem, WorkItemEvent
from projects.rules.sprint_series import (
    SprintDay,
    SprintSeries,
    SprintSpan,
    as_data,
    sprint_series,
)
from projects.rules.work_history import (
    Change,
    ItemState,
    present_states,
    read_event,
    states_before,
)
from projects.services.capacity import person_days
from projects.services.sprint_facts import working_days

_INSTANT = timedelta(microseconds=1)


def changes_in(sprint: Sprint) -> list[Change]:
    """Return what happened to the items that were ever in the sprint, from their beginning."""
    touching = Q(data__sprint=sprint.ref) | Q(data__joined=sprint.ref)
    ever = WorkItemEvent.objects.filter(touching, item__project=sprint.project_id)
    ever = ever.exclude(item__kind=WorkItem.Kind.EPIC)
    rows = WorkItemEvent.objects.filter(item__in=ever.values("item")).order_by("at", "pk")
    fields = rows.values_list("item", "at", "pk", "kind", "data")
    return [read_event(*row) for row in fields]


def freeze(
    sprint: Sprint,
    *,
    ended_at: datetime,
    went_to: Mapping[int, str],
    kill_criteria: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, Any] | None = None,
) -> SprintSnapshot:
    """Write the snapshot of a sprint that has just ended; call it before its items move on.

    `went_to` says for each unfinished item where it goes; `more` is kept as it is.
    """
    data = {
        "name": sprint.name,
        "kind": sprint.kind,
        "goal": sprint.goal,
        "status": sprint.status,
        "starts_on": sprint.starts_on.isoformat(),
        "ends_on": sprint.ends_on.isoformat(),
        "started_at": sprint.started_at.isoformat() if sprint.started_at else None,
        "ended_at": ended_at.isoformat(),
        "scope": sprint.scope.ref if sprint.scope else None,
        **_work(sprint, ended_at, went_to),
        "person_days": _actual_days(sprint, ended_at),
        "kill_criteria": [dict(one) for one in kill_criteria],
        **(more or {}),
    }
    return SprintSnapshot.objects.create(sprint=sprint, data=data, digest=digest_of(data))


def digest_of(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the data's canonical JSON: sorted keys, no white space, UTF-8."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _work(sprint: Sprint, ended_at: datetime, went_to: Mapping[int, str]) -> dict[str, Any]:
    started_at = sprint.started_at or ended_at
    # What happened in the very moment of the end was still in the sprint.
    until = ended_at + _INSTANT
    changes = [change for change in changes_in(sprint) if change.at < until]
    span = SprintSpan(sprint.ref, sprint.starts_on, sprint.ends_on, started_at, until)
    series = sprint_series(span, changes, zone=timezone.get_current_timezone(), now=until)
    at_start = states_before(changes, [started_at + _INSTANT])[0]
    at_end = present_states(changes)
    titles = _titles({change.item for change in changes})
    lists = {
        "commitment": (series.committed, at_start),
        "added": (series.added, at_end),
        "removed": (series.removed, at_end),
        "done": (series.done, at_end),
        "carried_over": (series.unfinished, at_end),
        "cancelled": (series.dropped, at_end),
    }
    work: dict[str, Any] = {
        name: [_entry(item, titles, states[item]) for item in items]
        for name, (items, states) in lists.items()
    }
    for entry, item in zip(work["carried_over"], series.unfinished, strict=True):
        entry["to"] = went_to.get(item, "backlog")
    return {**work, "daily": _daily(series), "series": as_data(series)}


def _titles(items: set[int]) -> dict[int, tuple[str, str]]:
    rows = WorkItem.objects.filter(pk__in=items).values_list("pk", "title", "kind")
    return {pk: (title, kind) for pk, title, kind in rows}


def _entry(item: int, titles: Mapping[int, tuple[str, str]], state: ItemState) -> dict[str, Any]:
    title, kind = titles[item]
    return {
        "item": f"work_item:{item}",
        "title": title,
        "kind": kind,
        "points": state.points,
        "hours": state.hours,
        "outcome": state.outcome,
    }


def _daily(series: SprintSeries) -> list[dict[str, Any]]:
    return [_day(day) for day in series.days]


def _day(day: SprintDay) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "remaining_points": day.remaining.points,
        "remaining_items": day.remaining.count,
        "remaining_hours": day.remaining.hours,
        "done_points": day.done.points,
        "scope_points": day.scope.points,
    }


def _actual_days(sprint: Sprint, ended_at: datetime) -> float | None:
    """Return the person days that were spent: of the capacity, the share of days that passed."""
    planned = person_days(sprint)
    if planned is None:
        return None
    whole = working_days(sprint.starts_on, sprint.ends_on)
    last = timezone.localtime(ended_at).date()
    passed = working_days(sprint.starts_on, min(last, sprint.ends_on))
    share = min(passed / whole, 1.0) if whole and last >= sprint.starts_on else 0.0
    return round(planned * share, 2)
