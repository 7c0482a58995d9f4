"""What every chart is before it is drawn, and the sums that several of them share."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Protocol

from projects.rules.working_days import days_between

Row = Mapping[str, Any]
#: A line with more points than this is thinned to every so many days.
MOST_DAYS = 120


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as numbers and words.

    `table` holds what the picture shows, one JSON-ready row per point, and `marks` what drawing
    needs besides, such as a target line. Without rows there is nothing to draw, and `advice` says
    what to do to get the chart.
    """

    name: str
    title: str
    description: str = ""
    table: Sequence[Row] = ()
    marks: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""

    @property
    def columns(self) -> list[str]:
        """Return the names of the table's columns, in the order in which they first occur."""
        return list({name: None for row in self.table for name in row})

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything that the picture depends on."""
        parts = [self.name, self.title, self.description, list(self.table), dict(self.marks)]
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Run(Protocol):
    """What the charts read of a training run; `projects.facts.RunFact` fits."""

    @property
    def run_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def work_item(self) -> int | None: ...
    @property
    def sprint(self) -> int | None: ...
    @property
    def is_eligible(self) -> bool: ...
    @property
    def compute_seconds(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def dataset(self) -> str: ...
    @property
    def alike(self) -> str: ...
    @property
    def seed(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SprintInfo:
    """A sprint by its number, in the order in which sprints began."""

    pk: int
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """What the charts read of a work item besides its history."""

    pk: int
    kind: str
    title: str
    time_box_hours: float | None = None


def thinned(first: date, last: date, most: int = MOST_DAYS) -> list[date]:
    """Return at most `most` days evenly spaced that end with `last`."""
    days = list(days_between(first, last))
    step = math.ceil(len(days) / most) or 1
    return days[::-1][::step][::-1]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def middle(values: Sequence[float]) -> float:
    """Return the median, to two decimals."""
    return round(median(values), 2)


def days_of(span: timedelta) -> float:
    """Return a length of time in days, to one decimal."""
    return round(span.total_seconds() / 86400, 1)


def spoken(day: date) -> str:
    """Write a day as 2 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def plain(number: float) -> str:
    """Write a number without needless zeros: 3, 2.5, 0.616."""
    return f"{number:.6g}"


def counted(number: float, noun: str, plural: str = "") -> str:
    """Write a number with its noun: 1 point, 2.5 points."""
    return f"{plain(number)} {noun if number == 1 else plural or noun + 's'}"
