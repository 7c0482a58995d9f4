"""Charts of an exploratory report."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.ml.tables import is_number
from projects.charts.pictures import (
    BLUE,
    CARD,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    RED,
    STYLE,
    WIDTH,
    Caption,
    Picture,
    canvas,
    finish,
)

MOST_BARS = 24
MOST_TICKS = 14
BINS = 24
SHOWN_CATEGORIES = 12
PALE = 0.5
CENTRED: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}


def rate_picture(rates: Sequence[dict[str, Any]]) -> Picture:
    """Draw the share of positives per period over bars of the number of rows."""
    places = np.arange(len(rates))
    with canvas() as (figure, axes):
        counts = axes.twinx()
        counts.bar(places, [row["rows"] for row in rates], color=PALE_BLUE, label="rows")
        counts.set_ylabel("Rows")
        counts.grid(visible=False)
        counts.spines["right"].set_visible(True)
        axes.set_zorder(counts.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.plot(places, [row["rate"] for row in rates], "o-", color=ORANGE, label="rate")
        step = max(1, -(-len(rates) // MOST_TICKS))
        axes.set_xticks(
            places[::step], [row["period"] for row in rates][::step], rotation=40, ha="right"
        )
        axes.set_ylim(0, None)
        axes.set_ylabel("Share of positives (line)")
        _title(axes, "Target rate over time")
        first, last = rates[0], rates[-1]
        text = (
            f"From {first['rate']:.1%} in {first['period']} to {last['rate']:.1%} in "
            f"{last['period']}; bars show the number of rows."
        )
        return finish(figure, Caption("Target rate over time", text), rates)


def missing_picture(missing: Sequence[dict[str, Any]]) -> Picture:
    """Draw the share of missing or unknown cells of each column that has any."""
    shown = [row for row in missing if row["share"] > 0][:MOST_BARS]
    with canvas(height=0.3 * max(len(shown), 1) + 1.2) as (figure, axes):
        bars = axes.barh(
            [row["column"] for row in shown], [row["share"] for row in shown], color=BLUE
        )
        axes.bar_label(bars, [f"{row['share']:.1%}" for row in shown], padding=3, fontsize=9)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        _title(axes, "Missing or unknown cells")
        worst = f", most in {shown[0]['column']} ({shown[0]['share']:.1%})" if shown else ""
        text = f"{len(shown)} of {len(missing)} columns have missing or unknown cells{worst}."
        return finish(figure, Caption("Missing or unknown cells", text), missing)


def leak_picture(leaks: Sequence[dict[str, Any]], limit: float) -> Picture:
    """Draw how well each column alone ranks the outcome, with the limit of suspicion."""
    shown = list(leaks)[:MOST_BARS]
    with canvas(height=0.27 * len(shown) + 1.2) as (figure, axes):
        colors = [_leak_color(row) for row in shown]
        values = [row["auc"] - PALE for row in shown]
        bars = axes.barh([row["column"] for row in shown], values, left=PALE, color=colors)
        axes.bar_label(bars, [f"{row['auc']:.2f}" for row in shown], padding=3, fontsize=9)
        axes.axvline(limit, color=INK, linestyle="--", linewidth=1.2, label=f"suspicious {limit}")
        if PALE_ORANGE in colors:
            axes.barh(0, 0, color=PALE_ORANGE, label="tells the date")
        axes.set_xlim(PALE, 1)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right")
        _title(axes, "Ranking power of each column alone (ROC AUC)")
        names = ", ".join(f"{row['column']} {row['auc']:.3f}" for row in shown if row["suspicious"])
        text = f"Suspicious as a leak: {names or 'none'}. 0.5 is chance, 1 is certainty."
        return finish(figure, Caption("Leak warning", text), leaks)


def correlation_picture(names: Sequence[str], matrix: np.ndarray) -> Picture:
    """Draw rank correlations as a heat map; `matrix` has shape (len(names), len(names))."""
    with canvas(height=0.38 * len(names) + 1.6) as (figure, axes):
        # Squares, not one bitmap: vectors stay the same bytes whatever compresses images.
        axes.pcolormesh(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
        axes.invert_yaxis()
        middles = [place + 1 / 2 for place in range(len(names))]
        axes.set_xticks(middles, names, rotation=40, ha="right")
        axes.set_yticks(middles, names)
        axes.grid(visible=False)
        for row, column in np.ndindex(matrix.shape):
            value = round(float(matrix[row, column]), 2) + 0.0  # no minus sign before zero
            ink = CARD if abs(value) > PALE else INK
            axes.text(middles[column], middles[row], f"{value:.2f}", color=ink, **CENTRED)
        _title(axes, "Rank correlation of the numbers")
        table = [
            {"column": name, **dict(zip(names, (round(float(v), 3) for v in line), strict=True))}
            for name, line in zip(names, matrix, strict=True)
        ]
        text = f"Strongest pair: {_strongest(names, matrix)}."
        return finish(figure, Caption("Rank correlation", text), table)


def distributions_picture(
    frame: pd.DataFrame, columns: Sequence[str], target: np.ndarray
) -> Picture:
    """Draw the distribution of columns, positives against negatives; `target` is 0/1."""
    table: list[dict[str, Any]] = []
    lines = -(-len(columns) // 3)
    with mpl.rc_context({**STYLE, "font.size": 8}):
        figure = Figure(figsize=(WIDTH, 2.1 * lines + 0.3), layout="constrained")
        for axes, name in zip(figure.subplots(lines, 3, squeeze=False).flat, columns, strict=False):
            labels, shares = _distribution(frame[name], target)
            places = np.arange(len(labels))
            for shift, color, share in ((-0.2, PALE_BLUE, shares[0]), (0.2, ORANGE, shares[1])):
                axes.bar(places + shift, share, width=0.4, color=color)
            axes.set_title(name, loc="left", fontsize=9, fontweight="bold")
            step = max(1, -(-len(labels) // 5))
            axes.set_xticks(places[::step], labels[::step], rotation=25, ha="right", fontsize=7)
            table += [
                {"column": name, "value": label, "negatives": round(a, 4), "positives": round(b, 4)}
                for label, a, b in zip(labels, *(share.tolist() for share in shares), strict=True)
            ]
        for spare in figure.axes[len(columns) :]:
            spare.set_visible(False)
        text = "Share of rows by value: pale blue where the target is negative, orange positive."
        return finish(figure, Caption("Distributions by outcome", text), table)


def _distribution(column: Any, target: np.ndarray) -> tuple[list[str], list[np.ndarray]]:
    """Return labels and, for negatives and positives, shares of shape (len(labels),)."""
    if is_number(column) and column.nunique() > SHOWN_CATEGORIES:
        values = column.to_numpy(dtype=np.float64)
        low, high = np.nanquantile(values, [0.0, 0.99])
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
        groups = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
        labels = [f"{edge:.3g}" for edge in edges[:-1]]
    else:
        texts = column.astype(str)
        kept = texts.value_counts().index[:SHOWN_CATEGORIES].tolist()
        if is_number(column):
            kept.sort(key=float)
        labels = [*kept, "other"] if texts.nunique() > len(kept) else kept
        ranks = {value: rank for rank, value in enumerate(kept)}
        groups = np.array([ranks.get(value, len(kept)) for value in texts.tolist()])
    counts = [np.bincount(groups[target == outcome], minlength=len(labels)) for outcome in (0, 1)]
    return labels, [count / max(count.sum(), 1) for count in counts]


def _leak_color(row: dict[str, Any]) -> str:
    if row["suspicious"]:
        return RED
    return PALE_ORANGE if row["tells_the_date"] else GREY


def _strongest(names: Sequence[str], matrix: np.ndarray) -> str:
    apart = np.abs(np.triu(matrix, k=1))
    row, column = divmod(int(apart.argmax()), len(names))
    return f"{names[row]} and {names[column]} with {matrix[row, column]:.2f}"


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold")
