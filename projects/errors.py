"""Errors that every command of the service raises; `config.api` maps them to HTTP answers."""

from collections.abc import Mapping, Sequence
from typing import Any


class DomainError(Exception):
    """A refusal with a stable code, a sentence for people and details for programs."""

    code = "refused"

    def __init__(
        self, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details: dict[str, Any] = dict(details or {})


class NotPermitted(DomainError):
    """The actor is known and may see the thing, but may not do this."""

    code = "not_permitted"


class NotFound(DomainError):
    """The thing does not exist, or the actor may not know that it does."""

    code = "not_found"


class RuleViolated(DomainError):
    """A rule of the domain refuses the command; `details["reasons"]` lists every reason."""

    code = "rule_violated"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        reasons: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, details={**(details or {}), "reasons": list(reasons)})


class InvalidInput(DomainError):
    """What was sent cannot be read as what was asked for."""

    code = "invalid_input"


class InvalidTransition(DomainError):
    """The row's status has no such arrow."""

    code = "invalid_transition"


class StaleState(DomainError):
    """Someone else changed the row first."""

    code = "stale_state"


class Unavailable(DomainError):
    """A part that this command needs (MLflow, the queue, a file) cannot be reached."""

    code = "unavailable"
