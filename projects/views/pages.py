"""The project page, the scope page and the sprint board."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects import access
from projects.actors import Actor
from projects.models import Project, ScopingDocument, Sprint, WorkItem
from projects.rules.transitions import OUTCOMES_BY_KIND, SPRINT_TRANSITIONS, WORK_ITEM_TRANSITIONS
from projects.services import scoping, sprints
from projects.services.overview import columns_of, overview_of
from projects.views.base import page, visible_or_404
from projects.views.scope_text import sections_of


@require_safe
@page
def project_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the projects that the reader is on."""
    projects = Project.objects.visible_to(actor).prefetch_related("sprints", "scoping_documents")
    return render(request, "projects/project_list.html", {"projects": projects})


@require_safe
@page
def project_detail(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show where a project stands, what blocks it and who is waited for."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    context = {
        "overview": overview_of(project, today=timezone.now().date()),
        "may_write": access.can(actor, "scope.write", project),
    }
    return render(request, "projects/project.html", context)


@require_safe
@page
def scope_detail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show a scoping document as its readers read it, with what it scores and lacks."""
    documents = ScopingDocument.objects.select_related("project", "created_by", "submitted_by")
    document = visible_or_404(documents, actor, pk=pk)
    content = scoping.content_of(document)
    context = {
        "document": document,
        "sections": sections_of(content),
        "readiness": scoping.assess(document),
        "editors": document.editors.all(),
        "may_write": access.can(actor, "scope.write", document.project),
        "may_submit": document.is_editable and access.can(actor, "scope.submit", document.project),
    }
    return render(request, "projects/scope.html", context)


@require_safe
@page
def board(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show a sprint's work by column."""
    sprint = visible_or_404(Sprint.objects.select_related("project"), actor, pk=pk)
    may_move = access.can(actor, "work_item.move", sprint.project)
    planned = sprint.status == Sprint.Status.PLANNED
    context = {
        "sprint": sprint,
        "columns": [
            (column, [(item, _moves(item) if may_move else []) for item in column.items])
            for column in columns_of(sprint)
        ],
        "outcomes": {kind: sorted(fitting) for kind, fitting in OUTCOMES_BY_KIND.items()},
        "may_move": may_move,
        "commands": _sprint_commands(sprint, actor),
        "objections": sprints.objections(sprint) if planned else [],
        "backlog": sprint.project.work_items.filter(sprint=None, status=WorkItem.Status.BACKLOG),
    }
    return render(request, "projects/board.html", context)


def _moves(item: WorkItem) -> list[tuple[str, str]]:
    labels = dict(WorkItem.Status.choices)
    concluded = item.kind in OUTCOMES_BY_KIND
    return [
        (status, str(labels[status]))
        for status in WorkItem.Status.values
        if status in WORK_ITEM_TRANSITIONS[item.status]
        and status != WorkItem.Status.BACKLOG
        and not (concluded and status == WorkItem.Status.DONE)
    ]


def _sprint_commands(sprint: Sprint, actor: Actor) -> list[str]:
    verbs = {"active": "start", "closed": "close", "cancelled": "cancel"}
    return [
        verb
        for status, verb in verbs.items()
        if status in SPRINT_TRANSITIONS[sprint.status]
        and access.can(actor, f"sprint.{verb}", sprint.project)
    ]
