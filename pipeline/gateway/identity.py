"""Who is calling MLflow: bound to the request by the gateway, or named by a stand-alone server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pipeline.gateway import wiring
from projects.actors import Actor, person, system
from projects.errors import NotPermitted

Value = TypeVar("Value")

#: Actor of calls that reach a stand-alone MLflow server without a proven name: never an author.
UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Caller:
    """An actor for the length of one call, with what was looked up for it on the way."""

    actor: Actor
    memory: dict[str, Any] = field(default_factory=dict)


_caller: ContextVar[Caller | None] = ContextVar("countersign_caller", default=None)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Bind `actor` to everything that this thread asks of MLflow's stores inside the block."""
    token = _caller.set(Caller(actor))
    try:
        yield
    finally:
        _caller.reset(token)


def current_actor() -> Actor | None:
    """Return who is calling; None if nobody has been authenticated."""
    caller = _caller.get()
    if caller is not None:
        return caller.actor
    return _flask_actor() if wiring.is_stand_alone() else None


def require_actor() -> Actor:
    """Return who is calling, or refuse: there is no default actor."""
    actor = current_actor()
    if actor is not None:
        return actor
    if wiring.is_stand_alone():
        return system(UNIDENTIFIED)
    raise NotPermitted("Nobody is signed in for this call.", code="no_identity")


def remember(key: str, find: Callable[[], Value]) -> Value:
    """Return what `find` answers, asking once for each call to the gateway."""
    caller = _caller.get()
    if caller is None:
        return find()
    if key not in caller.memory:
        caller.memory[key] = find()
    return cast("Value", caller.memory[key])


def forget(key: str) -> None:
    """Drop what was remembered under `key` because the call has changed it."""
    caller = _caller.get()
    if caller is not None:
        caller.memory.pop(key, None)


def _flask_actor() -> Actor | None:
    """Return the user that MLflow's own authentication app has verified, if it is our user too."""
    from flask import g, has_request_context

    # Only MLflow's auth app sets this; the bare Authorization header proves nothing.
    name = getattr(g, "mlflow_authenticated_user", None) if has_request_context() else None
    if not name:
        return None
    from django.contrib.auth.models import User

    user = User.objects.filter(username=name, is_active=True).first()
    return person(user, method="basic") if user else None
