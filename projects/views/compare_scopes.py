"""Versions of a project's scope side by side."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from projects.actors import Actor
from projects.models import Project
from projects.services.scope_comparison import MOST, compare, to_compare
from projects.views.base import page, visible_or_404


@require_safe
@page
def compare_scopes(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show the versions named in `ids`, or those that are in play, in columns."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    ids = _ids(request.GET.get("ids", ""))
    documents = to_compare(project, ids)
    if ids and not documents:
        raise Http404("The project has no such scopes.")
    columns = compare(documents)
    labels = [label for label, _ in columns[0].facts] if columns else []
    context = {
        "project": project,
        "columns": columns,
        "most": MOST,
        "rows": [
            (label, [(column.document, column.facts[number][1]) for column in columns])
            for number, label in enumerate(labels)
        ],
        "others": project.scoping_documents.exclude(pk__in=[one.pk for one in documents]),
    }
    return render(request, "projects/compare_scopes.html", context)


def _ids(text: str) -> list[int]:
    """Read `1,2,3`; at most a handful, so that an address cannot ask for hundreds."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise Http404("Scopes are named by their numbers, such as 1,2,3.")
    return [int(part[:9]) for part in parts[:MOST]]
