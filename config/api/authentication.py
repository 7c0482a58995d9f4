"""How a REST caller proves who they are: a token, or the browser's session."""

from knox.auth import TokenAuthentication
from rest_framework import authentication


class KnoxTokenAuthentication(TokenAuthentication):
    """API token, hashed at rest; its holder may not sign."""

    countersign_method = "token"


class SessionAuthentication(authentication.SessionAuthentication):
    """Browser session with CSRF check; the only way in which a person may sign."""

    countersign_method = "session"

    def authenticate_header(self, request: object) -> str:
        # Without a header DRF turns 401 into 403 for callers who sent nothing.
        return "Session"
