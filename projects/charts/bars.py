"""Charts by sprint, by item and by gate."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

from projects.charts.parts import (
    MOST_BARS,
    Sheet,
    column,
    from_zero,
    height_of,
    label_names,
    sheet,
    wrapped,
)
from projects.charts.pictures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    RED,
    Picture,
)
from projects.rules.charts.base import Chart
from projects.rules.charts.gates import WHOLE

HATCHES = {"hatch.color": INK, "hatch.linewidth": 0.6}
VERDICTS = (
    ("supported", "#b9d9c4", ""),
    ("refuted", PALE_ORANGE, "///"),
    ("inconclusive", "#e3e6ea", "||"),
    ("abandoned", "#ffffff", "xx"),
    ("open", "#ffffff", ""),
)
LONG_NAME = 30
EDGE = {"edgecolor": INK, "linewidth": 0.7}
DECIDED: Mapping[str, Any] = {"label": "median, decided", "color": PALE_BLUE, **EDGE}
WAITING: Mapping[str, Any] = {"label": "waiting now", "color": PALE_ORANGE, "hatch": "///", **EDGE}


def best_metric(chart: Chart, *, narrow: bool) -> Picture:
    """Draw the best value of each sprint with target, baseline and kill line."""
    best = column(chart, "best")
    with sheet(narrow=narrow) as page:
        axes = page.axes
        axes.plot(range(len(best)), best, "o-", color=BLUE, linewidth=2, markersize=8, label="best")
        for place, value in enumerate(best):
            if value is not None:
                axes.annotate(
                    f"{value:.3g}",
                    (place, value),
                    (0, 9),
                    textcoords="offset points",
                    ha="center",
                    fontsize=9,
                )
        for name, color, style in (
            ("target", GREEN, "-"),
            ("baseline", GREY, "--"),
            ("kill", RED, ":"),
        ):
            limit = chart.marks[name]
            if limit is not None:
                label = f"{name} {limit:.4g}"
                axes.axhline(limit, color=color, linestyle=style, linewidth=1.8, label=label)
        axes.margins(y=0.2)
        label_names(page, column(chart, "sprint"), [_uses(row) for row in chart.table])
        return page.finish(chart, y=chart.marks["metric"])


def velocity(chart: Chart, *, narrow: bool) -> Picture:
    """Draw done work per sprint with the median and the range over all of them."""
    done, committed = column(chart, "done"), column(chart, "committed")
    marks = chart.marks
    with sheet(narrow=narrow) as page, mpl.rc_context(HATCHES):
        axes = page.axes
        places = range(len(done))
        axes.axhspan(marks["low"], marks["high"], color=PALE_BLUE, alpha=0.35, lw=0, label="range")
        axes.plot(places, committed, "_", color=ORANGE, markersize=26, mew=2.5, label="committed")
        bars = axes.bar(places, done, width=0.5, color=BLUE, label="done")
        axes.bar_label(bars, fmt="%g", label_type="center", fontsize=10, color="#ffffff")
        label = f"median {marks['median']:g}"
        axes.axhline(marks["median"], color=INK, linestyle="--", linewidth=1.6, label=label)
        label_names(page, column(chart, "sprint"))
        from_zero(axes, done, committed)
        return page.finish(chart, y=f"{marks['unit']}s")


def economics(chart: Chart, *, narrow: bool) -> Picture:
    """Draw compute hours per sprint, each with its number of runs."""
    hours = column(chart, "compute_hours")
    with sheet(narrow=narrow) as page:
        bars = page.axes.bar(range(len(hours)), hours, width=0.5, color=BLUE)
        labels = [f"{row['runs']} run{'s' * (row['runs'] != 1)}" for row in chart.table]
        page.axes.bar_label(bars, labels, padding=3, fontsize=9)
        label_names(page, column(chart, "sprint"))
        page.axes.set_ylim(0, max([*hours, 0.01]) * 1.15)
        return page.finish(chart, y="compute hours", legend=False)


def verdicts(chart: Chart, *, narrow: bool) -> Picture:
    """Draw the hypotheses of each sprint by what became of them."""
    names = column(chart, "sprint")
    with sheet(narrow=narrow, height=height_of(len(names))) as page, mpl.rc_context(HATCHES):
        left = [0] * len(names)
        for name, color, hatch in VERDICTS:
            values = column(chart, name)
            if not any(values):
                continue
            bars = page.axes.barh(
                range(len(names)), values, left=left, height=0.55, color=color,
                hatch=hatch, edgecolor=INK, linewidth=0.8, label=name,
            )  # fmt: skip
            words = [str(value) if value else "" for value in values]
            box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.2}
            page.axes.bar_label(bars, words, label_type="center", fontsize=9, bbox=box)
            left = [start + value for start, value in zip(left, values, strict=True)]
        _lying(page, names)
        page.axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        return page.finish(chart, columns=5)


def time_boxes(chart: Chart, *, narrow: bool) -> Picture:
    """Draw the share of its time box that each item used, the most overdrawn first."""
    rows = sorted(chart.table, key=lambda row: -row["used_share"])[:MOST_BARS]
    values = [100 * row["used_share"] for row in rows]
    with sheet(narrow=narrow, height=height_of(len(rows))) as page, mpl.rc_context(HATCHES):
        _one_sided(page, values, [f"{value:.0f} %" for value in values], limit=100)
        page.axes.axvline(100, color=INK, linestyle="--", linewidth=1.5, label="the whole box")
        _lying(page, [row["item"] for row in rows])
        page.axes.set_xlabel("percent of the time box")
        return page.finish(chart)


def wip_age(chart: Chart, *, narrow: bool) -> Picture:
    """Draw how long each item is in progress, against what finished items took."""
    rows = chart.table[:MOST_BARS]
    usual = chart.marks["usual"]
    values = [row["days"] for row in rows]
    with sheet(narrow=narrow, height=height_of(len(rows))) as page, mpl.rc_context(HATCHES):
        words = [f"{row['days']:g} d, {row['status']}" for row in rows]
        _one_sided(page, values, words, limit=usual)
        if usual is not None:
            label = f"85 % of finished items: {usual:g} d"
            page.axes.axvline(usual, color=INK, linestyle="--", linewidth=1.5, label=label)
        _lying(page, [row["item"] for row in rows])
        page.axes.set_xlabel("days")
        return page.finish(chart, columns=3)


def gate_lead_time(chart: Chart, *, narrow: bool) -> Picture:
    """Draw the median days of each gate and role, and how long open reviews have waited."""
    rows = chart.table[: 2 * MOST_BARS]
    names = [_gate_name(row) for row in rows]
    with sheet(narrow=narrow, height=height_of(len(rows))) as page, mpl.rc_context(HATCHES):
        for place, row in enumerate(rows):
            _gate_bars(page, place, row)
        for look in (DECIDED, WAITING):
            page.axes.barh([0], [0], **look)
        _lying(page, names)
        page.axes.set_xlabel("days since the request")
        return page.finish(chart)


def _gate_bars(page: Sheet, place: int, row: Any) -> None:
    """Draw what a gate took and how long it waits now; one bar alone takes the whole place."""
    both = [(row["median_days"], DECIDED), (row["waiting_days"], WAITING)]
    shown = [(days, look) for days, look in both if days is not None]
    for number, (days, look) in enumerate(shown):
        at = place + (number - (len(shown) - 1) / 2) * 0.36
        drawn = _without_label(look)
        if row["role"] == WHOLE and look is DECIDED:
            drawn["color"] = BLUE
        bars = page.axes.barh([at], [days], height=0.6 if len(shown) == 1 else 0.34, **drawn)
        page.axes.bar_label(bars, [f"{days:g} d"], padding=3, fontsize=9)


def _without_label(look: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in look.items() if name != "label"}


def _one_sided(
    page: Sheet, values: Sequence[float], words: Sequence[str], *, limit: float | None
) -> None:
    """Draw lying bars with their words; those beyond the limit are hatched."""
    for is_over, color, hatch, label in (
        (False, PALE_BLUE, "", "within"),
        (True, PALE_ORANGE, "///", "beyond"),
    ):
        places = [i for i, v in enumerate(values) if (limit is not None and v > limit) == is_over]
        if places:
            bars = page.axes.barh(
                places, [values[i] for i in places], height=0.6, color=color, hatch=hatch,
                edgecolor=INK, linewidth=0.8, label=label,
            )  # fmt: skip
            page.axes.bar_label(bars, [words[i] for i in places], padding=3, fontsize=9)


def _lying(page: Sheet, names: Sequence[str]) -> None:
    length = 16 if page.is_narrow else LONG_NAME
    page.axes.set_yticks(range(len(names)), [wrapped(name, length, 2) for name in names])
    page.axes.invert_yaxis()
    page.axes.margins(x=0.35 if page.is_narrow else 0.15)
    page.axes.grid(visible=False, axis="y")


def _gate_name(row: Any) -> str:
    return f"{row['gate']}: {row['role']}"


def _uses(row: Any) -> str:
    return f"{row['test_uses']} test use{'s' * (row['test_uses'] != 1)}"
