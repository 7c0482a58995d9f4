"""Decide whether what was measured meets a criterion; a missing number never passes.

What each source is compared by: `metric`, `dataset` and `monitoring` are numbers under the metric
key; `param` and `tag` are texts that must read as a number, or as true (1) or false (0);
`artifact` is the size in bytes of the file at that path, and an empty file is missing;
`attestation` is what somebody recorded as evidence under the criterion's own key: a number, or
true (1) or false (0).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from numbers import Real
from statistics import fmean
from typing import Any, Protocol

from projects.rules.criterion_facts import (
    ALL_SLICES,
    SAME_RUN,
    CriterionFacts,
    Numbers,
    Place,
    places,
)

#: Recorded with every result, so that a later reading knows which rules judged.
EVALUATOR = "criteria/2"

PASS, FAIL, MISSING, ERROR = "pass", "fail", "missing", "error"
STALE, MISMATCH, WAIVED = "stale", "mismatch", "waived"
STATES = frozenset({PASS, FAIL, MISSING, ERROR, STALE, MISMATCH, WAIVED})
#: A waiver is granted and ends outside these rules; only it and a pass count.
COUNTING = frozenset({PASS, WAIVED})

#: Prefixes by which metric names say on which data they were measured.
DATASET_ROLES = ("validation", "test", "backtest", "shadow", "production")
CHANGES = (
    "min_absolute_change",
    "min_relative_change",
    "max_absolute_drop",
    "max_relative_drop",
)
#: The largest difference by which two floats still count as equal at a limit.
_EPSILON = 1e-12


class Criterion(Protocol):
    """What is read of a criterion; model rows and `CriterionSpec` both fit."""

    @property
    def key(self) -> str: ...
    @property
    def metric_key(self) -> str: ...
    @property
    def greater_is_better(self) -> bool: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def min_absolute_change(self) -> float | None: ...
    @property
    def min_relative_change(self) -> float | None: ...
    @property
    def max_absolute_drop(self) -> float | None: ...
    @property
    def max_relative_drop(self) -> float | None: ...
    @property
    def baseline(self) -> str: ...
    @property
    def dataset_role(self) -> str: ...
    @property
    def dataset_ref(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def slice(self) -> str: ...
    @property
    def aggregate(self) -> str: ...
    @property
    def min_runs(self) -> int: ...
    @property
    def confidence_key(self) -> str: ...
    @property
    def test_use_limit(self) -> int | None: ...
    @property
    def is_blocking(self) -> bool: ...
    @property
    def by_date(self) -> date | str | None: ...
    @property
    def by_sprint(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class CriterionSpec:
    """A criterion as values, such as a row of a frozen scope."""

    key: str
    metric_key: str
    greater_is_better: bool
    threshold: float | None = None
    min_absolute_change: float | None = None
    min_relative_change: float | None = None
    max_absolute_drop: float | None = None
    max_relative_drop: float | None = None
    baseline: str = ""
    dataset_role: str = "test"
    dataset_ref: str = ""
    level: str = "must"
    source: str = "metric"
    slice: str = ""
    aggregate: str = "last"
    min_runs: int = 1
    confidence_key: str = ""
    test_use_limit: int | None = None
    is_blocking: bool = True
    by_date: date | str | None = None
    by_sprint: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One condition with the number it asks for; `value` must not fall on its wrong side."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """What one criterion says about one set of facts.

    `value` is the measured number and `compared` the one held against `limit`: the confidence
    bound where the criterion names one. `is_blocking` says whether not passing stops anything.
    """

    key: str
    metric_key: str
    state: str
    sentence: str
    value: float | None = None
    limit: float | None = None
    compared: float | None = None
    is_blocking: bool = True

    @property
    def is_pass(self) -> bool:
        return self.state == PASS


@dataclass(frozen=True, slots=True)
class CriteriaVerdict:
    """What all criteria of a gate say together."""

    results: tuple[CriterionResult, ...]

    @property
    def is_pass(self) -> bool:
        """Return whether all that blocks passes; judging nothing that blocks is no pass."""
        blocking = [result for result in self.results if result.is_blocking]
        return bool(blocking) and all(result.is_pass for result in blocking)

    @property
    def reasons(self) -> list[str]:
        """Return in sentences why the verdict is no pass."""
        if not any(result.is_blocking for result in self.results):
            return ["No criterion was evaluated, and judging nothing is no pass."]
        blocking = (result for result in self.results if result.is_blocking)
        return [result.sentence for result in blocking if not result.is_pass]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One number at one place, held against the strictest limit there."""

    place: Place
    value: float
    compared: float
    limit: Limit
    room: float


class _Undecidable(Exception):
    """A state other than pass, with its sentence."""

    def __init__(self, state: str, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state


def spec_of(row: Mapping[str, Any]) -> CriterionSpec:
    """Return the criterion held in a row of a scope's content; older rows lack later fields."""
    names = CriterionSpec.__dataclass_fields__
    return CriterionSpec(**{name: row[name] for name in names if name in row})


def evaluate(
    criterion: Criterion, metrics: Numbers, baselines: Mapping[str, Numbers], *, mismatch: str = ""
) -> CriterionResult:
    """Judge one criterion by the metrics of a single run and by the scope's baselines."""
    facts = CriterionFacts(metrics=metrics, baselines=baselines, mismatch=mismatch)
    return judge(criterion, facts)


def evaluate_all(
    criteria: Iterable[Criterion],
    metrics: Numbers,
    baselines: Mapping[str, Numbers],
    *,
    mismatch: str = "",
) -> CriteriaVerdict:
    """Judge every criterion by a single run; the verdict on an empty set is no pass."""
    facts = CriterionFacts(metrics=metrics, baselines=baselines, mismatch=mismatch)
    return judge_all(criteria, facts)


def judge_all(criteria: Iterable[Criterion], facts: CriterionFacts) -> CriteriaVerdict:
    """Judge every criterion; the verdict on an empty set is no pass."""
    return CriteriaVerdict(tuple(judge(item, facts) for item in criteria))


def judge(criterion: Criterion, facts: CriterionFacts) -> CriterionResult:
    """Judge one criterion by everything that is known.

    Metric names may start with the role of the data they were measured on (`validation_roc_auc`);
    one that contradicts the criterion's role is a mismatch. With a slice for all, the slice with
    the least room decides. A confidence bound is compared instead of the value, and never in its
    favour: a bound on the better side of the value changes nothing. More evaluations on the test
    data than the criterion allows is a fail, whatever the number says.
    """
    result = _judge(criterion, facts)
    return replace(result, is_blocking=blocks(criterion, facts))


def blocks(criterion: Criterion, facts: CriterionFacts) -> bool:
    """Return whether a criterion that does not pass stops anything now.

    A `should` never does; a `kill` does from its date or from the end of its sprint on, and where
    today or the number of sprints is unknown.
    """
    if criterion.level == "should" or not criterion.is_blocking:
        return False
    return criterion.level != "kill" or is_due(criterion, facts)


def is_due(criterion: Criterion, facts: CriterionFacts) -> bool:
    """Return whether the date or the sprint by which a criterion has to hold is reached."""
    if criterion.by_date is None and criterion.by_sprint is None:
        return True
    by_date = criterion.by_date and (facts.today is None or facts.today >= _day(criterion.by_date))
    by_sprint = criterion.by_sprint is not None and (
        facts.sprints_ended is None or facts.sprints_ended >= criterion.by_sprint
    )
    return bool(by_date) or by_sprint


def _judge(criterion: Criterion, facts: CriterionFacts) -> CriterionResult:
    try:
        _require_own_numbers(criterion, facts)
        worst = min(_readings(criterion, facts), key=lambda reading: reading.room)
    except _Undecidable as found:
        return CriterionResult(criterion.key, criterion.metric_key, found.state, str(found))
    met = worst.room >= -_EPSILON
    state, sentence = PASS if met else FAIL, _sentence(criterion, worst, met=met)
    if met and (objection := _too_many_tests(criterion, facts)):
        state, sentence = objection
    return CriterionResult(
        criterion.key,
        criterion.metric_key,
        state,
        sentence,
        value=worst.value,
        limit=worst.limit.value,
        compared=worst.compared,
    )


def _require_own_numbers(criterion: Criterion, facts: CriterionFacts) -> None:
    name = criterion.metric_key
    if facts.mismatch:
        raise _Undecidable(MISMATCH, f"{name} was not compared: {facts.mismatch}")
    prefix = name.split("_", 1)[0]
    if criterion.source == "metric" and prefix in DATASET_ROLES:
        _require_role(criterion, prefix)
    if criterion.dataset_ref and criterion.dataset_ref not in facts.dataset_refs:
        used = ", ".join(sorted(facts.dataset_refs)) or "no registered data"
        raise _Undecidable(
            MISMATCH,
            f"{name} has to be measured on {criterion.dataset_ref}; the run used {used}.",
        )
    if stale := facts.why_stale(criterion.source):
        raise _Undecidable(STALE, f"{name} is too old to count: {stale}")


def _require_role(criterion: Criterion, measured_on: str) -> None:
    if measured_on != criterion.dataset_role:
        raise _Undecidable(
            MISMATCH,
            f"{criterion.metric_key} is measured on {measured_on} data, but the criterion asks for "
            f"{criterion.dataset_role} data.",
        )


def _too_many_tests(criterion: Criterion, facts: CriterionFacts) -> tuple[str, str] | None:
    if criterion.test_use_limit is None:
        return None
    if facts.test_uses is None:
        return MISSING, "Nobody counted how often the test data was looked at."
    if facts.test_uses <= criterion.test_use_limit:
        return None
    return FAIL, (
        f"The test data was looked at {facts.test_uses} times, and {criterion.test_use_limit} "
        "are allowed: a result chosen among so many is no longer a test."
    )


def _readings(criterion: Criterion, facts: CriterionFacts) -> list[_Reading]:
    numbers = facts.numbers(criterion.source)
    name = criterion.key if criterion.source == "attestation" else criterion.metric_key
    found = places(name, criterion.confidence_key, criterion.slice, numbers)
    if not found:
        feature = criterion.slice.removeprefix(ALL_SLICES)
        raise _Undecidable(MISSING, f"The run has no slice of {name} by {feature}.")
    return [_read(criterion, facts, place) for place in found]


def _read(criterion: Criterion, facts: CriterionFacts, place: Place) -> _Reading:
    value = _measured_over_runs(criterion, facts, place.metric)
    compared = value
    sign = 1.0 if criterion.greater_is_better else -1.0
    if place.bound:
        bound = _measured_over_runs(criterion, facts, place.bound)
        compared = sign * min(sign * value, sign * bound)
    limits = _limits(criterion, facts, place.metric)
    strictest = max(limits, key=lambda limit: sign * limit.value)
    return _Reading(place, value, compared, strictest, sign * (compared - strictest.value))


def _measured_over_runs(criterion: Criterion, facts: CriterionFacts, name: str) -> float:
    """Return the number of the judged run, or what the runs with other seeds make of it.

    The judged run must have it; another run that lacks it does not count as one of the runs.
    """
    own = _number(facts.numbers(criterion.source), name, criterion.source)
    if criterion.source != "metric" or (criterion.aggregate == "last" and criterion.min_runs <= 1):
        return own
    runs = facts.seed_runs or (facts.metrics,)
    values = [_number(run, name, "metric") for run in runs if run.get(name) is not None]
    if len(values) < criterion.min_runs:
        raise _Undecidable(
            MISSING,
            f"{name} was measured with {len(values)} seeds, and {criterion.min_runs} are needed.",
        )
    return _aggregate(criterion, values, own)


def _aggregate(criterion: Criterion, values: Sequence[float], own: float) -> float:
    better, worse = (max, min) if criterion.greater_is_better else (min, max)
    if criterion.aggregate == "best":
        return better(*values, own)
    if criterion.aggregate == "min":
        return worse(*values, own)
    if criterion.aggregate == "mean":
        # Rounding must not carry a mean past the numbers it was made of.
        return min(max(fmean(values), min(values)), max(values))
    return own


def _number(numbers: Numbers, name: str, source: str, where: str = "") -> float:
    value, where = numbers.get(name), where or _WHERE.get(source, "The run")
    if value is None:
        raise _Undecidable(MISSING, f"{where} has no {_NOUNS.get(source, source)} {name}.")
    if source in {"param", "tag"} and isinstance(value, str):
        value = _read_text(value)
    if source == "attestation" and isinstance(value, bool):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _Undecidable(ERROR, f"{where} has {value!r} as {name}, which is not a number.")
    if not math.isfinite(value):
        raise _Undecidable(ERROR, f"{where} has {value} as {name}, which is not finite.")
    if source == "artifact" and value <= 0:
        raise _Undecidable(MISSING, f"{where} has an empty file at {name}.")
    return float(value)


def _read_text(text: str) -> object:
    word = text.strip().lower()
    if word in {"true", "false"}:
        return int(word == "true")
    try:
        return float(word)
    except ValueError:
        return text


def _limits(criterion: Criterion, facts: CriterionFacts, name: str) -> list[Limit]:
    limits = []
    if criterion.threshold is not None:
        limits.append(Limit("threshold", _finite(criterion.threshold, "threshold")))
    asked = [change for change in CHANGES if getattr(criterion, change) is not None]
    base = _baseline_value(criterion, facts, name) if asked else 0.0
    for change in asked:
        step = _finite(getattr(criterion, change), change)
        better = criterion.greater_is_better
        limits.append(Limit(change, limit_from(base, change, step, greater_is_better=better)))
    if not limits:
        raise _Undecidable(ERROR, f"The criterion {criterion.key} has no condition.")
    return limits


def limit_from(base: float, change: str, step: float, *, greater_is_better: bool) -> float:
    """Return the number that a gain or a tolerated drop from a baseline amounts to."""
    better = 1.0 if greater_is_better else -1.0
    direction = better if change.startswith("min_") else -better
    return base + direction * step * (abs(base) if "relative" in change else 1.0)


def _baseline_value(criterion: Criterion, facts: CriterionFacts, name: str) -> float:
    if criterion.baseline.startswith(SAME_RUN):
        whole = criterion.baseline.removeprefix(SAME_RUN).strip()
        return _measured_over_runs(criterion, facts, whole)
    numbers = facts.baseline(criterion.baseline)
    if numbers is None:
        named = criterion.baseline or "(none named)"
        raise _Undecidable(
            MISSING, f"{criterion.metric_key} is compared with a baseline, and {named} is missing."
        )
    return _number(numbers, name, "metric", f"The baseline {criterion.baseline}")


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise _Undecidable(ERROR, f"The criterion's {name} is {value}, which is not finite.")
    return float(value)


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


_WHERE = {
    "artifact": "The model",
    "dataset": "The data's profile",
    "monitoring": "The newest monitoring report",
    "attestation": "The record",
}
_NOUNS = {"param": "parameter", "artifact": "file", "dataset": "number", "monitoring": "number"}
_WHY = {
    "threshold": "its threshold",
    "min_absolute_change": "the gain over {baseline} that it needs",
    "min_relative_change": "the gain over {baseline} that it needs",
    "max_absolute_drop": "the most it may lose against {baseline}",
    "max_relative_drop": "the most it may lose against {baseline}",
}


def _sentence(criterion: Criterion, reading: _Reading, *, met: bool) -> str:
    limit = reading.limit
    bound = "at least" if criterion.greater_is_better else "at most"
    why = _WHY[limit.name].format(baseline=criterion.baseline)
    verdict = "meets" if met else "misses"
    what = f"{reading.place.label} is {reading.value:.6g}"
    if reading.compared != reading.value:
        what += f" with its bound at {reading.compared:.6g}"
    return f"{what} and {verdict} {bound} {limit.value:.6g}, {why}."
