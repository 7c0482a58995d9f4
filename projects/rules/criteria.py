"""Decide whether a measured model meets a criterion; a missing number never passes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

Numbers = Mapping[str, object]

PASS, FAIL, MISSING, ERROR, MISMATCH = "pass", "fail", "missing", "error", "mismatch"
STATES = frozenset({PASS, FAIL, MISSING, ERROR, MISMATCH})

#: Prefixes by which metric names say on which data they were measured.
DATASET_ROLES = ("validation", "test", "backtest", "production")
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


@dataclass(frozen=True, slots=True)
class Limit:
    """One condition with the number it asks for; `value` must not fall on its wrong side."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """What one criterion says about one set of metrics."""

    key: str
    metric_key: str
    state: str
    sentence: str
    value: float | None = None
    limit: float | None = None

    @property
    def is_pass(self) -> bool:
        return self.state == PASS


@dataclass(frozen=True, slots=True)
class CriteriaVerdict:
    """What all criteria of a gate say together."""

    results: tuple[CriterionResult, ...]

    @property
    def is_pass(self) -> bool:
        """Return whether every criterion passes; judging none is no pass."""
        return bool(self.results) and all(result.is_pass for result in self.results)

    @property
    def reasons(self) -> list[str]:
        if not self.results:
            return ["No criterion was evaluated, and judging nothing is no pass."]
        return [result.sentence for result in self.results if not result.is_pass]


class _Undecidable(Exception):
    """A state other than pass or fail, with its sentence."""

    def __init__(self, state: str, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state


def spec_of(row: Mapping[str, Any]) -> CriterionSpec:
    """Return the criterion held in a row of a scope's content."""
    names = CriterionSpec.__dataclass_fields__
    return CriterionSpec(**{name: row[name] for name in names if name in row})


def evaluate(
    criterion: Criterion, metrics: Numbers, baselines: Mapping[str, Numbers], *, mismatch: str = ""
) -> CriterionResult:
    """Judge one criterion.

    `mismatch` says why the metrics do not belong to what is judged (another data set, another
    run); nothing passes then. Metric names may start with the role of the data they were measured
    on (`validation_roc_auc`); one that contradicts the criterion's role is a mismatch too.
    """
    try:
        _require_same_data(criterion, mismatch)
        value = _measured(metrics, criterion.metric_key, "The run")
        limits = _limits(criterion, baselines)
    except _Undecidable as found:
        return CriterionResult(criterion.key, criterion.metric_key, found.state, str(found))
    strictest = _strictest(limits, greater_is_better=criterion.greater_is_better)
    met = _meets(value, strictest.value, greater_is_better=criterion.greater_is_better)
    return CriterionResult(
        criterion.key,
        criterion.metric_key,
        PASS if met else FAIL,
        _sentence(criterion, value, strictest, met=met),
        value,
        strictest.value,
    )


def evaluate_all(
    criteria: Iterable[Criterion],
    metrics: Numbers,
    baselines: Mapping[str, Numbers],
    *,
    mismatch: str = "",
) -> CriteriaVerdict:
    """Judge every criterion; the verdict on an empty set is no pass."""
    return CriteriaVerdict(
        tuple(evaluate(item, metrics, baselines, mismatch=mismatch) for item in criteria)
    )


def metric_thresholds(
    criteria: Iterable[Criterion], baselines: Mapping[str, Numbers]
) -> dict[str, dict[str, float | bool]]:
    """Return the criteria as arguments of MLflow's `MetricThreshold`, by metric.

    MLflow knows gains but no tolerated losses, so a drop becomes the threshold it amounts to.
    """
    exported: dict[str, dict[str, float | bool]] = {}
    for item in criteria:
        entry = exported.setdefault(item.metric_key, {"greater_is_better": item.greater_is_better})
        drops = [
            limit
            for limit in _limits(item, baselines)
            if limit.name not in {"min_absolute_change", "min_relative_change"}
        ]
        if drops:
            strictest = _strictest(drops, greater_is_better=item.greater_is_better)
            entry["threshold"] = strictest.value
        for name in ("min_absolute_change", "min_relative_change"):
            if (change := getattr(item, name)) is not None:
                entry[name] = change
    return exported


def _require_same_data(criterion: Criterion, mismatch: str) -> None:
    if mismatch:
        raise _Undecidable(MISMATCH, f"{criterion.metric_key} was not compared: {mismatch}")
    prefix = criterion.metric_key.split("_", 1)[0]
    if prefix in DATASET_ROLES and prefix != criterion.dataset_role:
        raise _Undecidable(
            MISMATCH,
            f"{criterion.metric_key} is measured on {prefix} data, but the criterion asks for "
            f"{criterion.dataset_role} data.",
        )


def _measured(numbers: Numbers, name: str, where: str) -> float:
    if numbers.get(name) is None:
        raise _Undecidable(MISSING, f"{where} has no metric {name}.")
    value = numbers[name]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _Undecidable(ERROR, f"{where} has {value!r} as {name}, which is not a number.")
    if not math.isfinite(value):
        raise _Undecidable(ERROR, f"{where} has {value} as {name}, which is not finite.")
    return float(value)


def _limits(criterion: Criterion, baselines: Mapping[str, Numbers]) -> list[Limit]:
    limits = []
    if criterion.threshold is not None:
        limits.append(Limit("threshold", _finite(criterion.threshold, "threshold")))
    sign = 1.0 if criterion.greater_is_better else -1.0
    for name, direction in (
        ("min_absolute_change", sign),
        ("min_relative_change", sign),
        ("max_absolute_drop", -sign),
        ("max_relative_drop", -sign),
    ):
        change = getattr(criterion, name)
        if change is not None:
            base = _baseline_value(criterion, baselines)
            step = _finite(change, name) * (abs(base) if "relative" in name else 1.0)
            limits.append(Limit(name, base + direction * step))
    if not limits:
        raise _Undecidable(ERROR, f"The criterion {criterion.key} has no condition.")
    return limits


def _baseline_value(criterion: Criterion, baselines: Mapping[str, Numbers]) -> float:
    if criterion.baseline not in baselines:
        named = criterion.baseline or "(none named)"
        raise _Undecidable(
            MISSING, f"{criterion.metric_key} is compared with a baseline, and {named} is missing."
        )
    where = f"The baseline {criterion.baseline}"
    return _measured(baselines[criterion.baseline], criterion.metric_key, where)


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise _Undecidable(ERROR, f"The criterion's {name} is {value}, which is not finite.")
    return float(value)


def _strictest(limits: list[Limit], *, greater_is_better: bool) -> Limit:
    choose = max if greater_is_better else min
    return choose(limits, key=lambda limit: limit.value)


def _meets(value: float, limit: float, *, greater_is_better: bool) -> bool:
    room = value - limit if greater_is_better else limit - value
    return room >= -_EPSILON


_WHY = {
    "threshold": "its threshold",
    "min_absolute_change": "the gain over {baseline} that it needs",
    "min_relative_change": "the gain over {baseline} that it needs",
    "max_absolute_drop": "the most it may lose against {baseline}",
    "max_relative_drop": "the most it may lose against {baseline}",
}


def _sentence(criterion: Criterion, value: float, limit: Limit, *, met: bool) -> str:
    bound = "at least" if criterion.greater_is_better else "at most"
    why = _WHY[limit.name].format(baseline=criterion.baseline)
    verdict = "meets" if met else "misses"
    return f"{criterion.metric_key} is {value:.6g} and {verdict} {bound} {limit.value:.6g}, {why}."
