"""What a person was told about work items."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from projects.actors import Actor
from projects.models import Notice
from projects.services import notices
from projects.views.base import page

A_PAGE = 50
#: More digits than a row number has.
LONGEST_NUMBER = 18


@require_safe
@page
def notice_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a person's notices, the unread ones marked."""
    rows = Notice.objects.visible_to(actor).select_related("item__project")
    shown = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    unread = rows.filter(read_at=None).count()
    return render(request, "projects/notices.html", {"notices": shown, "unread": unread})


@require_POST
@page
def read_notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Mark one notice as read, or all of them."""
    number = request.POST.get("notice", "")
    is_number = number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER
    numbers = [int(number)] if is_number else []
    if actor.user is not None:
        notices.mark_read(actor.user, numbers if number else None)
    return redirect("projects:notices")
