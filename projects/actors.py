"""Who acts: a person through a door, or a named part of the system. There is no default."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Doors through which a person may act. Only `session` may sign.
METHODS = ("session", "token", "basic", "command")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (`user` set) or a part of the system (`user` is None)."""

    name: str
    method: str
    user: "User | None" = None

    @property
    def is_system(self) -> bool:
        return self.user is None

    @property
    def ref(self) -> str:
        """Return the text under which the ledger knows this actor, such as `user:7`."""
        return f"user:{self.user.pk}" if self.user is not None else f"system:{self.name}"

    @property
    def user_id(self) -> int | None:
        return None if self.user is None else self.user.pk


def person(user: "User", *, method: str) -> Actor:
    """Return the actor for an authenticated user who came through `method`."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}")
    if not user.is_active:  # nor is an anonymous user
        raise ValueError("an actor must be an active, authenticated user")
    return Actor(name=user.get_full_name() or user.get_username(), method=method, user=user)


def system(part: str) -> Actor:
    """Return the actor for a part of the system, such as `monitoring` or `retraining`."""
    return Actor(name=part, method="system")
