"""What the forms of an item's page post to; a refusal shows the page with what was typed."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from projects import errors
from projects.actors import Actor
from projects.models import WorkItem
from projects.problems import of_domain_error
from projects.services import comments, dependencies, notices, time_boxes, work_items
from projects.services.work_item_editing import edit_work_item
from projects.views.base import page, visible_or_404
from projects.views.item_forms import ConcludeForm, EditForm, add_errors
from projects.views.items import ITEMS, Typed, show_item
from projects.web import attempt, back_to, words_of


@require_POST
@page
def edit_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Save what was typed into the fields of an item."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    form = EditForm(item, request.POST)
    if not form.is_valid():
        return show_item(request, actor, item, Typed(edit=form), status=400)
    version = form.cleaned_data["version"]
    try:
        edit_work_item(item, form.changes(), actor=actor, version=version)
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        add_errors(form, error)
        if isinstance(error, errors.StaleState):
            item = visible_or_404(ITEMS, actor, pk=pk)
            # The page now shows what the other person wrote; saving again is a decision.
            typed = request.POST.copy()
            typed["version"] = str(item.version_lock)
            form.data = typed
        return _refused(request, actor, item, Typed(edit=form), error)
    messages.success(request, f"“{item.title}” was saved.")
    return redirect("projects:item", pk)


@require_POST
@page
def conclude_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Finish an item with its outcome and what its kind asks for at the end."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    form = ConcludeForm(item, request.POST)
    if not form.is_valid():
        return show_item(request, actor, item, Typed(conclude=form), status=400)
    try:
        work_items.conclude_work_item(
            item,
            actor=actor,
            outcome=form.cleaned_data["outcome"],
            conclusion=form.cleaned_data["conclusion"],
            details=form.details(),
        )
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        add_errors(form, error)
        item = visible_or_404(ITEMS, actor, pk=pk)
        return _refused(request, actor, item, Typed(conclude=form), error)
    messages.success(request, f"“{item.title}” is concluded.")
    return back_to(request, reverse("projects:item", args=[pk]))


@require_POST
@page
def comment_on_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Say something on an item."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    body = request.POST.get("body", "")
    return _try(
        request,
        actor,
        item,
        lambda: comments.add_comment(item, body, actor=actor),
        Typed(comment=body),
    )


@require_POST
@page
def stop_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Choose to stop at the end of the time box."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    words = request.POST.get("conclusion", "")
    return _try(
        request,
        actor,
        item,
        lambda: time_boxes.stop_at_time_box(item, actor=actor, conclusion=words),
        Typed(stop=words),
    )


@require_POST
@page
def extend_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Extend the time box, once."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    hours, reason = request.POST.get("hours", ""), request.POST.get("reason", "")
    return _try(
        request,
        actor,
        item,
        lambda: time_boxes.extend_time_box(item, actor=actor, hours=_number(hours), reason=reason),
        Typed(extend=(hours, reason)),
    )


@require_POST
@page
def depend_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Let an item wait for another, or no longer."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    needed = visible_or_404(WorkItem.objects.all(), actor, pk=_number(request.POST.get("on", "")))
    is_off = "remove" in request.POST
    command = dependencies.remove_dependency if is_off else dependencies.add_dependency
    return _try(request, actor, item, lambda: command(item, needed, actor=actor), Typed())


@require_POST
@page
def watch_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Watch an item, or stop watching it."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    stops = request.POST.get("watch") == "off"
    command = notices.unwatch if stops else notices.watch
    done = "You no longer watch this item." if stops else "You watch this item."
    attempt(request, lambda: command(item, actor=actor), done=done)
    return redirect("projects:item", pk)


def _try(
    request: HttpRequest,
    actor: Actor,
    item: WorkItem,
    command: Callable[[], object],
    typed: Typed,
) -> HttpResponse:
    try:
        command()
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        return _refused(request, actor, item, typed, error)
    return redirect("projects:item", item.pk)


def _refused(
    request: HttpRequest, actor: Actor, item: WorkItem, typed: Typed, error: errors.DomainError
) -> HttpResponse:
    messages.error(request, words_of(error))
    fresh = visible_or_404(ITEMS, actor, pk=item.pk)
    return show_item(request, actor, fresh, typed, status=of_domain_error(error).status)


def _number(text: str) -> int:
    """Return what was typed as a number; what is none is 0, which every command refuses."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004
