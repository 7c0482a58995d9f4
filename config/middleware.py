"""What happens around every view: whose request it is, its name, an answer for a refusal."""

import ipaddress
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import errors
from projects.errors import DomainError

View = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ClientAddressMiddleware:
    """Take the caller's address from the proxies in front, of which there are `PROXY_HOPS`.

    Each proxy adds to `X-Forwarded-For` the address that called it. What stands further left is the
    caller's own word and is never believed; it would end up in the record of a signature.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        hops = settings.PROXY_HOPS
        told = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
        if 0 < hops <= len(told) and _is_address(told[-hops]):
            request.META["REMOTE_ADDR"] = told[-hops]
        return self.get_response(request)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class RequestIdMiddleware:
    """Name every request, by the caller's `X-Request-ID` if it is well formed, and say the name."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RefusalMiddleware:
    """Answer a command's refusal that a view let through; other exceptions reach Django."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return errors.refused(request, exception)
        return None
