"""Whether people are given more work in a sprint than they have time for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """The time one person has for a sprint; `points` is what they can take on, if stated."""

    person: str
    days: float
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """One item of the sprint; `hours` is its estimate or its time box."""

    person: str
    points: int = 0
    hours: float = 0.0


@dataclass(frozen=True, slots=True)
class PersonVerdict:
    """What one person has and is given; `capacity` is None while nobody has stated it."""

    person: str
    capacity: Capacity | None
    items: int
    points: int
    hours: float
    sentences: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        return bool(self.sentences)


@dataclass(frozen=True, slots=True)
class CapacityVerdict:
    """The sprint as a whole; items of nobody count in the totals."""

    people: tuple[PersonVerdict, ...]
    days: float
    capacity_points: int | None
    points: int
    hours: float
    unassigned: int
    sentences: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        return bool(self.sentences) or any(one.is_over for one in self.people)

    @property
    def reasons(self) -> list[str]:
        """Return every sentence, those on single people first."""
        return [text for one in self.people for text in one.sentences] + list(self.sentences)


def judge(
    capacities: Iterable[Capacity], loads: Iterable[Load], *, hours_per_day: float
) -> CapacityVerdict:
    """Compare what is assigned with what people have, per person and in total.

    While nobody's capacity is stated there is nothing to compare with, and nobody has too much.
    """
    stated = {one.person: one for one in capacities}
    loads = list(loads)
    names = sorted({*stated, *(one.person for one in loads if one.person)})
    people = tuple(
        _person(
            name,
            stated.get(name),
            [one for one in loads if one.person == name],
            hours_per_day,
            is_compared=bool(stated),
        )
        for name in names
    )
    days = sum(one.days for one in stated.values())
    told = [one.points for one in stated.values() if one.points is not None]
    # The sum of the points says nothing about those who stated none.
    capacity_points = sum(told) if told and len(told) == len(stated) else None
    points, hours = sum(one.points for one in loads), sum(one.hours for one in loads)
    return CapacityVerdict(
        people=people,
        days=days,
        capacity_points=capacity_points,
        points=points,
        hours=round(hours, 2),
        unassigned=sum(not one.person for one in loads),
        sentences=tuple(
            _over("The sprint", points, capacity_points, hours, days * hours_per_day)
            if stated
            else ()
        ),
    )


def _person(
    name: str,
    capacity: Capacity | None,
    loads: Sequence[Load],
    hours_per_day: float,
    *,
    is_compared: bool,
) -> PersonVerdict:
    points, hours = sum(one.points for one in loads), sum(one.hours for one in loads)
    sentences: list[str] = []
    if capacity is None and is_compared:
        noun = "item" if len(loads) == 1 else "items"
        sentences = [f"{name} has {len(loads)} {noun}, but no capacity is stated."]
    elif capacity is not None:
        sentences = _over(name, points, capacity.points, hours, capacity.days * hours_per_day)
    return PersonVerdict(name, capacity, len(loads), points, round(hours, 2), tuple(sentences))


def _over(
    who: str, points: int, most_points: int | None, hours: float, most_hours: float
) -> list[str]:
    found = []
    if most_points is not None and points > most_points:
        found.append(f"{who} is given {points} points and can take {most_points}.")
    if hours > most_hours:
        found.append(f"{who} is given {hours:g} hours and has {most_hours:g}.")
    return found
