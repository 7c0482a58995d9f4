"""The project page: where are we, what blocks us, who is waited for."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects import access
from projects.actors import Actor
from projects.models import Project, Sprint
from projects.services.standing import ProjectStanding, address, standing_of
from projects.services.tiers import assessments_of
from projects.views.base import page, visible_or_404

SHOWN_ASSESSMENTS = 3


class Link(NamedTuple):
    """A page about the project."""

    label: str
    url: str


@require_safe
@page
def project_detail(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show where a project stands, what blocks it and who is waited for."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    today = timezone.now().date()
    standing = standing_of(project, today=today)
    assessments = assessments_of(project)
    context = {
        "tier_rows": assessments[:SHOWN_ASSESSMENTS],
        "tier_waits": any(one.state == "waiting" for one in assessments),
        "standing": standing,
        "project": project,
        "today": today,
        "may_write": access.can(actor, "scope.write", project),
        "links": _links(standing),
        "sprints": [(one, _report(one)) for one in standing.sprints],
    }
    return render(request, "projects/project.html", context)


def _links(standing: ProjectStanding) -> list[Link]:
    slug = standing.project.slug
    links = [
        Link("Board", address("projects:project-board", slug)),
        Link("Backlog", address("projects:backlog", slug)),
        Link("Meetings", address("projects:meetings", slug)),
        Link("Charts", address("projects:charts", slug)),
        Link("Import a scope", address("projects:import-scope", slug)),
        Link("Reviews", f"{address('governance:reviews')}?project={slug}"),
        Link("Models and lineage", address("governance:model-versions")),
    ]
    if len(standing.scopes) > 1:
        links.append(Link("Compare scopes", address("projects:compare-scopes", slug)))
    return [link for link in links if link.url.partition("?")[0]]


def _report(sprint: Sprint) -> str:
    """Return the address of a sprint's report, once the sprint has something to report."""
    if sprint.status in {Sprint.Status.PLANNED, Sprint.Status.CANCELLED}:
        return ""
    return address("projects:sprint-report", sprint.pk)
