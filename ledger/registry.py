"""Every event that may be recorded, with the title that people read.

Each app registers its events in its `events.py`, imported when Django starts:

    register("scope.submitted", "Scoping document submitted")
"""

import re
from dataclasses import dataclass

from ledger.errors import UnknownEvent

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_MAX_LENGTH = 60
_events: dict[str, "Event"] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of act; with `checkpoint` the tree is signed right after it is recorded."""

    name: str
    title: str
    checkpoint: bool = False


def register(name: str, title: str, *, checkpoint: bool = False) -> Event:
    """Make an event known; its name is `noun.past_participle`, such as `scope.submitted`.

    Registering the same event again does nothing; registering it with another meaning raises.
    """
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        raise ValueError(f"event {name!r} is not noun.past_participle of at most {_MAX_LENGTH}")
    event = Event(name, title, checkpoint)
    if _events.setdefault(name, event) != event:
        raise ValueError(f"event {name!r} is already registered as {_events[name].title!r}")
    return event


def find(name: str) -> Event:
    """Return a registered event.

    Raises:
        UnknownEvent: nobody registered it; add it to the `events.py` of the app that uses it.
    """
    try:
        return _events[name]
    except KeyError:
        raise UnknownEvent(f"event {name!r} is not registered; add it to events.py") from None


def title(name: str) -> str:
    """Return the title of an event, or its name where an older version recorded it."""
    event = _events.get(name)
    return event.title if event else name


def all_events() -> list[Event]:
    """Return every registered event by name."""
    return sorted(_events.values(), key=lambda event: event.name)
