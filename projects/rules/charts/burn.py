"""Burn-down and burn-up of one sprint."""

from datetime import date
from typing import Any

from projects.rules.charts.base import Chart, counted, plain, spoken
from projects.rules.sprint_series import COUNT, HOURS, POINTS, SprintDay, SprintSeries, ideal_line
from projects.rules.working_days import WorkingDays

NOUNS = {POINTS: "point", COUNT: "item", HOURS: "hour"}
#: Names of the charts that measure in one unit; `burn-down` picks what the sprint was planned in.
BURN_DOWNS = {"burn-down-points": POINTS, "burn-down-items": COUNT, "burn-down-hours": HOURS}
START = "start"
NOT_STARTED = "Start the sprint with items in it: the line begins with what it commits to."


def burn_down(
    series: SprintSeries,
    ends_on: date,
    *,
    name: str = "burn-down",
    calendar: WorkingDays | None = None,
) -> Chart:
    """Return what remained at the end of each day beside an even line over the working days.

    The even line spreads the commitment; scope that came later shows as a mark of its own.
    """
    unit = BURN_DOWNS.get(name, series.unit)
    noun = NOUNS[unit]
    title = f"Burn-down in {noun}s"
    if not _has_any(series, unit):
        return Chart(name, title, advice=_advice(series, unit))
    days = {row.day: row for row in series.days}
    first = series.days[0].day
    ideal = ideal_line(series.commitment.of(unit), first, max(first, ends_on), calendar)
    commitment = series.commitment.of(unit)
    table: list[dict[str, Any]] = [
        {
            "day": START,
            "remaining": commitment,
            "even_line": commitment,
            "scope": commitment,
            "done": 0.0,
        }
    ]
    table += [
        _burn_down_row(day, days.get(day), ideal.get(day, 0.0), unit)
        for day in sorted({*ideal, *days})
    ]
    return Chart(
        name,
        title,
        _burn_down_words(series, unit, ideal),
        table,
        {"unit": noun, "days_off": _days_off(table, calendar or WorkingDays())},
    )


def burn_up(series: SprintSeries, *, name: str = "burn-up") -> Chart:
    """Return done work and scope as two lines, so that added scope is no negative progress."""
    unit = series.unit
    noun = NOUNS[unit]
    title = f"Burn-up in {noun}s"
    if not _has_any(series, unit):
        return Chart(name, title, advice=_advice(series, unit))
    begin = {"day": START, "done": 0.0, "scope": series.commitment.of(unit)}
    table = [begin] + [
        {"day": row.day.isoformat(), "done": row.done.of(unit), "scope": row.scope.of(unit)}
        for row in series.days
    ]
    last = series.days[-1]
    text = (
        f"{plain(last.done.of(unit))} of {counted(last.scope.of(unit), noun)} are done; "
        f"the sprint began with {plain(series.commitment.of(unit))}."
    )
    return Chart(name, title, text, table, {"unit": noun})


def _burn_down_row(day: date, row: SprintDay | None, ideal: float, unit: str) -> dict[str, Any]:
    told = {"day": day.isoformat(), "even_line": round(ideal, 2)}
    if row is None:
        return {**told, "remaining": None, "scope": None, "done": None}
    return {
        **told,
        "remaining": row.remaining.of(unit),
        "scope": row.scope.of(unit),
        "done": row.done.of(unit),
        "added": row.added.of(unit),
        "removed": row.removed.of(unit),
    }


def _burn_down_words(series: SprintSeries, unit: str, ideal: dict[date, float]) -> str:
    last = series.days[-1]
    left = last.remaining.of(unit)
    even = ideal.get(last.day, 0.0)
    added = sum(day.added.of(unit) for day in series.days)
    removed = sum(day.removed.of(unit) for day in series.days)
    changed = f"; {plain(added)} came in and {plain(removed)} went out" if added or removed else ""
    return (
        f"By {spoken(last.day)}, {counted(left, NOUNS[unit])} of "
        f"{plain(last.scope.of(unit))} remained, where work spread evenly over the working days "
        f"would leave {plain(round(even, 1))}{changed}."
    )


def _has_any(series: SprintSeries, unit: str) -> bool:
    amounts = [series.commitment, *(day.scope for day in series.days)]
    return bool(series.days) and any(amount.of(unit) for amount in amounts)


def _advice(series: SprintSeries, unit: str) -> str:
    if series.days and _has_any(series, COUNT):
        return f"Estimate items of the sprint in {NOUNS[unit]}s to get this chart."
    return "Take items into the sprint to get this chart."


def _days_off(table: list[dict[str, Any]], calendar: WorkingDays) -> list[str]:
    days = [row["day"] for row in table if row["day"] != START]
    return [day for day in days if not calendar.is_working(date.fromisoformat(day))]
