"""Every REST error as `application/problem+json` (RFC 9457)."""

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from projects import errors

STATUS_BY_ERROR: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.InvalidTransition: 409,
    errors.StaleState: 409,
    errors.RuleViolated: 422,
    errors.Unavailable: 503,
}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a domain or framework error as a problem document; let others reach Django."""
    if isinstance(exc, errors.DomainError):
        status = STATUS_BY_ERROR.get(type(exc), 422)
        return _problem(status, exc.code, exc.message, exc.details)
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    code = getattr(exc, "default_code", "error")
    detail = response.data
    message = str(detail.get("detail", "")) if isinstance(detail, dict) else ""
    if isinstance(exc, exceptions.ValidationError):
        code, message = "invalid_input", "Some fields are missing or wrong."
    problem = _problem(response.status_code, code, message, {"errors": detail})
    for name, value in response.headers.items():
        if name.lower() in {"www-authenticate", "retry-after", "allow"}:
            problem[name] = value
    return problem


def _problem(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
    body = {"type": "about:blank", "status": status, "code": code, "title": message, **details}
    response = Response(body, status=status)
    response.content_type = "application/problem+json"
    return response
