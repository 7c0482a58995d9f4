"""Commands on sprints: plan, start, re-affirm; `sprint_closing` ends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.timezone import now

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.lifecycle import compare_and_swap, move
from projects.models import Project, Sprint
from projects.rules import sprint_done
from projects.rules.sprint_done import ReadyFacts
from projects.rules.transitions import FINISHED_ITEM_STATUSES, SPRINT_TRANSITIONS
from projects.services.capacity import judge_capacity
from projects.services.project_life import require_active
from projects.services.readiness import readiness_policy
from projects.services.ready_items import unready_items
from projects.services.scoping import approved_scope

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
    model_ref: str = ""


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
        model_ref=plan.model_ref,
        created_by=actor.user,
    )
    try:
        sprint.full_clean()
    except ValidationError as error:
        raise InvalidInput(
            " ".join(error.messages), code="invalid_sprint", details={"errors": error.message_dict}
        ) from error
    sprint.save()
    record("sprint.planned", sprint, actor=actor, kind=plan.kind)
    return sprint


@transaction.atomic
def start_sprint(sprint: Sprint, *, actor: Actor) -> Sprint:
    """Start a planned sprint unless one of the configured guards objects.

    Raises:
        RuleViolated: code `sprint_not_allowed`; `reasons` holds every objection of every guard.
            Code `sprint_not_ready`, if the readiness policy says that what `not_ready` finds
            blocks. Code `project_not_active`.
        InvalidTransition: it is not planned.
        StaleState: somebody else started or cancelled it first.
    """
    access.require(actor, "sprint.start", sprint.project)
    require_active(sprint.project)
    _require_no_objection(sprint, "start")
    lacking = not_ready(sprint)
    if lacking and readiness_policy().limit("sprint_ready_blocks"):
        raise RuleViolated(
            f"The sprint {sprint.name} is not ready: {' '.join(lacking)}",
            code="sprint_not_ready",
            reasons=lacking,
        )
    scope = approved_scope(sprint.project)
    move(sprint, Status.ACTIVE, allowed=SPRINT_TRANSITIONS, started_at=now(), scope=scope)
    items = sprint.work_items.exclude(status__in=FINISHED_ITEM_STATUSES)
    record(
        "sprint.started",
        sprint,
        actor=actor,
        committed_items=items.count(),
        scope=scope.ref if scope else "",
        not_ready=lacking,
    )
    return sprint


@transaction.atomic
def reaffirm_sprint(sprint: Sprint, *, actor: Actor, reason: str) -> Sprint:
    """Let a running sprint go on under the scope that replaced the one it started under.

    Raises:
        InvalidInput: code `reason_missing`.
        RuleViolated: code `nothing_to_reaffirm`, or `sprint_not_allowed` if it could not start
            under the scope that holds now.
        StaleState: somebody else closed or re-affirmed it first.
    """
    access.require(actor, "sprint.reaffirm", sprint.project)
    if not reason.strip():
        raise InvalidInput("Say why the sprint still makes sense.", code="reason_missing")
    if not sprint.is_on_superseded_scope:
        raise RuleViolated(
            f"The scope that {sprint.name} works under has not been replaced.",
            code="nothing_to_reaffirm",
        )
    _require_no_objection(sprint, "go on")
    before, scope = sprint.scope, approved_scope(sprint.project)
    compare_and_swap(sprint, expected={"status": Status.ACTIVE}, scope=scope)
    record(
        "sprint.reaffirmed",
        sprint,
        actor=actor,
        reason=reason,
        before=before.ref if before else "",
        scope=scope.ref if scope else "",
    )
    return sprint


def objections(sprint: Sprint) -> list[str]:
    """Return what the guards hold against starting the sprint now."""
    return [reason for path in settings.SPRINT_GUARDS for reason in import_string(path)(sprint)]


def not_ready(sprint: Sprint) -> list[str]:
    """Return what the sprint lacks of the definition of ready; the policy may make it block."""
    items = sprint.work_items.exclude(status__in=FINISHED_ITEM_STATUSES)
    facts = ReadyFacts(
        goal=sprint.goal,
        has_capacity=sprint.capacities.exists(),
        items=items.count(),
        over_commitment=judge_capacity(sprint).reasons,
        unready=unready_items(items),
    )
    return sprint_done.not_ready(facts)


def record(event: str, sprint: Sprint, *, actor: Actor, **data: Any) -> None:
    """Write the act to the ledger."""
    ledger.append(
        event,
        subject=sprint.ref,
        actor=actor,
        data={"project": sprint.project.ref, "name": sprint.name, **data},
    )


def _require_no_objection(sprint: Sprint, what: str) -> None:
    if reasons := objections(sprint):
        raise RuleViolated(
            f"The sprint {sprint.name} may not {what}: {' '.join(reasons)}",
            code="sprint_not_allowed",
            reasons=reasons,
        )
