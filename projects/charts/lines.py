"""Charts over days: burning, learning and flow."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import matplotlib as mpl

from projects.charts.parts import Sheet, column, from_zero, label_days, sheet
from projects.charts.pictures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LINES,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    RED,
    Picture,
)
from projects.rules.charts.base import Chart
from projects.rules.working_days import days_between

BANDS = (
    ("done", "done", PALE_BLUE, ""),
    ("review", "in review", PALE_ORANGE, "///"),
    ("doing", "being done", "#b9d9c4", "||"),
    ("todo", "to do", "#e3e6ea", "\\\\\\"),
    ("backlog", "backlog", "#ffffff", "--"),
)
QUESTIONS = (
    ("hypotheses", "hypotheses", PALE_BLUE, ""),
    ("spikes", "spikes", PALE_ORANGE, "///"),
    ("assumptions", "unverified assumptions", "#e3e6ea", "||"),
)

PERCENTILES = (("p50", GREEN, "-"), ("p85", ORANGE, "--"), ("p95", RED, ":"))


def burn_down(chart: Chart, *, narrow: bool) -> Picture:
    """Draw what remains beside the even line, with marks where scope came in or went out."""
    remaining, even = column(chart, "remaining"), column(chart, "even_line")
    days = column(chart, "day")
    with sheet(narrow=narrow) as page:
        axes = page.axes
        _shade_days_off(page, days, chart.marks["days_off"])
        places = range(len(days))
        axes.plot(places, even, color=GREY, linestyle="--", linewidth=1.4, label="even pace")
        scope = column(chart, "scope")
        axes.plot(places, scope, color=INK, linestyle=":", linewidth=1.4, label="scope")
        axes.plot(places, remaining, "o-", color=BLUE, linewidth=2, markersize=5, label="remaining")
        for name, marker, color, sign in (
            ("added", "^", ORANGE, "+"),
            ("removed", "v", RED, "\N{MINUS SIGN}"),
        ):
            _mark_scope(page, chart, (name, marker, color, sign))
        label_days(page, days)
        from_zero(axes, remaining, scope)
        return page.finish(chart, y=f"{chart.marks['unit']}s", columns=6)


def burn_up(chart: Chart, *, narrow: bool) -> Picture:
    """Draw done work and scope as two lines."""
    done, scope, days = (column(chart, name) for name in ("done", "scope", "day"))
    with sheet(narrow=narrow) as page:
        places = range(len(days))
        page.axes.step(
            places, scope, where="post", color=ORANGE, linestyle="--", linewidth=2, label="scope"
        )
        page.axes.plot(places, done, "o-", color=BLUE, linewidth=2, markersize=5, label="done")
        label_days(page, days)
        from_zero(page.axes, done, scope)
        return page.finish(chart, y=f"{chart.marks['unit']}s")


def criteria(chart: Chart, *, narrow: bool) -> Picture:
    """Draw how many criteria pass against how many there are."""
    passing, total, days = (column(chart, name) for name in ("passing", "total", "day"))
    with sheet(narrow=narrow) as page:
        places = range(len(days))
        page.axes.step(
            places, total, where="mid", color=ORANGE, linestyle="--", linewidth=2, label="all"
        )
        page.axes.step(places, passing, where="mid", color=BLUE, linewidth=2, label="passing")
        page.axes.fill_between(places, passing, step="mid", color=PALE_BLUE, alpha=0.5)
        turns = [i for i, value in enumerate(passing) if i and value != passing[i - 1]]
        page.axes.plot(turns, [passing[i] for i in turns], "o", color=BLUE, label="change")
        label_days(page, days)
        from_zero(page.axes, passing, total)
        return page.finish(chart, y="criteria")


def uncertainty(chart: Chart, *, narrow: bool) -> Picture:
    """Draw open hypotheses, spikes and assumptions on top of each other."""
    return _stacked(chart, QUESTIONS, narrow=narrow, y="open")


def flow(chart: Chart, *, narrow: bool) -> Picture:
    """Draw the columns of all boards on top of each other."""
    return _stacked(chart, BANDS, narrow=narrow, y="items")


def _stacked(
    chart: Chart, bands: Sequence[tuple[str, str, str, str]], *, narrow: bool, y: str
) -> Picture:
    days = column(chart, "day")
    with (
        sheet(narrow=narrow) as page,
        mpl.rc_context({"hatch.color": GREY, "hatch.linewidth": 0.6}),
    ):
        values = [column(chart, name) for name, *_ in bands]
        page.axes.stackplot(
            range(len(days)),
            values,
            labels=[label for _, label, _, _ in bands],
            colors=[color for *_, color, _ in bands],
            hatch=[hatch for *_, hatch in bands],
            edgecolor=INK,
            linewidth=0.8,
        )
        label_days(page, days)
        page.axes.set_xlim(0, max(len(days) - 1, 1))
        from_zero(page.axes, [sum(each) for each in zip(*values, strict=True)])
        return page.finish(chart, y=y, columns=5)


def _shade_days_off(page: Sheet, days: Sequence[str], off: Sequence[str]) -> None:
    label: str | None = "days off"
    for place, day in enumerate(days):
        if day in off:
            page.axes.axvspan(place - 0.5, place + 0.5, color=LINES, alpha=0.4, lw=0, label=label)
            label = None


def _mark_scope(page: Sheet, chart: Chart, look: tuple[str, str, str, str]) -> None:
    """Mark the days on which scope changed, with how much."""
    name, marker, color, sign = look
    rows: list[tuple[int, Any]] = [
        (place, row) for place, row in enumerate(chart.table) if row.get(name)
    ]
    if not rows:
        return
    # Side by side where scope came in and went out on one day.
    shift = -0.16 if name == "added" else 0.16
    places, heights = [place + shift for place, _ in rows], [row["scope"] for _, row in rows]
    page.axes.plot(places, heights, marker, color=color, markersize=8, linestyle="none", label=name)
    for place, (_, row) in zip(places, rows, strict=True):
        page.axes.annotate(
            f"{sign}{row[name]:g}",
            (place + shift, row["scope"]),
            (0, 8 if sign == "+" else -16),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=color,
        )


# --- Points by day --------------------------------------------------------------------------------


def cycle_time(chart: Chart, *, narrow: bool) -> Picture:
    """Draw every finished item by its end and length, with the percentiles as lines."""
    ends = [date.fromisoformat(day) for day in column(chart, "finished")]
    taken = column(chart, "days")
    days = [day.isoformat() for day in days_between(min(ends), max(ends))]
    with sheet(narrow=narrow) as page:
        places = [(day - min(ends)).days for day in ends]
        page.axes.plot(places, taken, "o", color=BLUE, markersize=7, label="finished item")
        for name, color, style in PERCENTILES:
            value = chart.marks[name]
            label = f"{name[1:]} % within {value:g} d"
            page.axes.axhline(value, color=color, linestyle=style, linewidth=1.6, label=label)
        label_days(page, days)
        from_zero(page.axes, taken)
        return page.finish(chart, y="days")
