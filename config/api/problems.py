"""Every error of a program's door as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from projects import errors

CONTENT_TYPE = "application/problem+json"
STATUS_BY_ERROR: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.InvalidTransition: 409,
    errors.StaleState: 409,
    errors.RuleViolated: 422,
    errors.Unavailable: 503,
}
# Addresses that programs call; every other address answers people with a page.
PROGRAM_DOORS = ("/api/", "/serve/")
_KEPT_HEADERS = ("WWW-Authenticate", "Retry-After")


@dataclass(frozen=True)
class Problem:
    """One refusal or failure: status, stable code, a sentence, and details for programs."""

    status: int
    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """Return the document; a detail named like a member of the standard gives way."""
        own = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        extra = {f"current_{key}" if key in own else key: v for key, v in self.extra.items()}
        return {**own, **extra}


def of_domain_error(error: errors.DomainError) -> Problem:
    """Return what a refusal of a command looks like from outside."""
    kinds = (kind for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)
    status = next((STATUS_BY_ERROR[kind] for kind in kinds), 422)
    return Problem(status, error.code, error.message, error.details)


def wants_problem(request: HttpRequest) -> bool:
    """Say whether a program asked, so that the answer is a document and not a page."""
    return request.path_info.startswith(PROGRAM_DOORS)


def respond(problem: Problem) -> HttpResponse:
    """Return the problem as an answer of a plain Django view."""
    return JsonResponse(problem.body, status=problem.status, content_type=CONTENT_TYPE)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a domain or framework error as a problem document; let others reach Django."""
    if isinstance(exc, errors.DomainError):
        return _response(of_domain_error(exc))
    answer = drf_exception_handler(exc, context)
    if answer is None:
        return None
    response = _response(_of_framework_error(exc, answer))
    for name in _KEPT_HEADERS:
        if name in answer.headers:
            response[name] = answer.headers[name]
    return response


def _of_framework_error(exc: Exception, answer: Response) -> Problem:
    status = answer.status_code
    if isinstance(exc, Http404):
        return Problem(status, "not_found", "There is nothing at this address for you.")
    if isinstance(exc, PermissionDenied):
        return Problem(status, "not_permitted", str(exc) or "You may not do this.")
    if isinstance(exc, exceptions.ValidationError):
        message = "Some fields are missing or wrong; see `errors`."
        return Problem(status, "invalid_input", message, {"errors": answer.data})
    codes = exc.get_codes() if isinstance(exc, exceptions.APIException) else "error"
    code = codes if isinstance(codes, str) else "error"
    return Problem(status, code, str(answer.data.get("detail", "")))


def _response(problem: Problem) -> Response:
    return Response(problem.body, status=problem.status, content_type=CONTENT_TYPE)
