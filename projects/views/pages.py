"""The scope page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from projects import access
from projects.actors import Actor
from projects.models import ScopingDocument
from projects.services import scoping
from projects.views.base import page, visible_or_404
from projects.views.scope_text import sections_of


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
