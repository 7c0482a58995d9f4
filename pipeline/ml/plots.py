"""Charts of what a model is worth and what its monitor sees, each with its numbers as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pipeline.ml.evaluation import Comparison, checked
from pipeline.ml.metrics import BINS, roc_auc
from pipeline.rules.monitoring import LOWER_IS_BETTER, Drift, is_worse
from projects.charts.pictures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    RED,
    SERIES,
    Caption,
    Picture,
    canvas,
    finish,
)

CURVE_POINTS = 21
MOST_BARS = 20
DRIFT_TICKS = (1, 3, 10, 30)
NAMES: Mapping[str, str] = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "lift_top_decile": "Lift, top tenth",
}


def metric_name(metric: str) -> str:
    """Return a metric's name in words."""
    return NAMES.get(metric, metric.replace("_", " "))


def roc_curve_picture(target: np.ndarray, scores: Mapping[str, np.ndarray]) -> Picture:
    """Draw ROC curves of named scores on the same rows; arrays are of shape (rows,).

    The table gives the share of positives found at every 5 % of false alarms.
    """
    points = np.linspace(0, 1, CURVE_POINTS)
    table = [{"false_positive_rate": round(float(x), 2)} for x in points]
    areas = []
    with canvas() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance")
        for color, (name, values) in zip(SERIES, scores.items(), strict=False):
            outcome, score = checked(target, values)
            x, y = _roc(outcome, score)
            areas.append(f"{name} {roc_auc(outcome, score):.3f}")
            axes.plot(x, y, color=color, linewidth=1.8, label=areas[-1])
            for row, value in zip(table, np.interp(points, x, y), strict=True):
                row[name] = round(float(value), 4)
        _label(axes, "False alarms, share of negatives", "Found, share of positives", "ROC curve")
        axes.legend(loc="lower right")
        text = f"Area under the curve: {'; '.join(areas)}, on {len(target):,} rows."
        return finish(figure, Caption("ROC curve", text), table)


def calibration_picture(target: np.ndarray, scores: Mapping[str, np.ndarray]) -> Picture:
    """Draw promised against observed share in ten groups of equal size, per named scores."""
    table: list[dict[str, Any]] = []
    with canvas() as (figure, axes):
        axes.axline((0, 0), slope=1, color=GREY, linewidth=1, linestyle=":", label="as promised")
        for color, (name, values) in zip(SERIES, scores.items(), strict=False):
            rows = _calibration_rows(name, *checked(target, values))
            promised, observed = ([row[key] for row in rows] for key in ("promised", "observed"))
            axes.plot(promised, observed, "o-", color=color, linewidth=1.5, label=name)
            table += rows
        top = max(max(row["promised"], row["observed"]) for row in table) * 1.08
        axes.set(xlim=(0, top), ylim=(0, top))
        _label(axes, "Promised probability", "Observed share", "Calibration")
        axes.legend(loc="upper left")
        text = (
            "Points on the dotted line keep their promise; above it the model promises too little."
        )
        return finish(figure, Caption("Calibration", text), table)


def lift_picture(target: np.ndarray, scores: Mapping[str, np.ndarray]) -> Picture:
    """Draw how many positives the best-scored share of rows finds, per named scores."""
    shares = np.arange(1, BINS + 1) / BINS
    table = [{"share_called": float(share)} for share in shares]
    with canvas() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="in any order")
        for color, (name, values) in zip(SERIES, scores.items(), strict=False):
            outcome, score = checked(target, values)
            hits = np.cumsum(outcome[np.argsort(-score, kind="stable")]) / outcome.sum()
            found = hits[np.ceil(shares * len(hits)).astype(int) - 1]
            axes.plot([0, *shares], [0, *found], "o-", color=color, linewidth=1.5, label=name)
            for row, value in zip(table, found, strict=True):
                row[name] = round(float(value), 4)
        _label(axes, "Share of rows, best scores first", "Share of positives found", "Gain")
        axes.legend(loc="lower right")
        text = "The steeper the curve starts, the more positives the first calls reach."
        return finish(figure, Caption("Gain by share of rows called", text), table)


def comparison_picture(comparisons: Sequence[Comparison]) -> Picture:
    """Draw champion and challenger side by side, one pair of bars per metric."""
    places = np.arange(len(comparisons))
    with canvas(height=0.62 * len(comparisons) + 1.4) as (figure, axes):
        for shift, color, name in ((-0.19, PALE_BLUE, "champion"), (0.19, BLUE, "challenger")):
            values = [getattr(comparison, name) for comparison in comparisons]
            bars = axes.barh(places + shift, values, height=0.34, color=color, label=name)
            axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
        axes.set_yticks(places, [_directed(comparison.metric) for comparison in comparisons])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        _label(axes, "", "", "Champion and challenger on the same rows")
        axes.legend(loc="best")
        won = [metric_name(one.metric) for one in comparisons if one.winner == "challenger"]
        lost = [metric_name(one.metric) for one in comparisons if one.winner == "champion"]
        text = (
            f"Beyond chance, the challenger is better in: {', '.join(won) or 'nothing'}; "
            f"worse in: {', '.join(lost) or 'nothing'}."
        )
        table = [comparison.as_row() for comparison in comparisons]
        return finish(figure, Caption("Champion and challenger", text), table)


def drift_picture(results: Sequence[Drift], limit: float) -> Picture:
    """Draw the stability index of each feature, worst first, against the limit."""
    shown = sorted(results, key=lambda result: -result.psi)[:MOST_BARS]
    table = [
        {
            "feature": result.feature,
            "psi": round(result.psi, 4),
            "limit": limit,
            "breached": result.psi > limit,
        }
        for result in sorted(results, key=lambda result: -result.psi)
    ]
    with canvas(height=0.27 * len(shown) + 1.3) as (figure, axes):
        values = [result.psi for result in shown]
        colors = [RED if value > limit else GREY for value in values]
        bars = axes.barh([result.feature for result in shown], values, height=0.62, color=colors)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=9)
        axes.axvline(limit, color=INK, linewidth=1.2, linestyle="--", label=f"limit {limit:g}")
        axes.set_xscale("symlog", linthresh=max(limit, 0.01), linscale=0.6)
        top = max([*values, limit]) * 2.2
        axes.set_xlim(0, top)
        ticks = [tick for tick in (0, limit, *DRIFT_TICKS) if tick == 0 or limit <= tick <= top]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.minorticks_off()
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        _label(axes, "Population stability index", "", "Drift by feature")
        axes.legend(loc="lower right")
        over = [result.feature for result in shown if result.psi > limit]
        text = f"{len(over)} of {len(results)} features are beyond {limit:g}: {', '.join(over)}."
        return finish(figure, Caption("Drift by feature", text), table)


def performance_picture(
    metric: str, values: Mapping[str, float | None], limit: float | None = None
) -> Picture:
    """Draw a metric over named windows, with its limit; a window without labels has None."""
    known = {window: value for window, value in values.items() if value is not None}
    table = [
        {
            "window": window,
            metric: value,
            "limit": limit,
            "breached": _breached(metric, value, limit),
        }
        for window, value in values.items()
    ]
    with canvas() as (figure, axes):
        axes.set_xticks(range(len(values)), list(values), rotation=30, ha="right")
        places = [place for place, window in enumerate(values) if window in known]
        axes.plot(places, list(known.values()), "o-", color=BLUE, linewidth=1.6, label="observed")
        seen = list(values.values())
        bad = [place for place, row in enumerate(table) if row["breached"]]
        axes.plot(bad, [seen[place] or 0.0 for place in bad], "o", color=RED, label="breach")
        if limit is not None:
            axes.axhline(limit, color=ORANGE, linewidth=1.2, linestyle="--", label="limit")
        axes.set_xlim(-0.5, len(values) - 0.5)
        axes.margins(y=0.15)
        _label(axes, "", metric_name(metric), f"{metric_name(metric)} over time")
        axes.legend(loc="best")
        text = f"{len(bad)} of {len(known)} windows with labels are beyond the limit."
        return finish(figure, Caption(f"{metric_name(metric)} over time", text), table)


def _label(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, loc="left", fontweight="bold")


def _directed(metric: str) -> str:
    return (
        f"{metric_name(metric)}\n({'lower' if metric in LOWER_IS_BETTER else 'higher'} is better)"
    )


def _breached(metric: str, value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and is_worse(metric, value, limit)


def _roc(target: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates at each distinct score, with (0, 0) first."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true = np.cumsum(target[order])[last_of_tie] / target.sum()
    false = np.cumsum(1 - target[order])[last_of_tie] / (len(target) - target.sum())
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def _calibration_rows(name: str, target: np.ndarray, scores: np.ndarray) -> list[dict[str, Any]]:
    groups = np.array_split(np.argsort(scores, kind="stable"), min(BINS, len(scores)))
    return [
        {
            "model": name,
            "group": number,
            "rows": len(rows),
            "promised": round(float(scores[rows].mean()), 4),
            "observed": round(float(target[rows].mean()), 4),
        }
        for number, rows in enumerate(groups, 1)
    ]
