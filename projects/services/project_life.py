"""Commands on a project's life: pause, resume, close, and the change of its tier."""

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import RuleViolated
from projects.lifecycle import compare_and_swap, move
from projects.models import Project, Sprint
from projects.rules.transitions import PROJECT_TRANSITIONS

__all__ = ["change_tier", "close_project", "pause_project", "require_active", "resume_project"]

Status = Project.Status


@transaction.atomic
def pause_project(project: Project, *, actor: Actor) -> Project:
    """Let a project rest; no sprint starts until it is resumed."""
    access.require(actor, "project.close", project)
    _require_no_active_sprint(project, to="paused")
    move(project, Status.PAUSED, allowed=PROJECT_TRANSITIONS)
    ledger.append("project.paused", subject=project.ref, actor=actor, data={})
    return project


@transaction.atomic
def resume_project(project: Project, *, actor: Actor) -> Project:
    """Go on with a paused project."""
    access.require(actor, "project.close", project)
    move(project, Status.ACTIVE, allowed=PROJECT_TRANSITIONS)
    ledger.append("project.resumed", subject=project.ref, actor=actor, data={})
    return project


@transaction.atomic
def close_project(project: Project, *, actor: Actor) -> Project:
    """End a project for good; its effort counts for later estimates from then on.

    Raises:
        RuleViolated: code `project_has_active_sprints`; close or cancel them first.
    """
    access.require(actor, "project.close", project)
    _require_no_active_sprint(project, to="closed")
    move(project, Status.CLOSED, allowed=PROJECT_TRANSITIONS)
    ledger.append("project.closed", subject=project.ref, actor=actor, data={})
    return project


def change_tier(project: Project, tier: str, *, actor: Actor, because: str) -> None:
    """Give the project another tier, inside the transaction of the assessment that asks for it.

    Every listener of `settings.TIER_LISTENERS` is told in the same transaction: it is called with
    the project, the former tier and this command's own arguments.
    """
    if tier == project.tier:
        return
    former = project.tier
    compare_and_swap(project, expected={"tier": former}, tier=tier)
    ledger.append(
        "project.tier_changed",
        subject=project.ref,
        actor=actor,
        data={"from": str(former), "to": tier, "because": because},
    )
    for path in settings.TIER_LISTENERS:
        import_string(path)(project, former=str(former), actor=actor, because=because)


def require_active(project: Project) -> None:
    """Refuse to begin something in a project that is paused or closed.

    Call it in the command's transaction: it holds the row, so that nobody closes it meanwhile.

    Raises:
        RuleViolated: code `project_not_active`.
    """
    status = Project.objects.select_for_update().values_list("status", flat=True).get(pk=project.pk)
    if status != Status.ACTIVE:
        advice = "; resume it first" if status == Status.PAUSED else ""
        raise RuleViolated(
            f"{project.name} is {status}{advice}.",
            code="project_not_active",
            reasons=[f"The project is {status}."],
        )


def _require_no_active_sprint(project: Project, *, to: str) -> None:
    # Holds the row as `require_active` does, so that no sprint starts meanwhile.
    Project.objects.select_for_update().get(pk=project.pk)
    running = Sprint.objects.filter(project=project, status=Sprint.Status.ACTIVE)
    if names := list(running.values_list("name", flat=True)):
        raise RuleViolated(
            f"{project.name} cannot be {to} while sprints run: {', '.join(names)}. Close or cancel "
            "them first.",
            code="project_has_active_sprints",
            reasons=[f"The sprint {name} is active." for name in names],
        )
