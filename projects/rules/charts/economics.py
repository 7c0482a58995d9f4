"""What experiments cost and what they settled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from projects.rules.charts.base import Chart, ItemInfo, Run, SprintInfo, counted, plain
from projects.rules.work_history import DONE, Change, ItemState, ordered, present_states

VERDICTS = ("supported", "refuted", "inconclusive", "abandoned", "open")
NO_SPRINT = "no sprint"


def runs_and_compute(runs: Sequence[Run], sprints: Sequence[SprintInfo]) -> Chart:
    """Return the number of runs and their compute hours by sprint; runs of none come last."""
    name, title = "economics", "Runs and compute hours"
    places = [*sprints, SprintInfo(0, NO_SPRINT)]
    known = {sprint.pk for sprint in sprints}
    table: list[dict[str, Any]] = []
    for place in places:
        own = [run for run in runs if (run.sprint if run.sprint in known else 0) == place.pk]
        if own:
            hours = round(sum(run.compute_seconds for run in own) / 3600, 2)
            table.append({"sprint": place.name, "runs": len(own), "compute_hours": hours})
    if not table:
        return Chart(name, title, advice="Log training runs to the project's experiments.")
    whole = sum(row["compute_hours"] for row in table)
    text = f"{counted(len(runs), 'run')} took {counted(round(whole, 2), 'compute hour')}."
    return Chart(name, title, text, table)


def verdicts(
    items: Iterable[ItemInfo], changes: Iterable[Change], sprints: Sequence[SprintInfo]
) -> Chart:
    """Return by sprint how many hypotheses were supported, refuted, left open or given up."""
    name, title = "verdicts", "Hypotheses by verdict"
    asked = {item.pk for item in items if item.kind == "hypothesis"}
    states = {pk: state for pk, state in present_states(changes).items() if pk in asked}
    refs = {f"sprint:{sprint.pk}": sprint.name for sprint in sprints}
    table: list[dict[str, Any]] = []
    for ref, place in [*refs.items(), ("", NO_SPRINT)]:
        own = [s for s in states.values() if (s.sprint if s.sprint in refs else "") == ref]
        counts = _verdicts(own)
        if sum(counts.values()):
            table.append({"sprint": place, **counts})
    settled = {one: sum(row[one] for row in table) for one in VERDICTS}
    if not table:
        return Chart(name, title, advice="Write hypotheses and conclude them with a verdict.")
    whole = sum(settled.values()) - settled["open"]
    shares = [f"{settled[one] / whole:.0%} {one}" for one in VERDICTS[:3] if whole]
    text = f"Of {counted(whole, 'settled one')}: {', '.join(shares)}. " if whole else ""
    return Chart(name, title, f"{text}{settled['open']} are open.", table)


def time_boxes(items: Iterable[ItemInfo], changes: Iterable[Change], *, now: datetime) -> Chart:
    """Return how much of its time box each boxed item used, from being taken up to its end."""
    name, title = "time-boxes", "Use of time boxes"
    boxed = {item.pk: item for item in items if item.time_box_hours}
    spans = _working_hours(changes, now)
    table: list[dict[str, Any]] = []
    for pk, item in boxed.items():
        if pk in spans and item.time_box_hours:
            used, status = spans[pk]
            share = round(used / item.time_box_hours, 3)
            table.append(
                {
                    "item": item.title,
                    "kind": item.kind,
                    "status": status,
                    "box_hours": item.time_box_hours,
                    "used_hours": round(used, 1),
                    "used_share": share,
                }
            )
    if not table:
        return Chart(name, title, advice="Give a spike or experiment a time box and take it up.")
    over = sum(row["used_share"] > 1 for row in table)
    text = f"{plain(over)} of {counted(len(table), 'time box', 'time boxes')} ran over their time."
    return Chart(name, title, text, table)


def _verdicts(states: Sequence[ItemState]) -> Mapping[str, int]:
    held = [state.outcome if state.status == DONE else "open" for state in states if _counts(state)]
    return {verdict: held.count(verdict) for verdict in VERDICTS}


def _counts(state: ItemState) -> bool:
    return state.status != "dropped"


def _working_hours(changes: Iterable[Change], now: datetime) -> dict[int, tuple[float, str]]:
    """Return the hours from being first taken up to being finished or dropped, or until now."""
    started: dict[int, datetime] = {}
    ended: dict[int, datetime | None] = {}
    status: dict[int, str] = {}
    states: dict[int, ItemState] = {}
    for change in ordered(changes):
        state = states[change.item] = change.applied_to(states.get(change.item, ItemState()))
        if state.status == "doing":
            started.setdefault(change.item, change.at)
        was_open = ended.get(change.item) is None
        if state.is_open:
            ended[change.item] = None
        elif was_open:
            ended[change.item] = change.at
        status[change.item] = state.status
    return {
        pk: (((ended[pk] or now) - at).total_seconds() / 3600, status[pk])
        for pk, at in started.items()
    }
