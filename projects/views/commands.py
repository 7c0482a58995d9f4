"""What the buttons of pages and admin post to; each view calls one command."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from projects.actors import Actor
from projects.models import ScopingDocument, Sprint, WorkItem
from projects.services import scoping, work_items
from projects.views.base import page, visible_or_404
from projects.web import attempt, back_to


@require_POST
@page
def submit_scope(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Submit a draft, or say what stands against it."""
    document = visible_or_404(ScopingDocument.objects.all(), actor, pk=pk)
    attempt(
        request,
        lambda: scoping.submit_scoping_document(document, actor=actor),
        done=f"{document} was submitted.",
    )
    return back_to(request, reverse("projects:scope", args=[pk]))


@require_POST
@page
def withdraw_scope(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Take back a document."""
    document = visible_or_404(ScopingDocument.objects.all(), actor, pk=pk)
    attempt(
        request,
        lambda: scoping.withdraw_scoping_document(document, actor=actor),
        done=f"{document} was withdrawn.",
    )
    return back_to(request, reverse("projects:scope", args=[pk]))


@require_POST
@page
def schedule_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Take an item of the backlog into the sprint named in `sprint`."""
    item = visible_or_404(WorkItem.objects.all(), actor, pk=pk)
    number = request.POST.get("sprint", "")
    sprint = visible_or_404(Sprint.objects.all(), actor, pk=number if number.isdecimal() else 0)
    attempt(
        request,
        lambda: work_items.schedule_work_item(item, sprint, actor=actor),
        done=f"“{item.title}” is on the board.",
    )
    return back_to(request, reverse("projects:board", args=[sprint.pk]))
