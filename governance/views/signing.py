"""The signature: one POST with the statement's digest and the password."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from governance.models import GateReview
from governance.services import evaluating
from governance.services import reviews as commands
from governance.services.signatures import NewCondition, circumstances_of
from governance.views.base import page, status_of, words_of
from governance.views.forms import ConditionFormSet, SigningForm
from governance.views.review_page import context_of
from governance.views.reviews import review_or_404
from projects.actors import Actor
from projects.errors import DomainError, NotFound


@sensitive_post_parameters("password")
@require_POST
@page
def sign(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Sign a review; a refusal shows the form again with every word but the password."""
    review = review_or_404(actor, pk)
    form = SigningForm(request.POST)
    gates = {"gates": evaluating.gates_after(review)}
    conditions = ConditionFormSet(_with_management(request), prefix="conditions", form_kwargs=gates)
    if not form.is_valid() or not conditions.is_valid():
        return _again(request, review, actor, form, conditions)
    try:
        commands.sign(review, _signature(request, form, conditions), actor=actor)
    except NotFound:
        raise
    except DomainError as error:
        form.add_error(None, words_of(error))
        review.refresh_from_db()
        return _again(request, review, actor, form, conditions, error=error)
    messages.success(request, "Signed. Your sign-off is on record and in the ledger.")
    return redirect(reverse("governance:review", args=[pk]) + "#sign-offs")


def _with_management(request: HttpRequest) -> Any:
    """Let the form set read a POST without its counters: no conditions were offered then."""
    data = request.POST.copy()
    data.setdefault("conditions-TOTAL_FORMS", "0")
    data.setdefault("conditions-INITIAL_FORMS", "0")
    return data


def _signature(request: HttpRequest, form: SigningForm, conditions: Any) -> commands.Signature:
    said = form.cleaned_data
    return commands.Signature(
        role=said["role"],
        outcome=said["outcome"],
        meaning=said["meaning"],
        reason=said["reason"],
        password=said["password"],
        bindings_digest=said["bindings_digest"],
        conditions=tuple(
            NewCondition(each["text"], each["due_on"], each.get("blocks_gate", ""))
            for each in conditions.cleaned_data
            if each.get("text")
        ),
        page_token=said["page_token"],
        circumstances=circumstances_of(request),
    )


def _again(
    request: HttpRequest,
    review: GateReview,
    actor: Actor,
    form: SigningForm,
    conditions: Any,
    error: DomainError | None = None,
) -> HttpResponse:
    """Show the page with what was entered and what is wrong with it."""
    context = context_of(request, review, actor)
    context["signing"] |= {"form": form, "refused": True}
    if conditions.forms:
        context["signing"]["conditions"] = conditions
    status = status_of(error) if error else 400
    return render(request, "governance/review.html", context, status=status)
