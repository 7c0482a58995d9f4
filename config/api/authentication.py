"""How a REST caller proves who they are: a token, the browser's session, or name and password."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from knox.auth import TokenAuthentication
from rest_framework import authentication, exceptions

LOCKED_OUT = "Too many failed sign-ins."


class KnoxTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """API token, hashed at rest; its holder may not sign."""

    countersign_method = "token"


class SessionAuthentication(authentication.SessionAuthentication):
    """Browser session with CSRF check; the only way in which a person may sign."""

    countersign_method = "session"

    def authenticate_header(self, request: object) -> str:
        # Without a header DRF turns 401 into 403 for callers who sent nothing.
        return "Session"


class BasicAuthentication(authentication.BasicAuthentication):
    """Name and password in the request; offered only where a token is made."""

    countersign_method = "basic"
    www_authenticate_realm = "countersign"

    def authenticate_credentials(self, userid: str, password: str, request: Any = None) -> Any:
        try:
            return super().authenticate_credentials(userid, password, request)
        except exceptions.AuthenticationFailed:
            if getattr(request, "axes_locked_out", False):
                wait = timedelta(hours=settings.AXES_COOLOFF_TIME).total_seconds()
                raise exceptions.Throttled(wait, LOCKED_OUT, "locked_out") from None
            raise
