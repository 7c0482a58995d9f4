"""Judge scores against outcomes, with intervals, and a challenger against the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from pipeline.ml.metrics import METRICS, Metric
from pipeline.ml.problems import DataProblem
from pipeline.rules.monitoring import LOWER_IS_BETTER

RESAMPLES = 300
INTERVAL = (2.5, 97.5)
LATENCY_CALLS, LATENCY_ROUNDS = 40, 3
BOTH_CLASSES = 2
#: A slice needs this many rows, and this many of each outcome, for an interval that says something.
SLICE_ROWS, SLICE_OUTCOMES = 40, 5
#: Columns with more values make no slices, and more slices than this nobody reads.
SLICE_VALUES, MOST_SLICES = 12, 24


@dataclass(frozen=True)
class Comparison:
    """One metric of champion and challenger on the same rows.

    `difference` is challenger minus champion; `low` and `high` bound it with 95 % confidence, by
    paired bootstrap, and each model's own value has its bounds from the same draws. `winner` is
    `challenger` or `champion` if the interval leaves out zero, else `neither`.
    """

    metric: str
    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    winner: str
    champion_low: float
    champion_high: float
    challenger_low: float
    challenger_high: float

    def as_row(self) -> dict[str, Any]:
        """Return the fields by name, for JSON and tables."""
        return asdict(self)


@dataclass(frozen=True)
class SliceComparison:
    """The area under the ROC curve of champion and challenger on one slice of the rows.

    `difference`, `low`, `high` and `winner` mean the same as in `Comparison`.
    """

    slice: str
    rows: int
    positives: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    winner: str

    def as_row(self) -> dict[str, Any]:
        """Return the fields by name, for JSON and tables."""
        return asdict(self)


def checked(target: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return target as int64 and scores as float64, both of shape (rows,), fit to be measured.

    Raises:
        DataProblem: `scores_not_finite`, `scores_not_probabilities`, `lengths_differ`, `one_class`.
    """
    target, scores = np.asarray(target, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    if target.shape != scores.shape or target.ndim != 1:
        raise DataProblem(
            "lengths_differ", f"There are {target.size} outcomes but {scores.size} scores."
        )
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        raise DataProblem(
            "scores_not_finite",
            f"{bad} of {len(scores)} scores are not numbers (NaN or infinite); "
            "the model cannot be judged on them.",
            details={"count": bad},
        )
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        raise DataProblem("scores_not_probabilities", "Scores must lie between 0 and 1.")
    if len(np.unique(target)) != BOTH_CLASSES:
        raise DataProblem(
            "one_class",
            f"The {len(target)} rows hold only one outcome; a ranking cannot be judged on them.",
        )
    return target, scores


def evaluate(
    role: str, target: np.ndarray, scores: np.ndarray, *, seed: int = 7
) -> dict[str, float]:
    """Return every metric as `<role>_<metric>`, with `<role>_roc_auc_low` and `_high`.

    `target` is 0/1 and `scores` the probability of 1, both of shape (rows,). The interval holds
    95 % of a bootstrap over rows.
    """
    target, scores = checked(target, scores)
    measured = {f"{role}_{name}": metric(target, scores) for name, metric in METRICS.items()}
    draws = _resample(METRICS["roc_auc"], target, [scores], seed)[:, 0]
    low, high = np.percentile(draws, INTERVAL)
    return {
        **measured,
        f"{role}_roc_auc_low": float(low),
        f"{role}_roc_auc_high": float(high),
        f"{role}_rows": float(len(target)),
        f"{role}_positive_rate": float(target.mean()),
    }


def compare(
    target: np.ndarray, champion: np.ndarray, challenger: np.ndarray, *, seed: int = 7
) -> list[Comparison]:
    """Compare two models' scores on the same rows, metric by metric; arrays of shape (rows,)."""
    target, old = checked(target, champion)
    new = checked(target, challenger)[1]
    return [_compare(name, target, (old, new), seed) for name in METRICS]


def compare_slices(
    target: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    slices: Mapping[str, np.ndarray],
    *,
    seed: int = 7,
) -> list[SliceComparison]:
    """Compare two models on each slice, where the challenger loses most first.

    `slices` holds boolean arrays of shape (rows,) by name. A slice that is too small, or holds too
    few of either outcome to rank them, is left out.
    """
    target, old = checked(target, champion)
    new = checked(target, challenger)[1]
    found = [
        _compare_slice(name, target[rows], (old[rows], new[rows]), seed)
        for name, rows in slices.items()
        if rows.sum() >= SLICE_ROWS
        and SLICE_OUTCOMES <= target[rows].sum() <= rows.sum() - SLICE_OUTCOMES
    ]
    return sorted(found, key=lambda one: (one.difference, one.slice))


def slices_of(inputs: pd.DataFrame, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Return one slice for each value of those columns that have few: masks by `column=value`.

    The largest slices are kept where there are many.
    """
    found = {}
    for column in columns:
        values = inputs[column].astype("string").fillna("missing")
        counts = values.value_counts()
        if not 1 < len(counts) <= SLICE_VALUES:
            continue
        for value in sorted(counts.index):
            found[f"{column}={value}"] = (values == value).to_numpy(dtype=bool)
    largest = sorted(found, key=lambda name: (-int(found[name].sum()), name))[:MOST_SLICES]
    return {name: mask for name, mask in found.items() if name in largest}


def is_better(comparisons: list[Comparison]) -> bool:
    """Tell whether the challenger wins at least one metric and loses none."""
    winners = {comparison.winner for comparison in comparisons}
    return "challenger" in winners and "champion" not in winners


def latency_p95_ms(estimator: Any, inputs: pd.DataFrame) -> float:
    """Return the 95th percentile, in milliseconds, of predictions on one row at a time.

    The best of three rounds is taken, so that other work on the machine counts less.
    """
    estimator.predict_proba(inputs.iloc[:1])  # the first call pays for caches
    rounds = [_round_p95(estimator, inputs) for _ in range(LATENCY_ROUNDS)]
    return min(rounds)


def _round_p95(estimator: Any, inputs: pd.DataFrame) -> float:
    spent = []
    for call in range(LATENCY_CALLS):
        row = inputs.iloc[[call % len(inputs)]]
        started = perf_counter()
        estimator.predict_proba(row)
        spent.append((perf_counter() - started) * 1000)
    return float(np.percentile(spent, 95))


def positive_scores(estimator: Any, inputs: pd.DataFrame) -> np.ndarray:
    """Return the probability of class 1, float64 of shape (rows,)."""
    column = list(estimator.classes_).index(1)
    return np.asarray(estimator.predict_proba(inputs)[:, column], dtype=np.float64)


def _compare(
    name: str, target: np.ndarray, scores: tuple[np.ndarray, np.ndarray], seed: int
) -> Comparison:
    metric = METRICS[name]
    old, new = (metric(target, one) for one in scores)
    draws = _resample(metric, target, list(scores), seed)
    low, high = _bounds(draws[:, 1] - draws[:, 0])
    own = (*_bounds(draws[:, 0]), *_bounds(draws[:, 1]))
    return Comparison(name, old, new, new - old, low, high, _winner(name, low, high), *own)


def _compare_slice(
    name: str, target: np.ndarray, scores: tuple[np.ndarray, np.ndarray], seed: int
) -> SliceComparison:
    one = _compare("roc_auc", target, scores, seed)
    return SliceComparison(
        slice=name,
        rows=len(target),
        positives=int(target.sum()),
        champion=one.champion,
        challenger=one.challenger,
        difference=one.difference,
        low=one.low,
        high=one.high,
        winner=one.winner,
    )


def _bounds(draws: np.ndarray) -> tuple[float, float]:
    low, high = (float(edge) for edge in np.percentile(draws, INTERVAL))
    return low, high


def _winner(metric: str, low: float, high: float) -> str:
    if low <= 0 <= high:
        return "neither"
    challenger_wins = (high < 0) if metric in LOWER_IS_BETTER else (low > 0)
    return "challenger" if challenger_wins else "champion"


def _resample(
    metric: Metric, target: np.ndarray, scores: list[np.ndarray], seed: int
) -> np.ndarray:
    """Return the metric of each score on the same resampled rows: (RESAMPLES, len(scores)).

    Positives and negatives are drawn apart, so that no draw lacks one of them.
    """
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(target == outcome) for outcome in (0, 1)]
    draws = np.empty((RESAMPLES, len(scores)))
    for number in range(RESAMPLES):
        rows = np.concatenate([random.choice(group, len(group)) for group in groups])
        draws[number] = [metric(target[rows], one[rows]) for one in scores]
    return draws
