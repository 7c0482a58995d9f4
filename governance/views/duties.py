"""What has an end: promises, approvals about to end, waivers and break-glass of my projects."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.models import Condition, GateReview, Override, Waiver
from governance.services import conditions, renewals, reviews, waivers
from governance.services.reviews import ReviewRequest
from governance.views.base import attempt, page, visible_or_404
from projects.actors import Actor
from projects.web import attempt as attempt_here
from projects.web import back_to

PER_PAGE = 50
#: Of the acts that grow for ever only the newest are shown; the admin lists all.
SHOWN = 20


@require_safe
@page
def duties(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what ends or falls due on the actor's projects, soonest first."""
    now = timezone.now()
    live = Waiver.objects.visible_to(actor).live(now).select_related("review__project")
    broken = Override.objects.visible_to(actor).select_related(
        "promotion__project", "promotion__environment", "requested_by", "confirmed_by"
    )
    context = {
        "today": now.date(),
        "page": Paginator(conditions.open_conditions(actor), PER_PAGE).get_page(
            request.GET.get("page")
        ),
        "ending": renewals.ending_for(actor)[:SHOWN],
        "waivers": live.select_related("granted_by").order_by("expires_at")[:SHOWN],
        "overrides": broken[:SHOWN],
        "live_overrides": broken.live(now).count(),
    }
    return render(request, "governance/duties.html", context)


@require_POST
@page
def meet(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Confirm that a promise was kept."""
    rows = Condition.objects.select_related("sign_off__review__project")
    found = visible_or_404(rows, actor, pk=pk)
    note = request.POST.get("note", "")[:4000]
    attempt_here(
        request,
        lambda: conditions.meet_condition(found, actor=actor, note=note),
        done="The condition is met, and you have confirmed it.",
    )
    return back_to(request, reverse("governance:review", args=[found.sign_off.review_id]))


@require_POST
@page
def renew(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ask for the review that renews an approval, or brings one back that ended."""
    old = visible_or_404(GateReview.objects.select_related("project"), actor, pk=pk)
    wanted = ReviewRequest(old.gate, old.project, old.subject_kind, old.subject_ref)
    asked: list[GateReview] = []
    back = reverse("governance:review", args=[pk])
    answer = attempt(
        request,
        lambda: asked.append(reviews.request_review(wanted, actor=actor)),
        done="The review is open. The approval before stands until this one is decided or it ends.",
        back=back,
    )
    if asked:
        answer["Location"] = reverse("governance:review", args=[asked[0].pk])
    return answer


@require_POST
@page
def revoke_waiver(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """End a waiver now."""
    found = visible_or_404(Waiver.objects.select_related("review__project"), actor, pk=pk)
    attempt_here(
        request,
        lambda: waivers.revoke_waiver(found, actor=actor),
        done="The waiver is revoked, and an approval that rests on it suspended.",
    )
    return back_to(request, reverse("governance:review", args=[found.review_id]))
