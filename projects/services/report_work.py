"""What a sprint's report says of its work: items by fate, research, best runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from projects.models import Sprint, SprintSnapshot, WorkItem
from projects.rules.charts.base import Run
from projects.rules.run_judge import RunJudge
from projects.rules.sprint_series import COUNT, HOURS, POINTS, Amount, SprintSeries

Data = dict[str, Any]
#: Lists of the report by the name that a snapshot gives them, with the series' own name.
FATES = (
    ("commitment", "committed"),
    ("added", "added"),
    ("done", "done"),
    ("carried_over", "unfinished"),
    ("cancelled", "dropped"),
    ("removed", "removed"),
)
LEVELS = ("must", "guardrail", "should")
RESEARCH = ("hypothesis", "experiment", "spike")


def work_of(
    sprint: Sprint, series: SprintSeries | None, snapshot: SprintSnapshot | None
) -> dict[str, list[Data]]:
    """Return the sprint's items by fate: as they were frozen if it is over, else as they are."""
    if snapshot is not None and all(name in snapshot.data for name, _ in FATES):
        return {name: list(snapshot.data[name]) for name, _ in FATES}
    if series is None:
        planned = sprint.work_items.exclude(kind=WorkItem.Kind.EPIC)
        return {name: [] for name, _ in FATES} | {"commitment": [_entry(one) for one in planned]}
    wanted = {name: getattr(series, own) for name, own in FATES}
    rows = WorkItem.objects.in_bulk({pk for items in wanted.values() for pk in items})
    return {
        name: [_entry(rows[pk]) for pk in items if pk in rows] for name, items in wanted.items()
    }


def totals_of(work: Mapping[str, Sequence[Data]], series: SprintSeries | None) -> dict[str, Data]:
    """Return how much each list of the work comes to, in items, points and hours."""
    totals = {name: sum((_amount(one) for one in work[name]), Amount()) for name, _ in FATES}
    if series is not None:
        # What was committed is weighed as it was estimated then.
        totals["commitment"] = series.commitment
    return {
        name: {unit: getattr(amount, unit) for unit in (COUNT, POINTS, HOURS)}
        for name, amount in totals.items()
    }


def number_of(ref: str) -> int:
    """Return the number in a reference such as work_item:12."""
    return int(ref.partition(":")[2])


def unit_of(total: Data) -> str:
    """Return how a plan is best measured: by items if nobody estimated any."""
    return next((unit for unit in (POINTS, HOURS) if total[unit]), COUNT)


def research_of(work: Mapping[str, Sequence[Data]], runs: Sequence[Run]) -> dict[str, list[Data]]:
    """Return the sprint's hypotheses, experiments and spikes with what was learned.

    The outcome is the sprint's own; the words are shown only if the item still has that outcome.
    """
    entries = {one["item"]: one for name, _ in FATES[:2] for one in work[name]}
    entries |= {one["item"]: one for name, _ in FATES[2:] for one in work[name]}
    fates = {one["item"]: name for name, _ in FATES[2:] for one in work[name]}
    numbers = {number_of(ref): ref for ref in entries}
    rows = WorkItem.objects.filter(pk__in=numbers, kind__in=RESEARCH).order_by("pk")
    found: dict[str, list[Data]] = {kind: [] for kind in RESEARCH}
    for row in rows:
        ref = numbers[row.pk]
        outcome = entries[ref].get("outcome") or ""
        found[row.kind].append(
            {
                "item": ref,
                "title": entries[ref]["title"],
                "metric": row.metric_key,
                "expected_effect": row.expected_effect,
                "fate": fates.get(ref, "unfinished"),
                "outcome": outcome,
                "conclusion": row.conclusion if row.outcome == outcome else "",
                "time_box_hours": row.time_box_hours,
                "runs": _run_ids(row, runs),
            }
        )
    return found


def best_run_of(
    run_ids: Iterable[str], runs: Sequence[Run], criteria: Sequence[Data], baselines: Data
) -> Data | None:
    """Return the eligible run that passes most criteria, with what each criterion says of it."""
    ids = set(run_ids)
    fit = [run for run in runs if run.run_id in ids and run.is_eligible]
    aims = [row for row in criteria if row["level"] in LEVELS]
    judge = RunJudge(runs)
    judged = [(run, judge.judge(run, aims, baselines)) for run in fit]
    if not judged:
        return None
    best, results = max(judged, key=lambda one: (sum(r.is_pass for r in one[1]), one[0].started_at))
    return {
        "run": best.run_id,
        "name": best.name,
        "url": getattr(best, "url", ""),
        "passing": sum(result.is_pass for result in results),
        "of": len(results),
        "criteria": [
            {
                "key": result.key,
                "title": row.get("title") or result.key,
                "level": row["level"],
                "state": result.state,
                "sentence": result.sentence,
            }
            for row, result in zip(aims, results, strict=True)
        ],
    }


def _run_ids(item: WorkItem, runs: Sequence[Run]) -> list[str]:
    tied = {run.run_id: None for run in runs if run.work_item == item.pk}
    return list(tied | dict.fromkeys(item.run_ids))


def _entry(item: WorkItem) -> Data:
    return {
        "item": item.ref,
        "title": item.title,
        "kind": item.kind,
        "points": item.points,
        "hours": item.hours,
        "outcome": item.outcome,
    }


def _amount(entry: Data) -> Amount:
    return Amount(1, entry.get("points") or 0, entry.get("hours") or 0.0)
