"""What a sprint is started and ended with: the buttons of its board, and its closing page."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from projects import access
from projects.actors import Actor
from projects.errors import DomainError, NotFound
from projects.models import Sprint, WorkItem
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.services import sprint_closing, sprints
from projects.services.capacity import judge_capacity
from projects.services.standing import address
from projects.services.work_item_checks import OPEN_SPRINTS
from projects.views.base import page, visible_or_404
from projects.web import attempt, back_to, words_of

ENDINGS = {
    "close": (sprint_closing.close_sprint, "The sprint is closed."),
    "cancel": (sprint_closing.cancel_sprint, "The sprint is cancelled."),
}
_SPRINTS = Sprint.objects.select_related("project", "scope")


@require_POST
@page
def sprint_command(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Start a sprint, or close or cancel it as the form on its closing page says."""
    sprint = visible_or_404(_SPRINTS, actor, pk=pk)
    if verb != "start":
        return _end(request, actor, sprint, verb)
    warnings = sprints.not_ready(sprint)
    command = partial(sprints.start_sprint, sprint, actor=actor)
    if attempt(request, command, done="The sprint has started."):
        for sentence in warnings:
            messages.warning(request, f"Not ready: {sentence}")
    return back_to(request, reverse("projects:board", args=[pk]))


@require_POST
@page
def reaffirm_sprint(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Let a running sprint go on under the scope that replaced its own."""
    sprint = visible_or_404(_SPRINTS, actor, pk=pk)
    reason = request.POST.get("reason", "")
    command = partial(sprints.reaffirm_sprint, sprint, actor=actor, reason=reason)
    attempt(request, command, done="The sprint goes on under the scope that holds now.")
    return back_to(request, reverse("projects:board", args=[pk]))


def sprint_bar(sprint: Sprint, actor: Actor) -> dict[str, object]:
    """Return what `_sprint_bar.html` shows above the board of a sprint."""
    is_open = sprint.status in OPEN_SPRINTS
    return {
        "may_reaffirm": access.can(actor, "sprint.reaffirm", sprint.project),
        "over_commitment": judge_capacity(sprint).reasons if is_open else [],
    }


@require_safe
@page
def closing(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show what the sprint lacks to be done, with the form that ends it, or what it came to."""
    return _closing_page(request, actor, visible_or_404(_SPRINTS, actor, pk=pk))


def _end(request: HttpRequest, actor: Actor, sprint: Sprint, verb: str) -> HttpResponse:
    command, done = ENDINGS[verb]
    number = request.POST.get("carry_to", "")
    target = visible_or_404(_SPRINTS, actor, pk=number) if number.isdecimal() else None
    words: dict[str, Any] = {"carry_to": target}
    if verb == "close":
        words |= {name: request.POST.get(name, "") for name in ("force_reason", "review_notes")}
    try:
        command(sprint, actor=actor, **words)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, words_of(error))
        sprint.refresh_from_db()
        return _closing_page(request, actor, sprint, typed=request.POST, status=422)
    messages.success(request, done)
    return redirect("projects:board", pk=sprint.pk)


def _closing_page(
    request: HttpRequest, actor: Actor, sprint: Sprint, *, typed: object = None, status: int = 200
) -> HttpResponse:
    project = sprint.project
    is_open = sprint.status in OPEN_SPRINTS
    is_active = sprint.status == Sprint.Status.ACTIVE
    unfinished = WorkItem.objects.filter(sprint=sprint).exclude(status__in=FINISHED_ITEM_STATUSES)
    context = {
        "sprint": sprint,
        "typed": typed or {},
        "is_open": is_open,
        "lacking": sprint_closing.not_done(sprint) if is_active else [],
        "kill_results": (
            sprint_closing.judge_kill_criteria(sprint, timezone.now()) if is_active else []
        ),
        "unfinished": unfinished.select_related("assignee") if is_open else [],
        "targets": project.sprints.filter(status__in=OPEN_SPRINTS).exclude(pk=sprint.pk),
        "snapshot": getattr(sprint, "snapshot", None),
        "review_url": (
            address("governance:reviews-of", "sprint", sprint.pk)
            if sprint.status == Sprint.Status.CLOSED
            else ""
        ),
        "may_close": is_active and access.can(actor, "sprint.close", project),
        "may_cancel": is_open and access.can(actor, "sprint.cancel", project),
    }
    return render(request, "projects/closing.html", context, status=status)
