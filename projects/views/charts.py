"""Charts of projects and sprints: pages, pictures and tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from projects.actors import Actor
from projects.models import Project, Sprint
from projects.rules.charts.base import Chart
from projects.rules.spreadsheet import csv_text
from projects.services import charts
from projects.services.charts import ProjectCharts
from projects.views.base import page, visible_or_404
from projects.views.pictures import send_svg

#: Version of the drawings; it is part of every ETag, so that new drawings replace kept ones.
DRAWN = "1"
SECTIONS = (
    ("Learning", ("criteria", "uncertainty", "best-metric", "verdicts")),
    ("Flow", ("velocity", "flow", "cycle-time", "wip-age")),
    ("Cost and waiting", ("economics", "time-boxes", "gate-lead-time")),
)


@dataclass(frozen=True, slots=True)
class ChartCard:
    """A chart as a page shows it."""

    chart: Chart
    picture_url: str
    table_url: str

    @property
    def version(self) -> str:
        return self.chart.digest

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Return each column's name and whether it holds numbers."""
        return [(name, self._is_number(name)) for name in self.chart.columns]

    @property
    def rows(self) -> list[list[tuple[Any, bool]]]:
        heads = self.heads
        return [
            [(row.get(name), is_number) for name, is_number in heads] for row in self.chart.table
        ]

    def _is_number(self, name: str) -> bool:
        values = [row.get(name) for row in self.chart.table]
        return all(value is None or isinstance(value, int | float) for value in values)


@require_safe
@page
def project_charts(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show how a project learns, flows, costs and waits, and its running sprints."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    read = ProjectCharts(project)
    cards = {one.name: project_card(project, one) for one in read.all()}
    running = [one for one in read.sprints if one.status == Sprint.Status.ACTIVE]
    context = {
        "project": project,
        "sections": [(title, [cards[name] for name in names]) for title, names in SECTIONS],
        "running": [(one, sprint_cards(one)[:2]) for one in running],
        "sprints": list(project.sprints.order_by("-starts_on", "-pk")),
    }
    return render(request, "projects/charts.html", context)


@require_safe
@page
def sprint_charts(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show how a sprint burns, in every unit that it was estimated in."""
    sprint = visible_or_404(Sprint.objects.select_related("project"), actor, pk=pk)
    context = {"sprint": sprint, "cards": sprint_cards(sprint)}
    return render(request, "projects/sprint_charts.html", context)


@require_safe
@page
def project_chart(request: HttpRequest, actor: Actor, slug: str, name: str) -> HttpResponse:
    """Send one chart of a project as a picture."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    return _picture(request, project.ref, name, lambda: ProjectCharts(project).chart(name))


@require_safe
@page
def project_chart_table(request: HttpRequest, actor: Actor, slug: str, name: str) -> HttpResponse:
    """Send the numbers of one chart of a project as CSV."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    return _table(ProjectCharts(project).chart(name), project.slug)


@require_safe
@page
def sprint_chart(request: HttpRequest, actor: Actor, pk: int, name: str) -> HttpResponse:
    """Send one chart of a sprint as a picture."""
    sprint = visible_or_404(Sprint.objects.select_related("project"), actor, pk=pk)
    return _picture(request, sprint.ref, name, lambda: charts.sprint_chart(sprint, name))


@require_safe
@page
def sprint_chart_table(request: HttpRequest, actor: Actor, pk: int, name: str) -> HttpResponse:
    """Send the numbers of one chart of a sprint as CSV."""
    sprint = visible_or_404(Sprint.objects.select_related("project"), actor, pk=pk)
    return _table(charts.sprint_chart(sprint, name), f"{sprint.project.slug}-sprint-{sprint.pk}")


def project_card(project: Project, chart: Chart) -> ChartCard:
    """Return a project's chart for its page, kept for the request of its picture."""
    charts.keep(project.ref, chart)
    at = [project.slug, chart.name]
    return ChartCard(
        chart, reverse("projects:chart", args=at), reverse("projects:chart-table", args=at)
    )


def sprint_cards(sprint: Sprint) -> list[ChartCard]:
    """Return the sprint's charts for a page, without units in which nothing was estimated."""
    return [_sprint_card(sprint, chart) for chart in _worth_showing(charts.sprint_charts(sprint))]


def _sprint_card(sprint: Sprint, chart: Chart) -> ChartCard:
    charts.keep(sprint.ref, chart)
    at = [sprint.pk, chart.name]
    return ChartCard(
        chart,
        reverse("projects:sprint-chart", args=at),
        reverse("projects:sprint-chart-table", args=at),
    )


def _worth_showing(found: Sequence[Chart]) -> list[Chart]:
    """Keep the two main charts, and of the others those that say something new."""
    main, others = list(found[:2]), found[2:]
    return main + [one for one in others if one.table and one.title != main[0].title]


def _picture(
    request: HttpRequest, owner: str, name: str, compute: Callable[[], Chart]
) -> HttpResponse:
    """Send the picture that a page named by its digest, or else the one of this moment."""
    chart = charts.kept(owner, name, request.GET.get("v", "")) or compute()
    narrow = request.GET.get("size") == "narrow"
    if not chart.table:
        return HttpResponse(chart.advice, status=404, content_type="text/plain; charset=utf-8")
    key = f"{chart.digest[:40]}-{'narrow' if narrow else 'wide'}-{DRAWN}"

    def drawn() -> Any:
        from projects.charts.drawing import draw

        return draw(chart, narrow=narrow)

    return send_svg(request, key, drawn)


def _table(chart: Chart, name: str) -> HttpResponse:
    text = csv_text(chart.columns, chart.table)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{chart.name}.csv"'
    response["Cache-Control"] = "private, no-cache"
    return response
