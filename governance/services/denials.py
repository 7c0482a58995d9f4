"""Refusals are kept: who tried what on what, and why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Count as CountOf
from django.db.models import Q

from governance.models import DeniedAttempt, GateReview, PolicyVersion
from governance.models.promotion import DeniedAttemptQuerySet
from governance.services import notices
from governance.services.policy_drafts import STANDARD
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import DomainError, NotFound, NotPermitted, RuleViolated
from projects.models import Project, Stakeholder
from projects.rules.spreadsheet import csv_text

COLUMNS = (
    "at", "actor", "actor_name", "action", "target", "code", "message", "project",
    "policy_version", "gate", "model_name",
)  # fmt: skip
#: Code of the refusal of a review that nobody independent could sign.
NOBODY = "no_eligible_signer"
#: Roles that read what others were refused.
OVERSEERS = (Stakeholder.Role.LEAD, Stakeholder.Role.RISK_OFFICER, Stakeholder.Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that somebody tries; `target` is a reference or an MLflow name.

    `policy_version` is the one that was asked; without one it is the one that holds now.
    """

    action: str
    target: str
    project: Project | None = None
    policy_version: PolicyVersion | None = None
    gate: str = ""
    model_name: str = ""


def on_review(action: str, review: GateReview) -> Attempt:
    """Return what somebody tries on a review."""
    about = (review.policy_version, review.gate, review.model_name)
    return Attempt(action, review.ref, review.project, *about)


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was refused."""

    what: str
    times: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Refusals by what refused them, what was tried, who tried, on what and under which policy.

    The most frequent come first.
    """

    by_code: tuple[Count, ...]
    by_action: tuple[Count, ...]
    by_person: tuple[Count, ...]
    by_model: tuple[Count, ...]
    by_policy: tuple[Count, ...]


def overseen_by(actor: Actor) -> DeniedAttemptQuerySet:
    """Return the actor's own refusals, and those of the projects that the actor oversees.

    Administrators see all of them, as in the admin.
    """
    rows = DeniedAttempt.objects.select_related("project", "policy_version__policy")
    if actor.user is not None and actor.user.is_superuser:
        return rows
    held = Stakeholder.objects.current().filter(user=actor.user_id, role__in=OVERSEERS)
    return rows.filter(Q(project__in=held.values("project")) | Q(actor=actor.ref))


def counts_of(rows: DeniedAttemptQuerySet) -> Counts:
    """Count refusals by each of these, one query a count however many rows there are."""
    return Counts(
        by_code=_counted(rows, "code"),
        by_action=_counted(rows, "action"),
        by_person=_counted(rows, "actor_name"),
        by_model=_counted(rows.exclude(model_name=""), "model_name"),
        by_policy=_by_policy(rows),
    )


def in_range(
    rows: DeniedAttemptQuerySet, first: date | None, last: date | None
) -> DeniedAttemptQuerySet:
    """Keep what was refused from one day to another, both included."""
    if first is not None:
        rows = rows.filter(at__date__gte=first)
    return rows if last is None else rows.filter(at__date__lte=last)


def exported(rows: DeniedAttemptQuerySet) -> str:
    """Return the refusals as CSV that no spreadsheet runs as a formula."""
    listed = rows.select_related("project", "policy_version__policy").order_by("-at", "-pk")
    return csv_text(COLUMNS, map(_as_row, listed.iterator(chunk_size=1000)))


def _as_row(one: DeniedAttempt) -> dict[str, object]:
    return {
        "at": one.at.isoformat(),
        "actor": one.actor,
        "actor_name": one.actor_name,
        "action": one.action,
        "target": one.target,
        "code": one.code,
        "message": one.message,
        "project": one.project.slug if one.project else "",
        "policy_version": str(one.policy_version) if one.policy_version else "",
        "gate": one.gate,
        "model_name": one.model_name,
    }


def _counted(rows: DeniedAttemptQuerySet, name: str) -> tuple[Count, ...]:
    counted = rows.order_by().values_list(name).annotate(times=CountOf("pk"))
    return tuple(Count(what, times) for what, times in counted.order_by("-times", name))


def _by_policy(rows: DeniedAttemptQuerySet) -> tuple[Count, ...]:
    names = ("policy_version__policy__name", "policy_version__number", "gate")
    counted = rows.order_by().values_list(*names).annotate(times=CountOf("pk"))
    return tuple(
        Count(f"{policy} v{number}, {gate or 'no gate'}" if policy else "no policy", times)
        for policy, number, gate, times in counted.order_by("-times", *names)
    )


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
        policy_version=attempt.policy_version or _policy_now(),
        gate=attempt.gate[:50],
        model_name=attempt.model_name[:200],
    )
    ledger.append(
        "attempt.denied",
        subject=denied.ref,
        actor=actor,
        data={
            "action": attempt.action,
            "target": attempt.target,
            "code": error.code,
            "gate": attempt.gate,
            "policy_version": denied.policy_version.ref if denied.policy_version else None,
        },
    )
    return denied


def _policy_now() -> PolicyVersion | None:
    return PolicyVersion.objects.published().filter(policy__name=STANDARD).first()


@contextmanager
def refusals_recorded(attempt: Attempt, *, actor: Actor) -> Iterator[None]:
    """Record a refusal raised inside and pass it on; tell of one that nobody could have signed.

    Put it around a command's transaction, never inside: the record must outlive the rollback.
    """
    try:
        yield
    except (NotPermitted, RuleViolated, NotFound) as error:
        with transaction.atomic():
            record_denial(attempt, error, actor=actor)
            if error.code == NOBODY and attempt.project is not None:
                about = (attempt.project, error.details["subject"], attempt.gate)
                notices.tell_refused(*about, error.details["roles"], actor=actor)
        raise
