"""The board of a sprint, the board over all active sprints, and the backlog."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects import access
from projects.actors import Actor
from projects.models import Project, Sprint, WipLimit, WorkItem
from projects.rules.transitions import SPRINT_TRANSITIONS
from projects.rules.wip import LIMITED_COLUMNS, MOST
from projects.services import sprints
from projects.services.boards import LANES, Filters, backlog_of, board_of, epics_of, people_of
from projects.services.item_runs import runs_of_item
from projects.services.wip_limits import wip_of
from projects.services.work_item_checks import OPEN_SPRINTS
from projects.views.base import page, visible_or_404, whole_number
from projects.views.sprints import sprint_bar

FILTER_NAMES = ("kind", "assignee", "q", "epic", "mine", "lanes")


@require_safe
@page
def sprint_board(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show a sprint's work by column."""
    sprint = visible_or_404(Sprint.objects.select_related("project", "scope"), actor, pk=pk)
    planned = sprint.status == Sprint.Status.PLANNED
    waiting = sprint.project.work_items.filter(sprint=None, status=WorkItem.Status.BACKLOG)
    context = {
        **_board_context(request, actor, sprint.project, [sprint]),
        "sprint": sprint,
        "commands": _sprint_commands(sprint, actor),
        "objections": sprints.objections(sprint) if planned else [],
        **sprint_bar(sprint, actor),
        "backlog": waiting if sprint.status in OPEN_SPRINTS else [],
    }
    return render(request, "projects/board.html", context)


@require_safe
@page
def project_board(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show the work of all active sprints of a project on one board."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    active = list(project.sprints.filter(status=Sprint.Status.ACTIVE))
    context = {**_board_context(request, actor, project, active), "project": project}
    return render(request, "projects/project_board.html", context)


@require_safe
@page
def backlog(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show what waits, in the order in which it shall be taken."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    filters = filters_of(request)
    context = {
        **_rights(actor, project),
        **_filter_context(request, project, filters),
        "project": project,
        "cards": backlog_of(project, filters, actor=actor),
        "sprints": project.sprints.filter(status__in=OPEN_SPRINTS),
        "epics": epics_of(project),
        "people": people_of(project),
        "added_kind": request.GET.get("kind") if "add" in request.GET else WorkItem.Kind.TASK,
        "may_import": access.can(actor, "work_item.import", project),
        "may_add": access.can(actor, "work_item.add", project),
        "now": timezone.now(),
    }
    return render(request, "projects/backlog.html", context)


@require_safe
@page
def item_runs(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show an item's runs as they are now; cards ask for this while a run goes on."""
    item = visible_or_404(WorkItem.objects.select_related("project"), actor, pk=pk)
    context = {
        "item": item,
        "runs": runs_of_item(item),
        "compact": "compact" in request.GET,
        "may_link": access.can(actor, "work_item.link_run", item.project),
    }
    return render(request, "projects/_item_runs.html", context)


def filters_of(request: HttpRequest) -> Filters:
    """Read from the address what the reader wants to see; what makes no sense filters nothing."""
    asked = request.GET
    kind = asked.get("kind", "")
    return Filters(
        kind=kind if kind in WorkItem.Kind.values else "",
        assignee=asked.get("assignee", "")[:150],
        text=asked.get("q", "").strip()[:100],
        epic=whole_number(asked.get("epic", "")),
        mine=asked.get("mine") == "1",
    )


def _board_context(
    request: HttpRequest, actor: Actor, project: Project, shown: list[Sprint]
) -> dict[str, Any]:
    filters = filters_of(request)
    asked = request.GET.get("lanes", "none")
    lanes = asked if asked in LANES else "none"
    board = board_of(project, shown, filters, lanes=lanes, actor=actor)
    return {
        **_rights(actor, project),
        **_filter_context(request, project, filters),
        "board": board,
        "lanes": lanes,
        "lane_choices": LANES,
        "epics": board.epics,
        "people": board.people,
        "limits": _limit_rows(project, board.wip),
        "modes": WipLimit.Mode.choices,
        "most": MOST,
        "now": timezone.now(),
    }


def _rights(actor: Actor, project: Project) -> dict[str, bool]:
    may_move = access.can(actor, "work_item.move", project)
    return {
        "may_move": may_move,
        "may_set_limits": access.can(actor, "board.set_limits", project),
    }


def _filter_context(request: HttpRequest, project: Project, filters: Filters) -> dict[str, Any]:
    return {
        "filters": filters,
        "kinds": WorkItem.Kind.choices,
        "here": request.get_full_path(),
        "project": project,
    }


def _limit_rows(project: Project, wip: Any = None) -> list[tuple[str, str, Any]]:
    labels = dict(WorkItem.Status.choices)
    held = wip if wip is not None else wip_of(project)
    return [(column, str(labels[column]), held[column]) for column in LIMITED_COLUMNS]


def _sprint_commands(sprint: Sprint, actor: Actor) -> list[str]:
    verbs = {"active": "start", "closed": "close", "cancelled": "cancel"}
    return [
        verb
        for status, verb in verbs.items()
        if status in SPRINT_TRANSITIONS[sprint.status]
        and access.can(actor, f"sprint.{verb}", sprint.project)
    ]
