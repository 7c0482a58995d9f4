"""Findings: what is wrong, where, who sees to it, and how it was resolved and verified."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import Finding, GateReview
from governance.services import finding_changes, findings
from governance.views.base import attempt, page, visible_or_404
from governance.views.duty_forms import FindingFilterForm, PlanForm, RegradeForm
from governance.views.forms import FindingForm
from ledger.models import LedgerEntry
from projects.actors import Actor
from projects.models import Project, Stakeholder

PER_PAGE = 50


class ResolutionForm(forms.Form):
    """What was done about a finding."""

    resolution = forms.CharField(
        label="What was done about it?", widget=forms.Textarea(attrs={"rows": 4}), max_length=4000
    )


@require_safe
@page
def finding(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show one finding with what may be done next."""
    found = visible_or_404(
        Finding.objects.select_related("project", "owner", "resolved_by", "closed_by", "review"),
        actor,
        pk=pk,
    )
    reviews = GateReview.objects.visible_to(actor).of_subject(found.subject_kind, found.subject_ref)
    context = {
        "finding": found,
        "is_overdue": _is_overdue(found),
        "opened_by": _name_of(found.source),
        "may_resolve": access.can(actor, "finding.resolve", found.project),
        "may_close": access.can(actor, "finding.close", found.project)
        and actor.user_id not in findings.not_independent(found),
        "reviews": reviews.order_by("-pk")[:10],
        "resolution": ResolutionForm(),
        "history": LedgerEntry.objects.filter(subject=found.ref).order_by("seq"),
        **_changes(found, actor),
    }
    return render(request, "governance/finding.html", context)


def _is_overdue(found: Finding) -> bool:
    late = found.due_on is not None and found.due_on < timezone.now().date()
    return late and found.status != Finding.Status.CLOSED


def _changes(found: Finding, actor: Actor) -> dict[str, forms.Form | None]:
    """Return the forms that change a finding, for whom they make sense."""
    if found.status == Finding.Status.CLOSED:
        return {}
    may_plan = access.can(actor, "finding.plan", found.project)
    may_regrade = access.can(actor, "finding.regrade", found.project)
    said = {
        "owner": found.owner_id,
        "due_on": found.due_on,
        "recommended_action": found.recommended_action,
    }
    people = _participants(found)
    return {
        "plan": PlanForm(people=people, initial=said, auto_id="plan-%s") if may_plan else None,
        "regrade": RegradeForm(initial={"severity": found.severity}, auto_id="grade-%s")
        if may_regrade
        else None,
    }


def _participants(found: Finding) -> QuerySet[User]:
    held = Stakeholder.objects.current().filter(project=found.project, role__in=access.PARTICIPANTS)
    return User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("username")


@require_safe
@page
def finding_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the findings of the actor's projects, filtered by what the address says."""
    form = FindingFilterForm(request.GET)
    form.fields["project"].queryset = Project.objects.visible_to(actor)  # type: ignore[attr-defined]
    rows: QuerySet[Finding] = Finding.objects.visible_to(actor).select_related("project", "owner")
    if form.is_valid():
        rows = _filtered(rows, form.cleaned_data, actor)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "today": timezone.now().date(),
    }
    return render(request, "governance/findings.html", context)


def _filtered(rows: QuerySet[Finding], wanted: dict[str, Any], actor: Actor) -> QuerySet[Finding]:
    if wanted["status"] == "unresolved":
        rows = rows.exclude(status=Finding.Status.CLOSED)
    elif wanted["status"]:
        rows = rows.filter(status=wanted["status"])
    if wanted["severity"]:
        rows = rows.filter(severity=wanted["severity"])
    if wanted["project"]:
        rows = rows.filter(project=wanted["project"])
    if wanted["mine"]:
        rows = rows.filter(owner=actor.user_id)
    if wanted["overdue"]:
        rows = rows.exclude(status=Finding.Status.CLOSED).filter(due_on__lt=timezone.now().date())
    return rows


def _name_of(source: str) -> str:
    """Return who an actor reference stands for, in words."""
    kind, _, key = source.partition(":")
    user = User.objects.filter(pk=key).first() if kind == "user" and key.isdecimal() else None
    if user is not None:
        return user.get_full_name() or user.get_username()
    return f"{key} (part of the system)" if kind == "system" else source


@require_POST
@page
def raise_finding(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Put a defect on record that was found on a review's page."""
    review = visible_or_404(GateReview.objects.select_related("project"), actor, pk=pk)
    form = FindingForm(request.POST)
    back = reverse("governance:review", args=[pk]) + "#findings"
    if not form.is_valid():
        messages.error(request, "Say in a few words what is wrong, and how grave it is.")
        return redirect(back)
    new = findings.NewFinding(
        review.project,
        review.subject_kind,
        review.subject_ref,
        review=review,
        **form.cleaned_data,
    )
    return attempt(
        request,
        lambda: findings.open_finding(new, actor=actor),
        done="The finding is on record. Evaluate again to see what it does to the gate.",
        back=back,
    )


@require_POST
@page
def resolve(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Record what was done about a finding."""
    found = visible_or_404(Finding.objects.all(), actor, pk=pk)
    back = reverse("governance:finding", args=[pk])
    form = ResolutionForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say in a sentence what was done about the finding.")
        return redirect(back)
    return attempt(
        request,
        lambda: findings.resolve_finding(
            found, actor=actor, resolution=form.cleaned_data["resolution"]
        ),
        done="The finding is resolved. Somebody else verifies and closes it.",
        back=back,
    )


@require_POST
@page
def reopen(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send a resolved finding back."""
    found = visible_or_404(Finding.objects.all(), actor, pk=pk)
    reason = request.POST.get("reason", "")[:4000]
    return attempt(
        request,
        lambda: findings.reopen_finding(found, actor=actor, reason=reason),
        done="The finding is open again.",
        back=reverse("governance:finding", args=[pk]),
    )


@require_POST
@page
def close(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Confirm that a resolved finding is gone."""
    found = visible_or_404(Finding.objects.all(), actor, pk=pk)
    return attempt(
        request,
        lambda: findings.close_finding(found, actor=actor),
        done="The finding is verified and closed.",
        back=reverse("governance:finding", args=[pk]),
    )


@require_POST
@page
def plan(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Give a finding an owner and a date."""
    found = visible_or_404(Finding.objects.select_related("project"), actor, pk=pk)
    form = PlanForm(request.POST, people=_participants(found))
    back = reverse("governance:finding", args=[pk])
    if not form.is_valid():
        messages.error(request, "Choose somebody of the project and a day.")
        return redirect(back)
    wanted = finding_changes.Plan(**form.cleaned_data)
    return attempt(
        request,
        lambda: finding_changes.plan_finding(found, wanted, actor=actor),
        done="Owner and date are on record.",
        back=back,
    )


@require_POST
@page
def regrade(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Change how grave a finding is."""
    found = visible_or_404(Finding.objects.select_related("project"), actor, pk=pk)
    severity = request.POST.get("severity", "")
    reason = request.POST.get("reason", "")[:4000]
    return attempt(
        request,
        lambda: finding_changes.regrade_finding(found, severity, actor=actor, reason=reason),
        done="The new severity is on record.",
        back=reverse("governance:finding", args=[pk]),
    )
