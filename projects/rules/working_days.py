"""Which days count as working days, and when a day ends in a time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

A_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """A calendar: weekends by number of the weekday (Monday is 0), and single days off."""

    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    holidays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        return day.weekday() not in self.weekend and day not in self.holidays

    def count(self, first: date, last: date) -> int:
        """Return the number of working days from `first` to `last`, both counted."""
        return sum(self.is_working(day) for day in days_between(first, last))

    def after(self, day: date, number: int) -> date:
        """Return the working day that comes so many working days after `day`."""
        for _ in range(number):
            day += A_DAY
            while not self.is_working(day):
                day += A_DAY
        return day


def days_between(first: date, last: date) -> Iterator[date]:
    """Give every day from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + number * A_DAY


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first moment that no longer belongs to the day, in UTC.

    UTC, because Python compares two times of the same zone by their wall clocks, which is wrong
    in the hour that is repeated when summer time ends.
    """
    return datetime.combine(day + A_DAY, time.min, tzinfo=zone).astimezone(UTC)


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the day of a moment by the clocks of the zone."""
    return moment.astimezone(zone).date()
