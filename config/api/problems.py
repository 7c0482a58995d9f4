"""Which doors answer with problem documents, and how DRF's own errors become them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from projects import errors
from projects.problems import CONTENT_TYPE, Problem, of_domain_error

# Addresses that programs call; every other address answers people with a page.
PROGRAM_DOORS = ("/api/", "/serve/")
_KEPT_HEADERS = ("WWW-Authenticate", "Retry-After")


def wants_problem(request: HttpRequest) -> bool:
    """Say whether a program asked, so that the answer is a document and not a page."""
    return request.path_info.startswith(PROGRAM_DOORS)


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
