"""The only way a status changes: compare-and-swap along a declared arrow."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.db import models

from projects.errors import InvalidTransition, StaleState

Transitions = Mapping[str, frozenset[str]]


class Stateful(Protocol):
    """A model instance with a `status`."""

    pk: Any
    status: str

    def refresh_from_db(self) -> None: ...


def move(obj: Stateful, to: str, *, allowed: Transitions, **changes: Any) -> None:
    """Move `obj` to status `to` unless someone has changed it first.

    A model with a `version_lock` field is compared on it too, and the field is bumped, so that a
    decision taken on rows read earlier fails when any of them changed since.

    Raises:
        InvalidTransition: there is no arrow from the current status to `to`.
        StaleState: another transaction changed the row since it was read.
    """
    current = obj.status
    if to not in allowed[current]:
        noun = type(obj).__name__
        raise InvalidTransition(
            f"{noun} {obj.pk} is {current}; it cannot become {to}.",
            details={"status": current, "allowed": sorted(allowed[current])},
        )
    compare_and_swap(obj, expected={"status": current}, status=to, **changes)


def compare_and_swap(obj: Stateful, *, expected: Mapping[str, Any], **changes: Any) -> None:
    """Write `changes` if the row still has the `expected` values and version; else StaleState."""
    manager: models.Manager[Any] = type(obj)._default_manager  # type: ignore[attr-defined]
    match = {"pk": obj.pk, **expected}
    if hasattr(obj, "version_lock"):
        match["version_lock"] = obj.version_lock
        changes["version_lock"] = obj.version_lock + 1
    if manager.filter(**match).update(**changes) != 1:
        raise StaleState(
            f"{type(obj).__name__} {obj.pk} was changed by someone else; read it again.",
            details=_state_of(manager, obj.pk),
        )
    obj.refresh_from_db()


def _state_of(manager: "models.Manager[Any]", pk: Any) -> dict[str, str]:
    """Return the status that a row has now, for whoever was too late."""
    found = manager.filter(pk=pk).values("status").first()
    return {"status": str(found["status"])} if found else {}
