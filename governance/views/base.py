"""What the pages of governance share besides what every page does: refusals told in words."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from governance.services.reviews import ReviewRequest, request_review
from projects import errors
from projects.actors import Actor
from projects.problems import of_domain_error
from projects.views.base import page, visible_or_404

__all__ = ["attempt", "page", "request_and_show", "status_of", "visible_or_404", "words_of"]


def attempt(
    request: HttpRequest, command: Callable[[], object], *, done: str, back: str
) -> HttpResponse:
    """Carry out a command and go back to its page with the outcome as a message.

    A refusal of the domain is told in its own words; `NotFound` passes on and becomes a 404.
    """
    try:
        command()
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        messages.error(request, words_of(error))
    else:
        messages.success(request, done)
    return redirect(back)


def request_and_show(
    request: HttpRequest, actor: Actor, wanted: ReviewRequest, *, back: str
) -> HttpResponse:
    """Request a review and go to its page, or back with the refusal as a message."""
    try:
        review = request_review(wanted, actor=actor)
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        messages.error(request, words_of(error))
        return redirect(back)
    messages.success(request, "The review is open.")
    return redirect(reverse("governance:review", args=[review.pk]))


def words_of(error: errors.DomainError) -> str:
    """Return the refusal and those of its reasons that it does not name itself, as one text."""
    reasons = [str(reason) for reason in error.details.get("reasons", [])]
    fresh = [reason for reason in reasons if reason not in error.message]
    return " ".join([error.message, *fresh])


def status_of(error: errors.DomainError) -> int:
    """Return the HTTP status under which a page shows a refusal."""
    return of_domain_error(error).status
