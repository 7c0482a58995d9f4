"""What boards and backlog post to; scripts are answered in JSON, forms by going back."""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from projects import errors
from projects.actors import Actor
from projects.models import Project, Sprint, WorkItem
from projects.problems import of_domain_error, respond
from projects.rules.wip import LIMITED_COLUMNS, WARN
from projects.services import item_runs, wip_limits, work_items
from projects.services.card_moves import CardMove, move_card
from projects.services.ranking import first_of
from projects.services.wip_limits import NewLimit
from projects.services.work_items import NewWorkItem
from projects.views.base import page, visible_or_404, whole_number
from projects.web import back_to, words_of

Row = TypeVar("Row", bound=Model)
#: What a small positive number in the database holds everywhere.
LARGEST = 32767


@require_POST
@page
def move_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Move a card to the column named in `to`, to a place `before` or `after` another, or both."""
    item = visible_or_404(WorkItem.objects.select_related("project", "sprint"), actor, pk=pk)

    def command() -> str:
        move_card(item, _move_of(request, actor, item), actor=actor)
        return f"“{item.title}” is in {item.get_status_display()}."

    return _answer(request, command, home=_home_of(item), warn=lambda: _warning(item))


@require_POST
@page
def set_limits(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Set the limits on work in progress; an empty number means none."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)

    def command() -> str:
        wip_limits.set_wip_limits(project, _limits_of(request), actor=actor)
        return "The limits are set."

    return _answer(request, command, home=reverse("projects:project-board", args=[slug]))


@require_POST
@page
def add_item(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Add an item to the end of the backlog, or straight to a sprint."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    title, points = request.POST.get("title", "").strip(), request.POST.get("points", "").strip()

    def command() -> str:
        item = NewWorkItem(
            kind=request.POST.get("kind", ""),
            title=title,
            points=_number(points, "points") if points else None,
            sprint=_named(Sprint, request.POST.get("sprint", ""), actor, "sprint"),
            parent=_named(WorkItem, request.POST.get("epic", ""), actor, "epic"),
        )
        work_items.add_work_item(project, item, actor=actor)
        return f"“{title}” was added."

    home = reverse("projects:backlog", args=[slug])
    typed = {name: request.POST.get(name, "") for name in ("title", "kind", "points")}
    return _answer(request, command, home=home, kept=f"{home}?{urlencode({**typed, 'add': 1})}")


@require_POST
@page
def link_run(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Tie the run named in `run` to the item."""
    item = visible_or_404(WorkItem.objects.select_related("project"), actor, pk=pk)

    def command() -> str:
        item_runs.link_known_run(item, request.POST.get("run", ""), actor=actor)
        return "The run is linked."

    return _answer(request, command, home=_home_of(item))


@require_POST
@page
def unlink_run(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Take the run named in `run` off the item."""
    item = visible_or_404(WorkItem.objects.select_related("project"), actor, pk=pk)

    def command() -> str:
        item_runs.unlink_known_run(item, request.POST.get("run", ""), actor=actor)
        return "The run is no longer linked."

    return _answer(request, command, home=_home_of(item))


def _answer(
    request: HttpRequest,
    command: Callable[[], str],
    *,
    home: str,
    warn: Callable[[], str] = lambda: "",
    kept: str = "",
) -> HttpResponse:
    """Carry a command out and go back.

    `warn` says afterwards what should give pause though it was done; `kept` is where the form
    stands as it was typed, for when it is refused.
    """
    if "application/json" in request.headers.get("Accept", ""):
        try:
            return JsonResponse({"message": command(), "warning": warn()})
        except errors.DomainError as error:
            return respond(of_domain_error(error))
    try:
        messages.success(request, command())
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        messages.error(request, words_of(error))
        return back_to(request, kept or home)
    if text := warn():
        messages.warning(request, text)
    return back_to(request, home)


def _move_of(request: HttpRequest, actor: Actor, item: WorkItem) -> CardMove:
    posted = request.POST
    before = _named(WorkItem, posted.get("before", ""), actor, "before")
    if posted.get("place") == "top":
        before = first_of(item.project, without=item)
    return CardMove(
        to=posted.get("to", ""),
        seen=posted.get("seen", ""),
        before=before,
        after=_named(WorkItem, posted.get("after", ""), actor, "after"),
    )


def _limits_of(request: HttpRequest) -> dict[str, NewLimit]:
    return {
        column: NewLimit(_number(most, column), request.POST.get(f"{column}-mode", WARN))
        for column in LIMITED_COLUMNS
        if (most := request.POST.get(f"{column}-most", "").strip())
    }


def _warning(item: WorkItem) -> str:
    wip = wip_limits.wip_of(item.project)[item.status]
    if not wip.is_over or item.sprint is None or item.sprint.status != Sprint.Status.ACTIVE:
        return ""
    title = item.get_status_display()
    return f"“{title}” holds {wip.held} and should hold {wip.most} at most, over all sprints."


def _named(model: type[Row], number: str, actor: Actor, field: str) -> Row | None:
    if not number:
        return None
    rows = cast("Any", model._default_manager)
    found = rows.all().visible_to(actor).filter(pk=whole_number(number) or 0).first()
    if found is None:
        raise errors.InvalidInput(
            f"There is no {field} {number} that you can see.",
            code="unknown_reference",
            details={"field": field},
        )
    return cast("Row", found)


def _number(text: str, field: str) -> int:
    found = whole_number(text)
    if found is None or found > LARGEST:
        raise errors.InvalidInput(
            f"{field}: {text!r} is not a whole number from 0 to {LARGEST}.",
            code="invalid_number",
            details={"errors": {field: ["Give a whole number."]}},
        )
    return found


def _home_of(item: WorkItem) -> str:
    if item.sprint_id is not None:
        return reverse("projects:board", args=[item.sprint_id])
    return reverse("projects:backlog", args=[item.project.slug])
