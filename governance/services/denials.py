"""Refusals are kept: who tried what on what, and why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count as CountOf
from django.db.models import Q

from governance.models import DeniedAttempt
from governance.models.promotion import DeniedAttemptQuerySet
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import DomainError, NotFound, NotPermitted, RuleViolated
from projects.models import Project, Stakeholder

#: Roles that read what others were refused.
OVERSEERS = (Stakeholder.Role.LEAD, Stakeholder.Role.RISK_OFFICER, Stakeholder.Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that somebody tries; `target` is a reference or an MLflow name."""

    action: str
    target: str
    project: Project | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was refused."""

    what: str
    times: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Refusals by what refused them, by what was tried, and by who tried, most first."""

    by_code: tuple[Count, ...]
    by_action: tuple[Count, ...]
    by_person: tuple[Count, ...]


def overseen_by(actor: Actor) -> DeniedAttemptQuerySet:
    """Return the actor's own refusals, and those of the projects that the actor oversees.

    Administrators see all of them, as in the admin.
    """
    rows = DeniedAttempt.objects.select_related("project")
    if actor.user is not None and actor.user.is_superuser:
        return rows
    held = Stakeholder.objects.current().filter(user=actor.user_id, role__in=OVERSEERS)
    return rows.filter(Q(project__in=held.values("project")) | Q(actor=actor.ref))


def counts_of(rows: DeniedAttemptQuerySet) -> Counts:
    """Count refusals by code, by action and by person, in three queries."""
    return Counts(*(_counted(rows, name) for name in ("code", "action", "actor_name")))


def _counted(rows: DeniedAttemptQuerySet, name: str) -> tuple[Count, ...]:
    counted = rows.order_by().values_list(name).annotate(times=CountOf("pk"))
    return tuple(Count(what, times) for what, times in counted.order_by("-times", name))


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
