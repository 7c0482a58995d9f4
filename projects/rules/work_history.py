"""What became of work items, replayed from their events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

DONE, DROPPED, BACKLOG = "done", "dropped", "backlog"


@dataclass(frozen=True, slots=True)
class ItemState:
    """A work item at one moment; `sprint` is a reference such as `sprint:3`, or empty."""

    status: str = BACKLOG
    sprint: str = ""
    points: int | None = None
    hours: float | None = None
    outcome: str = ""

    @property
    def is_open(self) -> bool:
        return self.status not in {DONE, DROPPED}


@dataclass(frozen=True, slots=True)
class Change:
    """One event as what it set; fields of the state that are not in `values` stayed as they were.

    `number` orders changes of the same instant.
    """

    item: int
    at: datetime
    number: int
    values: Mapping[str, Any] = field(default_factory=dict)

    def applied_to(self, state: ItemState) -> ItemState:
        return replace(state, **self.values)


History = Sequence[Change]

_EMPTY = {"status": BACKLOG, "sprint": "", "points": None, "hours": None, "outcome": ""}


def read_event(item: int, at: datetime, number: int, kind: str, data: Mapping[str, Any]) -> Change:
    """Return an event of a work item as a change.

    An event that says how the item stands after it (it holds `status`) is read whole; one that
    holds only what it changed is read by its kind, and changes nothing if that is unknown.
    """
    if "status" in data:
        values = {**_EMPTY, **{name: data[name] for name in _EMPTY if name in data}}
    else:
        reader = _READERS.get(kind)
        values = reader(data) if reader else {}
    return Change(item, at.astimezone(UTC), number, values)


def ordered(changes: Iterable[Change]) -> list[Change]:
    """Return the changes as they happened; those of one instant in the order of their numbers."""
    return sorted(changes, key=lambda change: (change.at, change.number))


def states_before(
    changes: Iterable[Change], moments: Sequence[datetime]
) -> list[dict[int, ItemState]]:
    """Return for each moment, given in ascending order, the state of every item just before it."""
    return list(_walk(ordered(changes), moments))


def present_states(changes: Iterable[Change]) -> dict[int, ItemState]:
    """Return what all changes together made of the items."""
    states: dict[int, ItemState] = {}
    for change in ordered(changes):
        states[change.item] = change.applied_to(states.get(change.item, ItemState()))
    return states


def _walk(changes: Sequence[Change], moments: Sequence[datetime]) -> Iterator[dict[int, ItemState]]:
    states: dict[int, ItemState] = {}
    place = 0
    for moment in moments:
        while place < len(changes) and changes[place].at < moment:
            change = changes[place]
            states[change.item] = change.applied_to(states.get(change.item, ItemState()))
            place += 1
        yield dict(states)


def _moved(data: Mapping[str, Any]) -> dict[str, Any]:
    # Moving clears the outcome unless it sets one: an item that is reopened has none.
    return {"status": data["to"], "outcome": data.get("outcome", "")}


def _sprint_changed(data: Mapping[str, Any]) -> dict[str, Any]:
    joined = data.get("joined", "")
    if not joined and "to" not in data:
        return {"sprint": "", "status": BACKLOG}
    return {"sprint": joined, **({"status": data["to"]} if "to" in data else {})}


def _points_changed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"points": data.get("to")}


def _hours_changed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"hours": data.get("to")}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "moved": _moved,
    "sprint_changed": _sprint_changed,
    "points_changed": _points_changed,
    "hours_changed": _hours_changed,
}
