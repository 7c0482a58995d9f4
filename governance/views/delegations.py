"""My delegations: what I passed on, what was passed on to me, and giving one."""

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.models import Delegation
from governance.services import delegations as commands
from governance.services.delegations import NewDelegation
from governance.views.base import attempt, page, visible_or_404
from governance.views.duty_forms import GiveForm
from projects.actors import Actor
from projects.models import Stakeholder
from projects.rules.working_days import end_of_day

SHOWN = 50


@require_safe
@page
def delegations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the actor's delegations, and offer to give one."""
    now = timezone.now()
    rows = [
        {
            "delegation": one,
            "is_mine": one.holder_id == actor.user_id,
            "state": _state(one, now),
        }
        for one in commands.of_person(actor)[:SHOWN]
    ]
    today = timezone.localdate()
    initial = {"from_on": today, "to_on": today}
    form = _form(actor, initial=initial)
    context = {
        "given": [row for row in rows if row["is_mine"]],
        "held": [row for row in rows if not row["is_mine"]],
        "form": form if form.fields["role"].choices else None,  # type: ignore[attr-defined]
    }
    return render(request, "governance/delegations.html", context)


@require_POST
@page
def give(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Pass the own right to sign on."""
    form = _form(actor, request.POST)
    back = reverse("governance:delegations")
    if not form.is_valid():
        name, wrong = next(iter(form.errors.items()))
        messages.error(request, f"Nothing was passed on. {form[name].label}: {wrong[0]}")
        return redirect(back)
    said = form.cleaned_data
    zone = timezone.get_current_timezone()
    start = datetime.combine(said["from_on"], time.min, tzinfo=zone).astimezone(UTC)
    wanted = NewDelegation(
        project=said["project"],
        role=said["role"],
        gate=said["gate"],
        delegate=said["person"],
        reason=said["reason"],
        valid_from=max(start, timezone.now()),
        valid_to=end_of_day(said["to_on"], zone),
    )
    return attempt(
        request,
        lambda: commands.delegate(wanted, actor=actor),
        done="Passed on. Signatures given for you say so, and separation of duties asks you both.",
        back=back,
    )


@require_POST
@page
def revoke(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Take a delegation back."""
    found = visible_or_404(Delegation.objects.select_related("project"), actor, pk=pk)
    return attempt(
        request,
        lambda: commands.revoke_delegation(found, actor=actor),
        done="The right to sign is yours alone again.",
        back=reverse("governance:delegations"),
    )


def _form(actor: Actor, data: Any = None, **options: Any) -> GiveForm:
    held = Stakeholder.objects.current().filter(user=actor.user_id)
    held = held.exclude(role=Stakeholder.Role.AUDITOR)
    return GiveForm(data, held=held, people=_colleagues(held, actor), label_suffix="", **options)


def _colleagues(held: QuerySet[Stakeholder], actor: Actor) -> QuerySet[User]:
    """Return who shares a project with the actor; the command says who is fit for which."""
    beside = Stakeholder.objects.current().filter(project__in=held.values("project"))
    people = User.objects.filter(pk__in=beside.values("user"), is_active=True)
    return people.exclude(pk=actor.user_id or 0).order_by("first_name", "username")


def _state(delegation: Delegation, now: datetime) -> str:
    if delegation.revoked_at is not None:
        return "revoked"
    if delegation.valid_to <= now:
        return "ended"
    return "live" if delegation.valid_from <= now else "to come"
