"""The inbox: what waits for me, what I asked for, what is late, due, about to end, or new."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.models import GateReview, NoticePreference, ReviewNotice
from governance.services import inbox as inboxes
from governance.services import notices
from governance.services.conditions import open_conditions
from governance.services.renewals import ending_for
from governance.services.review_lines import lines_of
from governance.services.unasked import unasked
from governance.views.base import page
from governance.views.forms import InboxFilterForm, NoticePreferenceForm
from projects.actors import Actor
from projects.models import Project
from projects.views.base import whole_number

#: Rows of the lists that grow for ever.
SHOWN = 20


@require_safe
@page
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the person who is signed in."""
    user = cast("User", actor.user)
    gates = GateReview.objects.visible_to(actor).order_by("gate").values_list("gate", flat=True)
    form = InboxFilterForm(
        request.GET, projects=Project.objects.visible_to(actor), gates=list(gates.distinct())
    )
    narrowed = form.narrowed
    waiting = lines_of(narrowed(inboxes.waiting_for(user)), user)
    if form.only_asked:
        waiting = [line for line in waiting if line.is_asked]
    told = ReviewNotice.objects.visible_to(actor).select_related("project")
    own = Q(owner=user)
    found = inboxes.unresolved_findings(actor).alias(is_mine=own)
    context = {
        "form": form,
        "waiting": waiting,
        "requests": lines_of(narrowed(inboxes.requested_by(actor))[:SHOWN], user),
        "unasked": [one for one in unasked(actor) if form.chosen_project in {None, one.project}],
        "overdue": lines_of(narrowed(inboxes.overdue(actor))[:SHOWN], user),
        "team": inboxes.team(actor),
        "conditions": list(narrowed(open_conditions(actor), "sign_off__review__")[:SHOWN]),
        "findings": _of_project(found, form).order_by(
            "-is_mine", F("due_on").asc(nulls_last=True), "-opened_at"
        )[:SHOWN],
        "ending": narrowed(ending_for(actor))[:SHOWN],
        "notices": list(told[:SHOWN]),
        "unread": told.unread().count(),
        "decided": narrowed(inboxes.recently_decided(actor))[:SHOWN],
    }
    return render(request, "governance/inbox.html", context)


def _of_project(rows: QuerySet[Any], form: InboxFilterForm) -> QuerySet[Any]:
    return rows.filter(project=form.chosen_project) if form.chosen_project else rows


@require_POST
@page
def read_notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Mark one notice as read, or all of them."""
    number = whole_number(request.POST.get("notice", ""))
    notices.mark_read(cast("User", actor.user), None if number is None else [number])
    return redirect(reverse("governance:inbox") + "#notices")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def notice_settings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show and change what the person wants by e-mail."""
    user = cast("User", actor.user)
    kept = NoticePreference.objects.filter(user=user).first() or NoticePreference(user=user)
    form = NoticePreferenceForm(request.POST or None, initial=NoticePreferenceForm.of(kept))
    if form.is_valid():
        notices.set_preference(user, rhythm=form.cleaned_data["rhythm"], muted=form.muted)
        messages.success(request, "Kept. Your inbox shows every notice, whatever you chose here.")
        return redirect("governance:notice-settings")
    return render(request, "governance/notice_settings.html", {"form": form, "address": user.email})
