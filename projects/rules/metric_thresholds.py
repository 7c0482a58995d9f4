"""Criteria as arguments of MLflow's `MetricThreshold`, and back.

MLflow compares the plain value of one run with a threshold and with one baseline model. What a
criterion asks beyond that is listed by name, never dropped in silence.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.rules.criteria import Criterion, limit_from
from projects.rules.criterion_facts import ALL_SLICES, Numbers, slice_suffix

Arguments = dict[str, float | bool]

#: What `MetricThreshold` takes, by name.
ARGUMENTS = ("threshold", "min_absolute_change", "min_relative_change", "greater_is_better")
#: What MLflow allows in the name of a metric.
_METRIC_NAME = re.compile(r"[\w./: -]{1,120}", re.ASCII)
_NOT_SLUG = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class NotExpressed:
    """What MLflow cannot say about one criterion; `is_left_out` if it is not exported at all."""

    key: str
    reason: str
    is_left_out: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """Thresholds by metric, the baseline that their changes are measured from, and what is lost."""

    thresholds: Mapping[str, Arguments]
    baseline: str
    not_expressed: tuple[NotExpressed, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One argument that `MetricThreshold` would refuse, and where it stands."""

    field: str
    message: str


@dataclass
class _Export:
    thresholds: dict[str, Arguments] = field(default_factory=dict)
    baseline: str = ""
    notes: list[NotExpressed] = field(default_factory=list)

    def leave_out(self, item: Criterion, reason: str) -> None:
        self.notes.append(NotExpressed(item.key, reason, is_left_out=True))

    def note(self, item: Criterion, reason: str) -> None:
        self.notes.append(NotExpressed(item.key, reason, is_left_out=False))


def export_thresholds(criteria: Iterable[Criterion], baselines: Mapping[str, Numbers]) -> Exported:
    """Return the criteria that MLflow can judge as arguments of `MetricThreshold`, by metric.

    MLflow knows gains but no tolerated losses, so a drop becomes the threshold it amounts to, and
    so does a gain of zero. Two criteria on one metric become one, as strict as both.
    """
    export = _Export()
    for item in criteria:
        reason = _why_not(item) or _clash(item, export)
        if reason:
            export.leave_out(item, reason)
            continue
        arguments = _arguments(item, baselines)
        if isinstance(arguments, str):
            export.leave_out(item, arguments)
            continue
        _merge(export, item, arguments)
        for lost in _lost(item):
            export.note(item, lost)
    return Exported(export.thresholds, export.baseline, tuple(export.notes))


def problems_of(metric: str, arguments: object, *, has_baseline: bool) -> list[Wrong]:
    """Return what MLflow's constructor, and this service, would refuse in one threshold."""
    if not isinstance(arguments, Mapping):
        return [Wrong(metric, "This must be an object with the arguments of MetricThreshold.")]
    found = [Wrong(metric, "MLflow has no metric of such a name.")] if _is_odd(metric) else []
    found += [
        Wrong(f"{metric}.{name}", "MetricThreshold has no such argument.")
        for name in sorted(set(map(str, arguments)) - set(ARGUMENTS))
    ]
    better = arguments.get("greater_is_better")
    if not isinstance(better, bool):
        found.append(Wrong(f"{metric}.greater_is_better", "This must be true or false."))
    given = {name: arguments.get(name) for name in ARGUMENTS[:3]}
    if all(value is None for value in given.values()):
        found.append(Wrong(metric, "Give a threshold or a minimum change."))
    for name, value in given.items():
        if message := _objection(name, value):
            found.append(Wrong(f"{metric}.{name}", message))
    changes = any(given[name] is not None for name in ARGUMENTS[1:3])
    if changes and not has_baseline:
        found.append(Wrong(metric, "A minimum change is measured from a baseline; name one."))
    return found


def criterion_row(
    metric: str, arguments: Mapping[str, Any], *, baseline: str, key: str
) -> dict[str, Any]:
    """Return the criterion that checked arguments stand for, as a row of a scope's content."""
    numbers = {
        name: float(arguments[name]) for name in ARGUMENTS[:3] if arguments.get(name) is not None
    }
    return {
        "key": key,
        "metric_key": metric,
        "greater_is_better": arguments["greater_is_better"],
        "threshold": None,
        "min_absolute_change": None,
        "min_relative_change": None,
        "max_absolute_drop": None,
        "max_relative_drop": None,
        "baseline": baseline if set(numbers) - {"threshold"} else "",
        **numbers,
    }


def key_for(metric: str, taken: Iterable[str]) -> str:
    """Return a key for a new criterion on a metric that no other criterion has."""
    used = set(taken)
    stem = _NOT_SLUG.sub("-", metric.lower()).strip("-")[:50] or "metric"
    number, key = 1, stem
    while key in used:
        number += 1
        key = f"{stem}-{number}"
    return key


def _why_not(item: Criterion) -> str:
    reasons = (
        (item.source != "metric", f"MLflow judges metrics, and this one reads a {item.source}."),
        (
            item.level == "should" or not item.is_blocking,
            "It does not block, and every threshold of MLflow does.",
        ),
        (item.level == "kill", "It holds from a date or sprint on; MLflow knows no dates."),
        (item.slice.startswith(ALL_SLICES), "MLflow knows no worst slice."),
        (bool(item.confidence_key), "It compares a confidence bound; MLflow compares the value."),
        (
            item.aggregate != "last" or item.min_runs > 1,
            "It looks at several runs; MLflow looks at one.",
        ),
        (
            item.baseline.startswith("same_run:") and _has_changes(item),
            "It compares two metrics of one run; MLflow compares one metric of two models.",
        ),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _clash(item: Criterion, export: _Export) -> str:
    known = export.thresholds.get(_metric_of(item))
    if known is not None and known["greater_is_better"] != item.greater_is_better:
        return "Another criterion on the same metric points the other way."
    needs = _min_changes(item)
    if needs and export.baseline and export.baseline != item.baseline:
        return f"It is measured from {item.baseline}; the others are from {export.baseline}."
    return ""


def _arguments(item: Criterion, baselines: Mapping[str, Numbers]) -> Arguments | str:
    """Return the arguments, or why there are none."""
    found: Arguments = dict(_min_changes(item))
    limits = [] if item.threshold is None else [float(item.threshold)]
    for name in ("max_absolute_drop", "max_relative_drop", "min_absolute_change"):
        step = getattr(item, name)
        if step is None or name in found:
            continue
        base = baselines.get(item.baseline, {}).get(_metric_of(item))
        if isinstance(base, bool) or not isinstance(base, int | float) or not math.isfinite(base):
            return f"MLflow knows no {name}, and {item.baseline} has no value to reckon it from."
        better = item.greater_is_better
        limits.append(limit_from(float(base), name, step, greater_is_better=better))
    if limits:
        found["threshold"] = max(limits) if item.greater_is_better else min(limits)
    if any(not math.isfinite(value) for value in found.values()):
        return "One of its numbers is not finite."
    if not found:
        return "It has no condition."
    return {"greater_is_better": item.greater_is_better, **found}


def _merge(export: _Export, item: Criterion, arguments: Arguments) -> None:
    entry = export.thresholds.setdefault(_metric_of(item), arguments)
    for name, value in arguments.items():
        falls = name == "threshold" and not item.greater_is_better
        entry[name] = (
            min(entry.get(name, value), value) if falls else max(entry.get(name, value), value)
        )
    if _min_changes(item):
        export.baseline = item.baseline


def _lost(item: Criterion) -> list[str]:
    lost = []
    if item.dataset_ref:
        lost.append(f"MLflow does not check that the data is {item.dataset_ref}.")
    if item.test_use_limit is not None:
        lost.append(f"MLflow does not count the {item.test_use_limit} uses of the test data.")
    return lost


def _min_changes(item: Criterion) -> Arguments:
    changes: Arguments = {}
    # MLflow wants a positive absolute gain; a gain of zero becomes a threshold.
    if item.min_absolute_change:
        changes["min_absolute_change"] = float(item.min_absolute_change)
    if item.min_relative_change is not None:
        changes["min_relative_change"] = float(item.min_relative_change)
    return changes


def _has_changes(item: Criterion) -> bool:
    return any(
        getattr(item, name) is not None
        for name in (
            "min_absolute_change",
            "min_relative_change",
            "max_absolute_drop",
            "max_relative_drop",
        )
    )


def _metric_of(item: Criterion) -> str:
    return item.metric_key + slice_suffix(item.slice)


def _is_odd(metric: str) -> bool:
    return not _METRIC_NAME.fullmatch(metric) or not metric.strip()


def _objection(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "This must be a number."
    if not math.isfinite(value):
        return "This must be a finite number, not NaN or infinity."
    if name == "min_absolute_change" and value <= 0:
        return "This must be more than 0."
    if name == "min_relative_change" and not 0 <= value <= 1:
        return "This must be between 0 and 1."
    return ""
