"""What the forms for waivers and break-glass on a review's page post to."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from governance import access
from governance.models import Override, Promotion
from governance.services import evaluating, overrides, waivers
from governance.services.overrides import Confirmation, NewOverride
from governance.services.waivers import NewWaiver
from governance.views.base import attempt, page, visible_or_404
from governance.views.duty_forms import ConfirmationForm, OverrideForm, WaiverForm
from governance.views.reviews import review_or_404
from projects.actors import Actor
from projects.rules.working_days import end_of_day


@sensitive_post_parameters("password")
@require_POST
@page
def grant_waiver(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Permit a deviation from one requirement of a review."""
    review = review_or_404(actor, pk)
    every = [(one.key, one.title) for one in evaluating.latest_results(review)]
    roles = sorted(access.ACTIONS["waiver.grant"])
    form = WaiverForm(request.POST, roles=roles, keys=every)
    back = _back(pk, "requirements")
    if not form.is_valid():
        return _incomplete(request, form, back)
    said = form.cleaned_data
    wanted = NewWaiver(
        requirement_key=said["requirement_key"],
        reason=said["reason"],
        compensating_control=said["compensating_control"],
        role=said["role"],
        expires_at=end_of_day(said["ends_on"], timezone.get_current_timezone()),
        password=said["password"],
    )
    return attempt(
        request,
        lambda: waivers.grant_waiver(review, wanted, actor=actor),
        done="The waiver is on record. Evaluate again to let it count.",
        back=back,
    )


@sensitive_post_parameters("password")
@require_POST
@page
def request_override(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ask for break-glass on the promotion that a review decides."""
    promotion = _promotion(actor, pk)
    glass = overrides.break_glass_of(promotion)
    roles = sorted(glass.roles) if glass else []
    form = OverrideForm(request.POST, roles=roles, most=glass.max_hours if glass else 0)
    back = _back(promotion.review_id, "break-glass")
    if not form.is_valid():
        return _incomplete(request, form, back)
    wanted = NewOverride(**form.cleaned_data)
    return attempt(
        request,
        lambda: overrides.request_override(promotion, wanted, actor=actor),
        done="Break-glass is asked for. A second person in another role has to confirm it.",
        back=back,
    )


@sensitive_post_parameters("password")
@require_POST
@page
def confirm_override(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Confirm break-glass as the second person."""
    override = _override(actor, pk)
    glass = overrides.break_glass_of(override.promotion)
    form = ConfirmationForm(request.POST, roles=sorted(glass.roles) if glass else [])
    back = _back(override.promotion.review_id, "break-glass")
    if not form.is_valid():
        return _incomplete(request, form, back)
    second = Confirmation(**form.cleaned_data)
    return attempt(
        request,
        lambda: overrides.confirm_override(override, second, actor=actor),
        done=f"The promotion goes ahead for {override.hours} hours. Its review stays open.",
        back=back,
    )


@require_POST
@page
def decline_override(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Refuse a request for break-glass, or take it back."""
    override = _override(actor, pk)
    reason = request.POST.get("reason", "")[:4000]
    return attempt(
        request,
        lambda: overrides.decline_override(override, actor=actor, reason=reason),
        done="Break-glass is declined; the promotion waits for its review.",
        back=_back(override.promotion.review_id, "break-glass"),
    )


@require_POST
@page
def end_override(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """End break-glass before its hours are over."""
    override = _override(actor, pk)
    reason = request.POST.get("reason", "")[:4000]
    return attempt(
        request,
        lambda: overrides.end_override(override, actor=actor, reason=reason),
        done="Break-glass has ended. What it let through is served only if its review approved it.",
        back=_back(override.promotion.review_id, "break-glass"),
    )


def _promotion(actor: Actor, pk: int) -> Promotion:
    rows = Promotion.objects.select_related("project", "environment", "review__policy_version")
    return visible_or_404(rows, actor, pk=pk)


def _override(actor: Actor, pk: int) -> Override:
    rows = Override.objects.select_related(
        "promotion__project",
        "promotion__environment",
        "promotion__review__policy_version",
        "requested_by",
    )
    return visible_or_404(rows, actor, pk=pk)


def _incomplete(request: HttpRequest, form: Any, back: str) -> HttpResponse:
    name, wrong = next(iter(form.errors.items()))
    messages.error(request, f"Nothing was done. {form[name].label}: {wrong[0]}")
    return redirect(back)


def _back(pk: int, part: str) -> str:
    return reverse("governance:review", args=[pk]) + f"#{part}"
