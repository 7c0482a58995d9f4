"""What the service answers when no view did: a page to people, a problem document to programs."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import csrf, defaults

from config.api.problems import wants_problem
from projects.errors import DomainError
from projects.problems import Problem, of_domain_error, respond


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400: the request is malformed or suspicious."""
    if wants_problem(request):
        return respond(Problem(400, "bad_request", "The request cannot be read."))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: the caller is known and may not do this."""
    if wants_problem(request):
        return respond(Problem(403, "not_permitted", str(exception) or "You may not do this."))
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: nothing here, or nothing that the caller may know of."""
    if wants_problem(request):
        return respond(Problem(404, "not_found", "There is nothing at this address for you."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without a word about the inside; Django has logged the trace."""
    if wants_problem(request):
        message = "Something failed on our side; the error is in the service's log."
        extra = {"request_id": getattr(request, "request_id", "")}
        return respond(Problem(500, "internal_error", message, extra))
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form without a valid token."""
    if wants_problem(request):
        return respond(Problem(403, "csrf_failed", reason))
    return csrf.csrf_failure(request, reason)


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer a command's refusal with its own sentence and reasons."""
    problem = of_domain_error(error)
    if wants_problem(request):
        return respond(problem)
    context = {"problem": problem, "reasons": problem.extra.get("reasons", ())}
    return render(request, "countersign/refusal.html", context, status=problem.status)


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer 429 to someone who guessed passwords too often."""
    wait = timedelta(hours=settings.AXES_COOLOFF_TIME)
    minutes = int(wait.total_seconds() // 60)
    sentence = f"Too many failed sign-ins; wait {minutes} minutes, then try again."
    problem = Problem(429, "locked_out", sentence)
    if wants_problem(request):
        response = respond(problem)
    else:
        response = render(request, "countersign/refusal.html", {"problem": problem}, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response
