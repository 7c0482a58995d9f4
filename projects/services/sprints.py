"""Commands on sprints: plan, start, close, cancel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.timezone import now

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.lifecycle import move
from projects.models import Project, Sprint
from projects.rules.transitions import FINISHED_ITEM_STATUSES, SPRINT_TRANSITIONS
from projects.services.work_items import carry_over

Status = Sprint.Status


@dataclass(frozen=True, slots=True)
class SprintPlan:
    """What a sprint is to be, before it exists."""

    name: str
    kind: str
    goal: str
    starts_on: date
    ends_on: date
    dataset_refs: Sequence[str] = ()


@transaction.atomic
def plan_sprint(project: Project, plan: SprintPlan, *, actor: Actor) -> Sprint:
    """Plan a time box; it starts by a command of its own.

    Raises:
        InvalidInput: a field is wrong, or the project has a sprint of that name.
    """
    access.require(actor, "sprint.plan", project)
    sprint = Sprint(
        project=project,
        name=plan.name,
        kind=plan.kind,
        goal=plan.goal,
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        dataset_refs=list(plan.dataset_refs),
        created_by=actor.user,
    )
    try:
        sprint.full_clean()
    except ValidationError as error:
        raise InvalidInput(
            " ".join(error.messages), code="invalid_sprint", details={"errors": error.message_dict}
        ) from error
    sprint.save()
    _record("sprint.planned", sprint, actor=actor, kind=plan.kind)
    return sprint


@transaction.atomic
def start_sprint(sprint: Sprint, *, actor: Actor) -> Sprint:
    """Start a planned sprint unless one of the configured guards objects.

    Raises:
        RuleViolated: code `sprint_not_allowed`; `reasons` holds every objection of every guard.
        InvalidTransition: it is not planned.
        StaleState: somebody else started or cancelled it first.
    """
    access.require(actor, "sprint.start", sprint.project)
    if reasons := objections(sprint):
        raise RuleViolated(
            f"The sprint {sprint.name} may not start: {' '.join(reasons)}",
            code="sprint_not_allowed",
            reasons=reasons,
        )
    move(sprint, Status.ACTIVE, allowed=SPRINT_TRANSITIONS, started_at=now())
    items = sprint.work_items.exclude(status__in=FINISHED_ITEM_STATUSES)
    _record("sprint.started", sprint, actor=actor, committed_items=items.count())
    return sprint


def objections(sprint: Sprint) -> list[str]:
    """Return what the guards hold against starting the sprint now."""
    return [reason for path in settings.SPRINT_GUARDS for reason in import_string(path)(sprint)]


@transaction.atomic
def close_sprint(sprint: Sprint, *, actor: Actor, review_notes: str = "") -> Sprint:
    """Close a running sprint; unfinished items go back to the backlog with their history."""
    access.require(actor, "sprint.close", sprint.project)
    move(
        sprint,
        Status.CLOSED,
        allowed=SPRINT_TRANSITIONS,
        closed_at=now(),
        review_notes=review_notes or sprint.review_notes,
    )
    carried = carry_over(sprint, actor=actor)
    finished = sprint.work_items.count()
    _record("sprint.closed", sprint, actor=actor, finished=finished, carried_over=carried)
    return sprint


@transaction.atomic
def cancel_sprint(sprint: Sprint, *, actor: Actor) -> Sprint:
    """Give up a sprint that is planned or running; its open items go back to the backlog."""
    access.require(actor, "sprint.cancel", sprint.project)
    move(sprint, Status.CANCELLED, allowed=SPRINT_TRANSITIONS, closed_at=now())
    _record("sprint.cancelled", sprint, actor=actor, carried_over=carry_over(sprint, actor=actor))
    return sprint


def _record(event: str, sprint: Sprint, *, actor: Actor, **data: str | int) -> None:
    ledger.append(
        event,
        subject=sprint.ref,
        actor=actor,
        data={"project": sprint.project.ref, "name": sprint.name, **data},
    )
