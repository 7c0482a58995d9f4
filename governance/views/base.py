"""What every page shares: the actor, plain 404s, and refusals as messages instead of errors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from projects import errors
from projects.actors import Actor, person

Rest = ParamSpec("Rest")
Row = TypeVar("Row", bound=Model)

_STATUS: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.InvalidTransition: 409,
    errors.StaleState: 409,
    errors.RuleViolated: 422,
    errors.Unavailable: 503,
}


def page(
    view: Callable[Concatenate[HttpRequest, Actor, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """Give a view the person who is signed in; what the person may not know of is a 404."""

    @wraps(view)
    def signed_in(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        actor = person(cast("Any", request.user), method="session")
        try:
            return view(request, actor, *args, **kwargs)
        except errors.NotFound as error:
            raise Http404(error.message) from error

    return cast("Callable[Concatenate[HttpRequest, Rest], HttpResponse]", login_required(signed_in))


def visible_or_404(rows: QuerySet[Row], actor: Actor, **match: Any) -> Row:
    """Return the one row that matches, if the actor may see it."""
    return get_object_or_404(cast("Any", rows).visible_to(actor), **match)


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


def words_of(error: errors.DomainError) -> str:
    """Return the refusal and its reasons as one text."""
    reasons = [str(reason) for reason in error.details.get("reasons", [])]
    fresh = [reason for reason in reasons if reason not in error.message]
    return " ".join([error.message, *fresh])


def status_of(error: errors.DomainError) -> int:
    """Return the HTTP status under which a page shows a refusal."""
    return _STATUS.get(type(error), 422)
