"""What was refused, and what the buttons on promotions post to."""

from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance.models import Promotion
from governance.models.promotion import DeniedAttemptQuerySet
from governance.services import denials, retirement, rollback
from governance.views.base import page, visible_or_404
from projects.actors import Actor
from projects.views.base import whole_number
from projects.web import as_file, attempt, back_to

PER_PAGE = 50


class DaysForm(forms.Form):
    """From which day to which; either may be left open."""

    first = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )


@require_safe
@page
def denied_attempts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what was refused to whom: everyone's own, and for overseers their projects'."""
    days = DaysForm(request.GET)
    rows = _in_days(denials.overseen_by(actor), days)
    context = {
        "counts": denials.counts_of(rows),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "days": days,
        "days_query": urlencode(_given(request)),
    }
    return render(request, "governance/denied_attempts.html", context)


@require_safe
@page
def denied_attempts_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Give out the same refusals as CSV."""
    rows = _in_days(denials.overseen_by(actor), DaysForm(request.GET))
    return as_file(denials.exported(rows), "refusals.csv", "text/csv; charset=utf-8")


def _in_days(rows: DeniedAttemptQuerySet, days: DaysForm) -> DeniedAttemptQuerySet:
    """Keep the days that were asked for; a date that is none narrows nothing."""
    given = days.cleaned_data if days.is_valid() else {}
    return denials.in_range(rows, given.get("first"), given.get("last"))


def _given(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("first", "last") if request.GET.get(name)}


@require_POST
@page
def retire(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ask for a version's retirement and go to the review that decides it."""
    rows = Promotion.objects.select_related("environment", "review", "project")
    found = visible_or_404(rows, actor, pk=pk)
    reason = request.POST.get("reason", "")
    asked = attempt(
        request,
        lambda: retirement.request_retirement(found, actor=actor, reason=reason),
        done="Its retirement is requested; it goes on serving until this review is approved.",
    )
    found.refresh_from_db()
    review = found.retirement_id if asked else found.review_id
    return redirect("governance:review", review)


@require_POST
@page
def roll_back(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Go back to the version that stood before."""
    rows = Promotion.objects.select_related("environment", "project", "review")
    found = visible_or_404(rows, actor, pk=pk)
    reason = request.POST.get("reason", "")
    version = whole_number(request.POST.get("version", ""))
    attempt(
        request,
        lambda: rollback.roll_back(found, actor=actor, reason=reason, to_version=version),
        done="It is undone; a worker puts the version that stood before in its place.",
    )
    return back_to(request, reverse("governance:review", args=[found.review_id]))
