"""Where a project stands, what blocks it and who is waited for, from this app's own rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from projects.models import Project, ScopingDocument, Sprint, Stakeholder, WorkItem
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.words import role_words
from projects.services import scoping, sprints


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that somebody has to do before the project moves on."""

    what: str
    who: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProjectOverview:
    """What the project page shows."""

    project: Project
    people: tuple[Stakeholder, ...]
    scopes: tuple[ScopingDocument, ...]
    sprints: tuple[Sprint, ...]
    backlog: tuple[WorkItem, ...]
    blocks: tuple[str, ...]
    waits: tuple[Wait, ...]
    standing: str


def overview_of(project: Project, *, today: date) -> ProjectOverview:
    """Read everything that the project page shows."""
    people = tuple(project.stakeholders.current(today).select_related("user"))
    scopes = tuple(project.scoping_documents.select_related("created_by", "submitted_by"))
    running = tuple(project.sprints.order_by("-starts_on", "-pk"))
    latest = scopes[0] if scopes else None
    return ProjectOverview(
        project=project,
        people=people,
        scopes=scopes,
        sprints=running,
        backlog=tuple(
            project.work_items.filter(sprint=None)
            .exclude(status__in=FINISHED_ITEM_STATUSES)
            .select_related("assignee")
        ),
        blocks=tuple(_blocks(latest, running)),
        waits=tuple(_waits(latest, running, people, today)),
        standing=_standing(scopes, running),
    )


def _standing(scopes: Iterable[ScopingDocument], running: Iterable[Sprint]) -> str:
    active = [sprint for sprint in running if sprint.status == Sprint.Status.ACTIVE]
    if active:
        names = ", ".join(sprint.name for sprint in active)
        return f"Working in {names}."
    statuses = {document.status for document in scopes}
    for status, sentence in (
        ("approved", "The scope is agreed; no sprint is running."),
        ("submitted", "The scope is under review."),
        ("draft", "The scope is being written."),
        ("rejected", "The scope was rejected; a new version is needed."),
    ):
        if status in statuses:
            return sentence
    return "There is no scope yet."


def _blocks(latest: ScopingDocument | None, running: Iterable[Sprint]) -> Iterable[str]:
    if latest is None:
        yield "No scoping document has been written."
    elif latest.status == ScopingDocument.Status.DRAFT:
        yield from scoping.assess(latest).reasons
    for sprint in running:
        if sprint.status == Sprint.Status.PLANNED:
            yield from (f"{sprint.name}: {reason}" for reason in sprints.objections(sprint))


def _waits(
    latest: ScopingDocument | None,
    running: Iterable[Sprint],
    people: Iterable[Stakeholder],
    today: date,
) -> Iterable[Wait]:
    leads = tuple(_name(row) for row in people if row.role == Stakeholder.Role.LEAD)
    if latest is None or latest.status in {"draft", "rejected", "withdrawn"}:
        yield Wait("Write and submit the scope", leads)
    elif latest.status == ScopingDocument.Status.SUBMITTED:
        roles = scoping.readiness_policy().sign_off_roles[latest.project.tier]
        yield Wait(
            f"Decide on scope v{latest.version}",
            tuple(_name(row) for row in people if row.role in roles),
        )
    for sprint in running:
        if sprint.status == Sprint.Status.ACTIVE and sprint.ends_on < today:
            yield Wait(f"Close {sprint.name}, which ended on {sprint.ends_on}", leads)


def _name(row: Stakeholder) -> str:
    name = row.user.get_full_name() or row.user.get_username()
    return f"{name} ({role_words(row.role)})"
