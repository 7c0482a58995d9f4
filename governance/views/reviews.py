"""Gate reviews: the list, the page of one review, and what people do on it besides signing."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.models import GateReview
from governance.services import reviews as commands
from governance.views.base import attempt, page, visible_or_404
from governance.views.forms import FeedbackForm, ReviewFilterForm
from governance.views.review_page import context_of, signing_context
from projects.actors import Actor
from projects.models import Project

PER_PAGE = 50


@require_safe
@page
def reviews(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the reviews of the actor's projects, filtered by what the address says."""
    form = ReviewFilterForm(request.GET)
    projects = Project.objects.visible_to(actor)
    form.fields["project"].queryset = projects  # type: ignore[attr-defined]
    rows: QuerySet[GateReview] = GateReview.objects.visible_to(actor).select_related(
        "project", "requested_by"
    )
    if form.is_valid():
        rows = _filtered(rows, form.cleaned_data)
    listed = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": listed,
        "query": query.urlencode(),
        "statuses": GateReview.Status.choices,
        "gates": GateReview.objects.visible_to(actor)
        .order_by("gate")
        .values_list("gate", flat=True)
        .distinct(),
        "projects": projects,
    }
    return render(request, "governance/reviews.html", context)


def _filtered(rows: QuerySet[GateReview], wanted: dict[str, Any]) -> QuerySet[GateReview]:
    if wanted["status"]:
        rows = rows.filter(status=wanted["status"])
    if wanted["gate"]:
        rows = rows.filter(gate=wanted["gate"])
    if wanted["project"]:
        rows = rows.filter(project=wanted["project"])
    if wanted["overdue"]:
        rows = rows.filter(due_on__lt=timezone.now().date())
    return rows


def review_or_404(actor: Actor, pk: int) -> GateReview:
    """Return the review with what its page needs, if the actor may see it."""
    rows = GateReview.objects.select_related(
        "project", "policy_version__policy", "requested_by", "promotion__environment"
    )
    return visible_or_404(rows, actor, pk=pk)


@require_safe
@page
def review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show one review whole; htmx asks for the signing card alone when a choice changes."""
    found = review_or_404(actor, pk)
    if request.headers.get("HX-Target") == "sign":
        context = {"review": found, "signing": signing_context(request, found, actor)}
        return render(request, "governance/_sign.html", context)
    return render(request, "governance/review.html", context_of(request, found, actor))


@require_POST
@page
def evaluate(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Judge the requirements again."""
    found = review_or_404(actor, pk)
    return attempt(
        request,
        lambda: commands.evaluate_review(found, actor=actor),
        done="The requirements were evaluated again.",
        back=_address(pk),
    )


@require_POST
@page
def refresh(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Bind a review to its subject as it is now; the page tells which sign-offs outlived it."""
    found = review_or_404(actor, pk)
    return attempt(
        request,
        lambda: commands.refresh_review(found, actor=actor),
        done="The review is bound to the present state and was evaluated again.",
        back=_address(pk, "bound-anew"),
    )


@require_POST
@page
def suspend(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Suspend an approval at once."""
    found = review_or_404(actor, pk)
    reason = request.POST.get("reason", "")[:4000]
    return attempt(
        request,
        lambda: commands.suspend_review(found, actor=actor, reason=reason),
        done="The approval is suspended, and with it what rests on it.",
        back=_address(pk),
    )


@require_POST
@page
def withdraw(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Take a request back."""
    found = review_or_404(actor, pk)
    return attempt(
        request,
        lambda: commands.withdraw_review(found, actor=actor),
        done="The review is withdrawn.",
        back=_address(pk),
    )


@require_POST
@page
def feedback(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Add an advisory opinion."""
    found = review_or_404(actor, pk)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Write your opinion before you send it.")
        return redirect(_address(pk, "discussion"))
    return attempt(
        request,
        lambda: commands.give_feedback(found, actor=actor, text=form.cleaned_data["text"]),
        done="Your opinion is on record. It is advisory and counts towards no quorum.",
        back=_address(pk, "discussion"),
    )


def _address(pk: int, part: str = "") -> str:
    address = reverse("governance:review", args=[pk])
    return f"{address}#{part}" if part else address
