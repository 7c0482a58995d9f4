"""Asking somebody else to sign, and passing the right to sign on for some days."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.models import GateReview
from governance.services import assignments, delegations
from governance.services.assignments import Handover
from governance.services.delegations import NewDelegation
from governance.services.signers import Eligibility
from governance.views.base import attempt, page
from governance.views.forms import DelegationForm, DueDateForm, HandoverForm
from governance.views.review_state import seats_of
from governance.views.reviews import review_or_404
from projects.access import roles_of
from projects.actors import Actor
from projects.models import Stakeholder
from projects.rules.words import role_words


@require_safe
@page
def hand_over(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Offer, for each signature that is missing, to ask somebody else or to delegate."""
    review = review_or_404(actor, pk)
    people = assignments.may_be_asked(review)
    held = roles_of(actor.user, review.project) if actor.user else frozenset()
    seats = [seat for seat in seats_of(review, people) if not seat.is_signed]
    context = {
        "review": review,
        "may_reassign": assignments.may_reassign(review, actor),
        "chosen": request.GET.get("role", ""),
        "offers": [
            {
                "seat": seat,
                "words": role_words(seat.role),
                "reassign": _handover_form(review, seat.role, people),
                "delegate": _delegation_form(review, seat.role, actor)
                if seat.role in held
                else None,
            }
            for seat in seats
        ],
    }
    return render(request, "governance/hand_over.html", context)


@require_POST
@page
def assign(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ask somebody else to sign in a role."""
    review = review_or_404(actor, pk)
    form = HandoverForm(request.POST, people=User.objects.filter(is_active=True))
    if not form.is_valid():
        return _refused(request, review, form)
    said = form.cleaned_data
    handover = Handover(said["role"], said["person"], said["note"])
    return attempt(
        request,
        lambda: assignments.reassign(review, handover, actor=actor),
        done=f"{said['person'].get_full_name() or said['person']} is asked now, and was told.",
        back=_review(review),
    )


@require_POST
@page
def delegate(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Pass the own right to sign in a role on this project on for some days."""
    review = review_or_404(actor, pk)
    people = User.objects.filter(is_active=True)
    form = DelegationForm(request.POST, people=people, gate=review.gate)
    if not form.is_valid():
        return _refused(request, review, form)
    said = form.cleaned_data
    start = timezone.now()
    wanted = NewDelegation(
        project=review.project,
        role=said["role"],
        gate=said["gate"],
        delegate=said["person"],
        reason=said["note"],
        valid_from=start,
        valid_to=start + timedelta(days=said["days"]),
    )
    name = said["person"].get_full_name() or said["person"]
    where = "at this gate" if said["gate"] else "on every review"
    return attempt(
        request,
        lambda: delegations.delegate(wanted, actor=actor),
        done=f"{name} may sign for you for {said['days']} days, {where} of this project.",
        back=_review(review),
    )


@require_POST
@page
def move_due_date(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Set another day by which the review shall be decided."""
    review = review_or_404(actor, pk)
    form = DueDateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a day and the reason.")
        return redirect(_review(review))
    said = form.cleaned_data
    return attempt(
        request,
        lambda: assignments.move_due_date(
            review, said["due_on"], actor=actor, reason=said["reason"]
        ),
        done=f"The review is due on {said['due_on']:%d %B %Y} now.",
        back=_review(review),
    )


def _handover_form(review: GateReview, role: str, people: list[Eligibility]) -> HandoverForm | None:
    """Return the form with those who may sign in the role; None where there is nobody else."""
    asked = review.assignments.current().filter(role=role).values_list("user", flat=True)
    fit = {one.user.pk for one in people if one.role == role} - set(asked)
    if not fit:
        return None
    return HandoverForm(people=_people(fit), initial={"role": role}, auto_id=f"ask-{role}-%s")


def _delegation_form(review: GateReview, role: str, actor: Actor) -> DelegationForm:
    """Return the form with the people on the project that a delegation may go to."""
    held = Stakeholder.objects.current().filter(project=review.project)
    unfit = held.filter(role__in=[role, Stakeholder.Role.AUDITOR]).values("user")
    fit = held.exclude(user__in=unfit).exclude(user=actor.user_id)
    people = _people(fit.values_list("user", flat=True))
    options = {"initial": {"role": role}, "auto_id": f"pass-{role}-%s"}
    return DelegationForm(people=people, gate=review.gate, **options)


def _people(pks: Any) -> QuerySet[User]:
    return User.objects.filter(pk__in=pks, is_active=True).order_by("first_name", "username")


def _refused(request: HttpRequest, review: GateReview, form: HandoverForm) -> HttpResponse:
    first = next(iter(form.errors.values()))[0]
    messages.error(request, f"Nothing was changed: choose a person and say why. {first}")
    return redirect(reverse("governance:hand-over", args=[review.pk]))


def _review(review: GateReview) -> str:
    return reverse("governance:review", args=[review.pk]) + "#state"
