"""What a sprint held at the end of each of its days, and what became of it.

An item is in the sprint's scope while it is in the sprint and not dropped. One that came in
finished is no work of this sprint: it counts from the moment it is reopened. A sprint that is
over keeps what it had just before it ended, so that carrying items over takes nothing from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from projects.rules.work_history import DONE, DROPPED, Change, ItemState, ordered
from projects.rules.working_days import WorkingDays, day_of, days_between, end_of_day

COUNT, POINTS, HOURS = "count", "points", "hours"
UNITS = (POINTS, COUNT, HOURS)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Amount:
    """Work in the three ways of measuring it; items without an estimate weigh nothing."""

    count: int = 0
    points: int = 0
    hours: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        hours = round(self.hours + other.hours, 6)
        return Amount(self.count + other.count, self.points + other.points, hours)

    def __sub__(self, other: "Amount") -> "Amount":
        hours = round(self.hours - other.hours, 6)
        return Amount(self.count - other.count, self.points - other.points, hours)

    def of(self, unit: str) -> float:
        return float(getattr(self, unit))


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class SprintSpan:
    """The sprint's dates: planned days, and the moments it really started and ended."""

    ref: str
    starts_on: date
    ends_on: date
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SprintDay:
    """The sprint at the end of one day, and what came into or went out of its scope that day."""

    day: date
    is_working: bool
    scope: Amount
    done: Amount
    added: Amount = NOTHING
    removed: Amount = NOTHING

    @property
    def remaining(self) -> Amount:
        return self.scope - self.done


@dataclass(frozen=True, slots=True)
class SprintSeries:
    """A sprint from start to end, or until now.

    The items that were committed or added are, at the end, either done, unfinished, dropped or
    removed. `days` are consecutive.
    """

    commitment: Amount
    committed: tuple[int, ...]
    added: tuple[int, ...]
    done: tuple[int, ...]
    unfinished: tuple[int, ...]
    dropped: tuple[int, ...]
    removed: tuple[int, ...]
    days: tuple[SprintDay, ...]

    @property
    def unit(self) -> str:
        """Return how the sprint is best measured: by items if nobody estimated any."""
        whole = [self.commitment, *(day.scope for day in self.days)]
        return next((unit for unit in (POINTS, HOURS) if any(a.of(unit) for a in whole)), COUNT)


def sprint_series(
    span: SprintSpan,
    changes: Iterable[Change],
    *,
    zone: tzinfo,
    now: datetime,
    calendar: WorkingDays | None = None,
) -> SprintSeries:
    """Replay the project's changes as this sprint saw them; `now` bounds one that still runs."""
    calendar = calendar or WorkingDays()
    until = min(span.ended_at or now, now).astimezone(UTC)
    started_at = span.started_at.astimezone(UTC)
    counter = _Counter(span.ref)
    waiting: Sequence[Change] = [one for one in ordered(changes) if one.at < until]
    waiting = counter.take(waiting, started_at + _INSTANT)
    counter.begin()
    days = []
    last = max(day_of(until - _INSTANT, zone), day_of(started_at, zone))
    for day in days_between(day_of(started_at, zone), last):
        waiting = counter.take(waiting, end_of_day(day, zone))
        days.append(counter.close_day(day, is_working=calendar.is_working(day)))
    return counter.series(tuple(days))


def ideal_line(
    commitment: float, first: date, last: date, calendar: WorkingDays | None = None
) -> dict[date, float]:
    """Return what would remain at the end of each day if work went evenly over working days."""
    calendar = calendar or WorkingDays()
    whole = calendar.count(first, last)
    line = {}
    passed = 0
    for day in days_between(first, last):
        passed += calendar.is_working(day)
        share = passed / whole if whole else float(day == last)
        line[day] = round(commitment * (1 - share), 4)
    return line


@dataclass
class _Counter:
    """The running count of one sprint's scope while changes are replayed."""

    ref: str
    states: dict[int, ItemState] = field(default_factory=dict)
    #: Items that were finished when they came in; no work of this sprint until reopened.
    came_finished: set[int] = field(default_factory=set)
    has_begun: bool = False
    commitment: Amount = NOTHING
    committed: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    added: Amount = NOTHING
    removed: Amount = NOTHING

    def take(self, changes: Sequence[Change], before: datetime) -> Sequence[Change]:
        """Apply the changes up to a moment and return the later ones."""
        for place, change in enumerate(changes):
            if change.at >= before:
                return changes[place:]
            self._apply(change)
        return ()

    def begin(self) -> None:
        """Take what is in the sprint now as the commitment."""
        self.has_begun = True
        self.came_finished = {
            item
            for item, state in self.states.items()
            if state.sprint == self.ref and state.status == DONE
        }
        self.committed = self._counted()
        self.commitment = self._amount(self.committed)

    def close_day(self, day: date, *, is_working: bool) -> SprintDay:
        counted = self._counted()
        done = [item for item in counted if self.states[item].status == DONE]
        added, self.added, removed, self.removed = self.added, NOTHING, self.removed, NOTHING
        return SprintDay(day, is_working, self._amount(counted), self._amount(done), added, removed)

    def series(self, days: tuple[SprintDay, ...]) -> SprintSeries:
        ever = [*self.committed, *self.joined]
        fate: dict[str, list[int]] = {"done": [], "unfinished": [], "dropped": [], "removed": []}
        for item in ever:
            fate[self._fate(item)].append(item)
        return SprintSeries(
            commitment=self.commitment,
            committed=tuple(self.committed),
            added=tuple(self.joined),
            days=days,
            **{name: tuple(items) for name, items in fate.items()},
        )

    def _apply(self, change: Change) -> None:
        before = self.states.get(change.item, ItemState())
        was = self._weight(change.item, before)
        after = change.applied_to(before)
        self.states[change.item] = after
        if self.has_begun:
            self._note_finished(change.item, before, after)
            self._note_scope(change.item, was, self._weight(change.item, after))

    def _note_finished(self, item: int, before: ItemState, after: ItemState) -> None:
        if after.status != DONE:
            self.came_finished.discard(item)
        elif before.sprint != self.ref == after.sprint:
            self.came_finished.add(item)

    def _note_scope(self, item: int, was: Amount, is_now: Amount) -> None:
        if is_now.count and item not in self.committed and item not in self.joined:
            self.joined.append(item)
        gain = is_now - was
        self.added += Amount(max(gain.count, 0), max(gain.points, 0), max(gain.hours, 0.0))
        self.removed += Amount(max(-gain.count, 0), max(-gain.points, 0), max(-gain.hours, 0.0))

    def _weight(self, item: int, state: ItemState) -> Amount:
        if state.sprint != self.ref or state.status == DROPPED or item in self.came_finished:
            return NOTHING
        return Amount(1, state.points or 0, state.hours or 0.0)

    def _counted(self) -> list[int]:
        return [item for item, state in self.states.items() if self._weight(item, state).count]

    def _amount(self, items: Iterable[int]) -> Amount:
        return sum((self._weight(item, self.states[item]) for item in items), NOTHING)

    def _fate(self, item: int) -> str:
        state = self.states[item]
        if state.sprint != self.ref or item in self.came_finished:
            return "removed"
        return {DONE: "done", DROPPED: "dropped"}.get(state.status, "unfinished")


# --- The series as it is kept in a snapshot -------------------------------------------------------

_LISTS = ("committed", "added", "done", "unfinished", "dropped", "removed")


def as_data(series: SprintSeries) -> dict[str, Any]:
    """Return the series as JSON can hold it; `from_data` reads it back."""
    return {
        "commitment": _amount_as_data(series.commitment),
        **{name: list(getattr(series, name)) for name in _LISTS},
        "days": [
            {
                "day": day.day.isoformat(),
                "is_working": day.is_working,
                "scope": _amount_as_data(day.scope),
                "done": _amount_as_data(day.done),
                "added": _amount_as_data(day.added),
                "removed": _amount_as_data(day.removed),
            }
            for day in series.days
        ],
    }


def from_data(data: Mapping[str, Any]) -> SprintSeries:
    """Return the series that `as_data` wrote."""
    return SprintSeries(
        commitment=Amount(**data["commitment"]),
        **{name: tuple(data[name]) for name in _LISTS},
        days=tuple(
            SprintDay(
                day=date.fromisoformat(row["day"]),
                is_working=row["is_working"],
                **{name: Amount(**row[name]) for name in ("scope", "done", "added", "removed")},
            )
            for row in data["days"]
        ),
    )


def _amount_as_data(amount: Amount) -> dict[str, float]:
    return {unit: getattr(amount, unit) for unit in (COUNT, POINTS, HOURS)}
