"""Where a project stands, what blocks it and who is waited for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q
from django.urls import NoReverseMatch, reverse

from projects import facts
from projects.models import (
    Ceremony,
    Milestone,
    Project,
    ScopingDocument,
    Sprint,
    Stakeholder,
)
from projects.rules.phases import Step, phase_of, track
from projects.rules.portfolio import Appointment, Health, health_of
from projects.rules.scoping import Readiness
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.services import scoping
from projects.services.hindrances import Block, Known, Wait, blocks_of, waits_of
from projects.services.portfolio import current_scope, late, phase_facts


@dataclass(frozen=True, slots=True)
class RunningSprint:
    """A sprint that is under way: how long it has, and how much of it is done."""

    sprint: Sprint
    days_left: int
    finished: int
    items: int


@dataclass(frozen=True, slots=True)
class MilestoneState:
    """A milestone meeting: when it is planned, when it was held, or why there is none."""

    milestone: Milestone
    held_on: date | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class ProjectStanding:
    """What the project page shows."""

    project: Project
    sentence: str
    phase: str
    track: tuple[Step, ...]
    health: Health
    overdue: tuple[Appointment, ...]
    scope: ScopingDocument | None
    readiness: Readiness | None
    scopes: tuple[ScopingDocument, ...]
    running: tuple[RunningSprint, ...]
    sprints: tuple[Sprint, ...]
    blocks: tuple[Block, ...]
    waits: tuple[Wait, ...]
    milestones: tuple[MilestoneState, ...]
    gates: tuple[facts.GateFact, ...]
    deployments: tuple[facts.DeploymentFact, ...]
    people: tuple[Stakeholder, ...]
    waivers: int
    backlog_size: int


def standing_of(project: Project, *, today: date) -> ProjectStanding:
    """Read everything that the project page shows."""
    known = _known(project, today)
    overdue = late(known.sprints, known.gates, known.findings, today)
    blocks = tuple(blocks_of(known))
    phase = phase_of(phase_facts(known.scopes, known.sprints, known.gates, known.deployments))
    return ProjectStanding(
        project=project,
        sentence=_sentence(known),
        phase=phase,
        track=track(phase, is_blocked=bool(blocks), is_closed=project.status == "closed"),
        health=health_of(
            [(one.name, one.health) for one in known.deployments],
            [one.severity for one in known.findings],
            overdue,
        ),
        overdue=tuple(overdue),
        scope=known.scope,
        readiness=known.readiness,
        scopes=known.scopes,
        running=tuple(_running(known)),
        sprints=known.sprints,
        blocks=blocks,
        waits=tuple(waits_of(known)),
        milestones=tuple(_milestones(known)),
        gates=tuple(known.gates),
        deployments=tuple(known.deployments),
        people=known.people,
        waivers=facts.live_waivers_of_all([project])[project.pk],
        backlog_size=project.work_items.filter(sprint=None)
        .exclude(status__in=FINISHED_ITEM_STATUSES)
        .count(),
    )


def address(name: str, *args: object) -> str:
    """Return the address of a page, empty where this service has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _known(project: Project, today: date) -> Known:
    scopes = tuple(project.scoping_documents.select_related("created_by", "submitted_by"))
    scope = current_scope(scopes)
    counted = project.sprints.annotate(
        item_count=Count("work_items"),
        finished_count=Count("work_items", filter=Q(work_items__status__in=FINISHED_ITEM_STATUSES)),
    )
    return Known(
        project=project,
        today=today,
        scopes=scopes,
        scope=scope,
        readiness=scoping.assess(scope) if scope and scope.is_editable else None,
        sprints=tuple(counted.order_by("-starts_on", "-pk")),
        people=tuple(project.stakeholders.current(today).select_related("user")),
        gates=facts.gates_of(project),
        findings=facts.findings_of(project),
        deployments=facts.deployments_of(project),
    )


def _sentence(known: Known) -> str:
    active = [one.name for one in known.sprints if one.status == Sprint.Status.ACTIVE]
    if active:
        return f"Working in {', '.join(active)}."
    if known.scope is not None:
        return {
            "approved": "The scope is agreed; no sprint is running.",
            "submitted": "The scope is under review.",
            "draft": "The scope is being written.",
        }[known.scope.status]
    if any(document.status == ScopingDocument.Status.REJECTED for document in known.scopes):
        return "The scope was rejected; a new version is needed."
    return "There is no scope yet."


def _running(known: Known) -> Iterator[RunningSprint]:
    for sprint in known.sprints:
        if sprint.status == Sprint.Status.ACTIVE:
            yield RunningSprint(
                sprint,
                (sprint.ends_on - known.today).days,
                sprint.finished_count,  # type: ignore[attr-defined]
                sprint.item_count,  # type: ignore[attr-defined]
            )


def _milestones(known: Known) -> Iterator[MilestoneState]:
    if known.scope is None:
        return
    held = dict(
        Ceremony.objects.filter(project=known.project)
        .order_by("held_on")
        .values_list("kind", "held_on")
    )
    for one in known.scope.milestones.order_by("planned_on", "pk"):
        on = held.get(one.kind)
        is_late = on is None and one.planned_on is not None and one.planned_on < known.today
        yield MilestoneState(one, on, is_late)
