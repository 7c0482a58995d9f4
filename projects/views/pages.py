"""The project page and the scope page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects import access
from projects.actors import Actor
from projects.models import Project, ScopingDocument
from projects.services import scoping
from projects.services.overview import overview_of
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
