"""A finding: what is wrong, where, and how it was resolved and verified."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import Finding, GateReview
from governance.services import findings
from governance.views.base import attempt, page, visible_or_404
from governance.views.forms import FindingForm
from projects.actors import Actor


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
        Finding.objects.select_related("project", "owner", "resolved_by", "closed_by"), actor, pk=pk
    )
    reviews = GateReview.objects.visible_to(actor).of_subject(found.subject_kind, found.subject_ref)
    context = {
        "finding": found,
        "opened_by": _name_of(found.source),
        "may_resolve": access.can(actor, "finding.resolve", found.project),
        "may_close": access.can(actor, "finding.close", found.project)
        and actor.user_id not in {found.resolved_by_id, found.owner_id},
        "reviews": reviews.order_by("-pk")[:10],
        "resolution": ResolutionForm(),
    }
    return render(request, "governance/finding.html", context)


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
        **form.cleaned_data,
        review=review,
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
