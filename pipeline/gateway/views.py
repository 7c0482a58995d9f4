"""The door to MLflow: who calls is settled here, what they may do in MLflow's governed stores."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from pipeline.gateway.app import mlflow_app
from pipeline.gateway.authentication import BadCredentials, authenticated_actor
from pipeline.gateway.identity import acting_as
from projects.errors import NotPermitted

MOUNT = "/mlflow"
#: MLflow's interface carries inline styles and workers of its own; it still loads from here alone.
_UI_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; "
    "base-uri 'self'; form-action 'self'"
)


@csrf_exempt
def gateway(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """Authenticate, then hand the request to MLflow with its body unread.

    Exempt from the CSRF token, which MLflow's interface cannot send; sessions must prove instead
    that one of our own pages sent the request.
    """
    try:
        actor = authenticated_actor(request)
    except NotPermitted as refusal:
        return _problem(403, "PERMISSION_DENIED", refusal.message)
    except BadCredentials:
        return _unauthenticated("The user name, password or API token is not valid, or is locked.")
    if actor is None:
        if _is_navigation(request):
            return redirect_to_login(request.get_full_path())
        return _unauthenticated("Sign in, or send an API token (MLFLOW_TRACKING_TOKEN).")
    with acting_as(actor):
        return _call_mlflow(request)


def _call_mlflow(request: HttpRequest) -> HttpResponseBase:
    answer = _Answer()
    body = mlflow_app()(_environ(request), answer.start)
    response = StreamingHttpResponse(body, status=answer.status, reason=answer.reason)
    del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers[name] = value
    if answer.is_html:
        response.headers["Content-Security-Policy"] = _UI_POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _environ(request: HttpRequest) -> dict[str, Any]:
    """Return the WSGI environment as MLflow would see it if it were mounted by the server."""
    environ = dict(request.META)
    script = str(environ.get("SCRIPT_NAME", ""))
    raw_path = str(environ.get("PATH_INFO", ""))
    environ["SCRIPT_NAME"] = script + MOUNT
    environ["PATH_INFO"] = raw_path.removeprefix(MOUNT) or "/"
    # The answer passes through Django, so the server's own file wrapper would not reach it.
    environ.pop("wsgi.file_wrapper", None)
    # Credentials have done their work; MLflow shall neither log nor interpret them.
    environ.pop("HTTP_AUTHORIZATION", None)
    environ.pop("HTTP_COOKIE", None)
    return environ


class _Answer:
    """Collects what MLflow's application says before its body."""

    status = 200
    reason = ""
    headers: list[tuple[str, str]]

    def start(
        self, status: str, headers: Iterable[tuple[str, str]], _exc_info: object = None
    ) -> None:
        code, _, self.reason = status.partition(" ")
        self.status, self.headers = int(code), list(headers)

    @property
    def is_html(self) -> bool:
        return any(n.lower() == "content-type" and "html" in v for n, v in self.headers)


def _is_navigation(request: HttpRequest) -> bool:
    mode = request.META.get("HTTP_SEC_FETCH_MODE")
    accepts_pages = "text/html" in request.META.get("HTTP_ACCEPT", "")
    return request.method == "GET" and (mode == "navigate" or (mode is None and accepts_pages))


def _unauthenticated(message: str) -> HttpResponse:
    response = _problem(401, "UNAUTHENTICATED", message)
    response.headers["WWW-Authenticate"] = 'Basic realm="Countersign"'
    return response


def _problem(status: int, code: str, message: str) -> HttpResponse:
    body = json.dumps({"error_code": code, "message": message})
    return HttpResponse(body, status=status, content_type="application/json")
