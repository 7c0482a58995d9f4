"""What the drawings of sprints and projects share: sizes, axes of days, legends, wrapped names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from textwrap import shorten, wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from projects.charts.pictures import HEIGHT, NARROW, WIDTH, Caption, Picture, canvas, finish
from projects.rules.charts.base import Chart

WIDE_TICKS, NARROW_TICKS = 9, 4
NAME_LENGTH = 16
LETTERS, LETTERS_NARROW = 84, 44  # that fit side by side under the drawing
FEWEST = 3
SHORTEST = 7  # letters below which a name is turned
MOST_BARS = 15
BAR = 0.34  # inches of height for one bar


@dataclass(frozen=True, slots=True)
class Sheet:
    """The axes that a chart is drawn on."""

    figure: Figure
    axes: Axes
    is_narrow: bool

    @property
    def most_ticks(self) -> int:
        return NARROW_TICKS if self.is_narrow else WIDE_TICKS

    def finish(
        self, chart: Chart, *, y: str = "", columns: int = 4, legend: bool = True
    ) -> Picture:
        """Put the legend below the drawing, where it hides nothing, and return the picture.

        The title stands above the picture on its page, and inside it for screen readers.
        """
        self.axes.set_ylabel(y)
        if legend:
            columns = 2 if self.is_narrow else columns
            self.figure.legend(loc="outside lower center", ncols=columns, frameon=False)
        return finish(self.figure, Caption(chart.title, chart.description), chart.table)


@contextmanager
def sheet(*, narrow: bool, height: float = HEIGHT) -> Iterator[Sheet]:
    """Give a sheet for a page or, narrow, for a phone, with letters of the same size."""
    with canvas(height=height, width=NARROW if narrow else WIDTH) as (figure, axes):
        yield Sheet(figure, axes, narrow)


def column(chart: Chart, name: str) -> list[Any]:
    """Return one column of the chart's table."""
    return [row.get(name) for row in chart.table]


def label_days(page: Sheet, days: Sequence[str]) -> None:
    """Label some of the places 0, 1, … with their days, so that no two labels touch."""
    step = -(-len(days) // page.most_ticks)
    # From the last one backwards: the newest day is the one that is asked for.
    places = list(range(len(days)))[::-1][::step][::-1]
    page.axes.set_xticks(places, [short_day(days[place]) for place in places])
    page.axes.set_xlim(-0.5, len(days) - 0.5)


def short_day(day: str) -> str:
    """Write an ISO day as 2 Nov; another word stays as it is."""
    try:
        when = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{when.day} {when:%b}"


def from_zero(axes: Axes, *values: Sequence[float | None]) -> None:
    """Begin the upright axis at nothing, with whole numbers where all values are whole."""
    known = [value for row in values for value in row if value is not None]
    axes.set_ylim(0, max([*known, 1]) * 1.12)
    if all(float(value).is_integer() for value in known):
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def label_names(page: Sheet, names: Sequence[str], notes: Sequence[str] = ()) -> None:
    """Label the places 0, 1, … with names, wrapped or turned so that they stay apart."""
    room = (LETTERS_NARROW if page.is_narrow else LETTERS) // max(len(names), 1)
    is_turned = room < SHORTEST
    lines = [wrapped(name, NAME_LENGTH if is_turned else min(room, NAME_LENGTH)) for name in names]
    for place, note in enumerate(notes):
        lines[place] += "\n" + wrapped(note, NAME_LENGTH if is_turned else max(room, SHORTEST))
    page.axes.set_xticks(range(len(names)), lines, fontsize=9)
    spare = max(FEWEST - len(names), 0) / 2  # few bars stay slim
    page.axes.set_xlim(-0.6 - spare, len(names) - 0.4 + spare)
    if is_turned:
        page.axes.tick_params(axis="x", labelrotation=60)


def wrapped(name: str, length: int = NAME_LENGTH, lines: int = 3) -> str:
    """Break a name into short lines, cut after the last of them."""
    return "\n".join(wrap(shorten(name, length * lines, placeholder="…"), length)[:lines])


def height_of(bars: int) -> float:
    """Return the height of a picture with this many lying bars."""
    return BAR * max(bars, 1) + 1.5
