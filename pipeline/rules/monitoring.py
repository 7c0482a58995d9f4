"""Which limits a monitor's window breaks, as sentences that name the feature or the metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Protocol

LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error", "latency_p95_ms"})


class Drift(Protocol):
    """What the monitor measured about one feature; `pipeline.ml.drift.DriftResult` fits."""

    @property
    def feature(self) -> str: ...
    @property
    def psi(self) -> float: ...
    @property
    def missing_rate(self) -> float: ...
    @property
    def reference_missing_rate(self) -> float: ...


@dataclass(frozen=True)
class Limits:
    """What a window may show at most; metrics that are better when low have a highest value.

    `performance` maps a metric's name (without role: `roc_auc`, `calibration_error` ...) to the
    worst value still accepted.
    """

    psi: float = 0.2
    performance: Mapping[str, float] | None = None
    missing_increase: float = 0.1
    min_rows: int = 200


@dataclass(frozen=True)
class Breach:
    """One broken limit: `kind` is drift, missing or performance; `name` the feature or metric."""

    kind: str
    name: str
    value: float
    limit: float
    sentence: str


def is_enough(limits: Limits, rows: int) -> bool:
    """Tell whether a window holds enough rows to be judged at all."""
    return rows >= limits.min_rows


def breaches(
    limits: Limits, drift: Iterable[Drift], performance: Mapping[str, float]
) -> list[Breach]:
    """Return every broken limit: performance first, then drift, each worst first.

    A metric that has a limit but no value in `performance` is not a breach: labels arrive late.
    A metric that is not a number is one, since nothing is known about the model then.
    """
    found = _performance_breaches(limits, performance)
    found += sorted(_drift_breaches(limits, drift), key=lambda breach: -breach.value)
    return found


def is_worse(metric: str, value: float, limit: float) -> bool:
    """Tell whether a metric's value is beyond the limit on its bad side; not a number always is."""
    if isnan(value):
        return True
    return value > limit if metric in LOWER_IS_BETTER else value < limit


def _performance_breaches(limits: Limits, performance: Mapping[str, float]) -> list[Breach]:
    found = []
    for metric, limit in (limits.performance or {}).items():
        value = performance.get(metric)
        if value is not None and is_worse(metric, value, limit):
            bound = "at most" if metric in LOWER_IS_BETTER else "at least"
            sentence = (
                f"{metric} on late labels is {value:.3f}; the monitor asks for {bound} {limit:g}."
            )
            found.append(Breach("performance", metric, value, limit, sentence))
    return found


def _drift_breaches(limits: Limits, drift: Iterable[Drift]) -> list[Breach]:
    found = []
    for result in drift:
        if result.psi > limits.psi or isnan(result.psi):
            sentence = (
                f"{result.feature} has drifted: its population stability index is "
                f"{result.psi:.2f}, the limit is {limits.psi:g}."
            )
            found.append(Breach("drift", result.feature, result.psi, limits.psi, sentence))
        more = result.missing_rate - result.reference_missing_rate
        if more > limits.missing_increase:
            sentence = (
                f"{result.feature} is missing in {result.missing_rate:.1%} of the rows, "
                f"against {result.reference_missing_rate:.1%} in the training data."
            )
            found.append(Breach("missing", result.feature, more, limits.missing_increase, sentence))
    return found
