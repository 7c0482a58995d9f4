"""Events, sprints and runs for the tests of charts; the days are those of November 2026."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from projects.rules.sprint_series import SprintSpan, sprint_series
from projects.rules.work_history import read_event

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
REF = "sprint:1"
DAYS = [date(2026, 11, day) for day in range(2, 8)]


def at(day, hour=12):
    return START.replace(day=day, hour=hour)


def history(*rows):
    """Return changes from rows of item, day, kind and what the event holds."""
    return [
        read_event(item, at(day), number, kind, data)
        for number, (item, day, kind, data) in enumerate(rows)
    ]


def created(item, day, **data):
    return (item, day, "created", {"status": "todo", **data})


def moved(item, day, to, **data):
    return (item, day, "moved", {"to": to, **data})


def series_of(changes, last=11, ends_on=13):
    span = SprintSpan(REF, date(2026, 11, 2), date(2026, 11, ends_on), START)
    return sprint_series(span, changes, zone=UTC, now=at(last, 23))


def column(chart, name):
    return [row.get(name) for row in chart.table]


@dataclass(frozen=True)
class Run:
    run_id: str
    metrics: dict = field(default_factory=dict)
    day: int = 3
    sprint: int | None = 1
    is_eligible: bool = True
    compute_seconds: float = 3600.0
    work_item: int | None = None
    status: str = "FINISHED"
    dataset: str = "dataset_version:1"
    alike: str = ""
    seed: str = ""

    @property
    def name(self):
        return f"run {self.run_id}"

    @property
    def started_at(self):
        return at(self.day, 10)

    @property
    def ended_at(self):
        return at(self.day, 11)
