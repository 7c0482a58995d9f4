"""A refusal or failure as `application/problem+json` (RFC 9457), whichever door tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse

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


def respond(problem: Problem) -> HttpResponse:
    """Return the problem as an answer of a plain Django view."""
    return JsonResponse(problem.body, status=problem.status, content_type=CONTENT_TYPE)
