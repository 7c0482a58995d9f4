"""What happened to a work item, as sentences drawn from its events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from projects.models import Sprint, WorkItem


@dataclass(frozen=True, slots=True)
class Happening:
    """One event for readers; `changes` holds field, before and after."""

    at: datetime
    who: str
    what: str
    changes: tuple[tuple[str, Any, Any], ...] = ()


def history_of(item: WorkItem) -> list[Happening]:
    """Return all that happened to the item, newest first."""
    events = list(item.events.order_by("-pk"))
    people = _names({event.actor for event in events})
    names = {**_sprints(item), **_items(item)}
    return [
        Happening(
            event.at,
            people.get(event.actor, event.actor.replace("system:", "The ")),
            _what(event.kind, event.data, names),
            _changes(event.data),
        )
        for event in events
    ]


def _names(refs: set[str]) -> dict[str, str]:
    numbers = [int(ref.removeprefix("user:")) for ref in refs if ref.startswith("user:")]
    users = User.objects.filter(pk__in=numbers)
    return {f"user:{user.pk}": user.get_full_name() or user.get_username() for user in users}


def _sprints(item: WorkItem) -> dict[str, str]:
    rows = Sprint.objects.filter(project=item.project_id).values_list("pk", "name")
    return {f"sprint:{pk}": name for pk, name in rows}


def _items(item: WorkItem) -> dict[str, str]:
    rows = WorkItem.objects.filter(project=item.project_id).values_list("pk", "title")
    return {f"work_item:{pk}": f"“{title}”" for pk, title in rows}


def _what(kind: str, data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    words = _WORDS.get(kind)
    return words(data, names) if words else kind.replace("_", " ")


def _column(value: object) -> str:
    return str(dict(WorkItem.Status.choices).get(str(value), value)).lower()


def _moved(data: Mapping[str, Any], _sprints: Mapping[str, str]) -> str:
    text = f"moved it from {_column(data.get('source'))} to {_column(data.get('to'))}"
    if data.get("outcome") and data.get("to") == WorkItem.Status.DONE:
        text += f", {str(data['outcome']).replace('_', ' ')}"
    if data.get("hours_added"):
        text += f" with {data['hours_added']} more hours: {data.get('reason', '')}"
    return text


def _sprint_changed(data: Mapping[str, Any], sprints: Mapping[str, str]) -> str:
    joined, left = data.get("joined"), data.get("left")
    if joined:
        return f"took it into {sprints.get(joined, joined)}"
    return f"took it out of {sprints.get(str(left), str(left))}"


def _extended(data: Mapping[str, Any], _sprints: Mapping[str, str]) -> str:
    return f"extended its time box by {data.get('hours_added')} hours: {data.get('reason', '')}"


def _needed(data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    ref = str(data.get("needed"))
    return names.get(ref, ref)


Words = Callable[[Mapping[str, Any], Mapping[str, str]], str]
_WORDS: Mapping[str, Words] = {
    "created": lambda _data, _names_: "created it",
    "moved": _moved,
    "edited": lambda _data, _names_: "changed it",
    "sprint_changed": _sprint_changed,
    "time_box_extended": _extended,
    "time_box_stopped": lambda _data, _names_: "chose to stop at the end of its time box",
    "dependency_added": lambda data, names: f"let it wait for {_needed(data, names)}",
    "dependency_removed": lambda data, names: f"let it no longer wait for {_needed(data, names)}",
    "run_linked": lambda data, _names_: f"linked the run {str(data.get('run'))[:8]}",
    "run_unlinked": lambda data, _names_: f"took off the run {str(data.get('run'))[:8]}",
    "attached": lambda data, _names_: f"attached {data.get('name')}",
    "commented": lambda _data, _names_: "commented",
}


def _changes(data: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    before, after = data.get("before") or {}, data.get("after") or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    names = dict.fromkeys([*before, *after])
    return tuple((name.replace("_", " "), before.get(name), after.get(name)) for name in names)
