"""Refusals are kept: who tried what on what, and why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from governance.models import DeniedAttempt
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import DomainError, NotFound, NotPermitted, RuleViolated
from projects.models import Project


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that somebody tries; `target` is a reference or an MLflow name."""

    action: str
    target: str
    project: Project | None = None


@transaction.atomic
def record_denial(attempt: Attempt, error: DomainError, *, actor: Actor) -> DeniedAttempt:
    """Record a refusal in a transaction of its own; the refused one has been rolled back."""
    denied = DeniedAttempt.objects.create(
        actor=actor.ref[:100],
        actor_name=actor.name[:200],
        action=attempt.action,
        target=attempt.target[:300],
        code=error.code,
        message=error.message,
        project=attempt.project,
    )
    ledger.append(
        "attempt.denied",
        subject=denied.ref,
        actor=actor,
        data={"action": attempt.action, "target": attempt.target, "code": error.code},
    )
    return denied


@contextmanager
def refusals_recorded(attempt: Attempt, *, actor: Actor) -> Iterator[None]:
    """Record a refusal raised inside and pass it on.

    Put it around a command's transaction, never inside: the record must outlive the rollback.
    """
    try:
        yield
    except (NotPermitted, RuleViolated, NotFound) as error:
        record_denial(attempt, error, actor=actor)
        raise
