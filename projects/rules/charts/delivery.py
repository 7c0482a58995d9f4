"""How work flows: velocity, cumulative flow, cycle time and the age of what is in progress."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from projects.rules.charts.base import (
    Chart,
    ItemInfo,
    counted,
    days_of,
    middle,
    percentile,
    plain,
)
from projects.rules.sprint_series import COUNT, HOURS, POINTS, SprintSeries
from projects.rules.work_history import DONE, Change, ItemState, ordered, states_before
from projects.rules.working_days import day_of, end_of_day

#: Research is not estimable, so only sprints of engineering have a velocity.
ENGINEERING = frozenset({"build", "release"})
LAST_SPRINTS = 6
BANDS = ("done", "review", "doing", "todo", "backlog")
IN_PROGRESS = frozenset({"doing", "review"})
SHARES = (0.5, 0.85, 0.95)


@dataclass(frozen=True, slots=True)
class ClosedSprint:
    """A closed sprint with its frozen series."""

    name: str
    kind: str
    series: SprintSeries


def velocity(sprints: Sequence[ClosedSprint]) -> Chart:
    """Return done work of the last six closed sprints of engineering, as median and range.

    `sprints` are in the order in which they ended. It is measured in points, or by items where
    no such sprint was estimated.
    """
    name, title = "velocity", "Velocity"
    last = [one for one in sprints if one.kind in ENGINEERING][-LAST_SPRINTS:]
    if not last:
        return Chart(
            name,
            title,
            advice="Close a build or release sprint; research has no velocity.",
        )
    unit = POINTS if any(_done(one, POINTS) for one in last) else COUNT
    noun = {POINTS: "point", COUNT: "item", HOURS: "hour"}[unit]
    table: list[dict[str, Any]] = [
        {
            "sprint": one.name,
            "kind": one.kind,
            "committed": one.series.commitment.of(unit),
            "done": _done(one, unit),
        }
        for one in last
    ]
    done = [row["done"] for row in table]
    marks: dict[str, Any] = {
        "unit": noun,
        "median": middle(done),
        "low": min(done),
        "high": max(done),
    }
    text = (
        f"The median of {counted(len(last), 'sprint')} is {counted(marks['median'], noun)}; "
        f"they ranged from {plain(min(done))} to {plain(max(done))}."
    )
    return Chart(name, title, text, table, marks)


def cumulative_flow(changes: Iterable[Change], days: Sequence[date], *, zone: tzinfo) -> Chart:
    """Return how many items stood in each column at the end of each day; dropped ones leave."""
    moments = [end_of_day(day, zone) for day in days]
    table = [
        {"day": day.isoformat(), **_bands(states)}
        for day, states in zip(days, states_before(changes, moments), strict=True)
    ]
    if not any(row[band] for row in table for band in BANDS):
        return Chart("flow", "Cumulative flow", advice="Add work items to the backlog.")
    last = table[-1]
    text = (
        f"{last['done']} done, {last['review']} in review, {last['doing']} being done, "
        f"{last['todo']} to do, {last['backlog']} in the backlog."
    )
    return Chart("flow", "Cumulative flow", text, table)


def cycle_time(items: Iterable[ItemInfo], changes: Iterable[Change], *, zone: tzinfo) -> Chart:
    """Return how long finished items took from being first taken up to being last finished."""
    name, title = "cycle-time", "Cycle time"
    spans = _work_spans(changes)
    titles = {item.pk: item for item in items}
    finished = sorted(
        (span.ended_at, pk, days_of(span.ended_at - span.started_at))
        for pk, span in spans.items()
        if span.ended_at is not None and pk in titles
    )
    if not finished:
        return Chart(name, title, advice="Finish items that were taken up on a board.")
    table = [
        {
            "item": titles[pk].title,
            "kind": titles[pk].kind,
            "finished": day_of(at, zone).isoformat(),
            "days": days,
        }
        for at, pk, days in finished
    ]
    taken = [row[2] for row in finished]
    marks = {f"p{share * 100:.0f}": percentile(taken, share) for share in SHARES}
    text = (
        f"Of {counted(len(taken), 'finished item')}, half took at most "
        f"{counted(marks['p50'], 'day')}, 85 % at most {plain(marks['p85'])} and 95 % at most "
        f"{plain(marks['p95'])}."
    )
    return Chart(name, title, text, table, marks)


def work_in_progress(
    items: Iterable[ItemInfo], changes: Sequence[Change], *, now: datetime, usual: float | None
) -> Chart:
    """Return the age of every item in progress, oldest first; `usual` is a cycle time in days."""
    name, title = "wip-age", "Age of work in progress"
    spans = _work_spans(changes)
    table: list[dict[str, Any]] = sorted(
        (
            {
                "item": item.title,
                "kind": item.kind,
                "status": spans[item.pk].status,
                "days": days_of(now - spans[item.pk].started_at),
            }
            for item in items
            if item.pk in spans and spans[item.pk].status in IN_PROGRESS
        ),
        key=lambda row: (-row["days"], row["item"]),
    )
    if not table:
        return Chart(name, title, advice="Nothing is in progress: take an item up on a board.")
    old = sum(usual is not None and row["days"] > usual for row in table)
    older = f" {old} of them longer than 85 % of finished items took." if usual is not None else ""
    text = f"{counted(len(table), 'item')} in progress, the oldest for {table[0]['days']} days."
    return Chart(name, title, text + older, table, {"usual": usual})


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """When work on an item first began, when it last ended, and how the item stands now."""

    started_at: datetime
    ended_at: datetime | None
    status: str


def _work_spans(changes: Iterable[Change]) -> dict[int, WorkSpan]:
    """Return the spans of items that were ever in progress; going on again reopens a span."""
    states: dict[int, ItemState] = {}
    spans: dict[int, WorkSpan] = {}
    for change in ordered(changes):
        before = states.get(change.item, ItemState())
        state = states[change.item] = change.applied_to(before)
        span = spans.get(change.item)
        if span is None and state.status not in IN_PROGRESS:
            continue
        started = span.started_at if span else change.at
        ended = (span.ended_at if span else None) if before.status == DONE else change.at
        spans[change.item] = WorkSpan(
            started, ended if state.status == DONE else None, state.status
        )
    return spans


def _bands(states: Mapping[int, ItemState]) -> dict[str, int]:
    held = [state.status for state in states.values()]
    return {band: held.count(band) for band in BANDS}


def _done(sprint: ClosedSprint, unit: str) -> float:
    days = sprint.series.days
    return days[-1].done.of(unit) if days else 0.0
