"""What a signer sends, and the circumstances under which it reached us."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class NewCondition:
    """A promise that an approval depends on, and the later gate that waits for it, if one does."""

    text: str
    due_on: date
    blocks_gate: str = ""


@dataclass(frozen=True, slots=True)
class SigningCircumstances:
    """How a signature reached us; kept with the sign-off and, but for a digest, off the ledger."""

    locale: str = ""
    auth_methods: tuple[str, ...] = ("session", "password")
    session_id_hash: str = ""
    ip: str = ""
    user_agent: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the circumstances as the sign-off keeps them."""
        return {**asdict(self), "auth_methods": list(self.auth_methods)}


def circumstances_of(request: HttpRequest) -> SigningCircumstances:
    """Return what a request tells of the circumstances; the session by its hash alone."""
    session = getattr(request, "session", None)
    key = (session.session_key if session is not None else None) or ""
    return SigningCircumstances(
        locale=get_language() or "",
        session_id_hash=hashlib.sha256(key.encode()).hexdigest() if key else "",
        ip=str(request.META.get("REMOTE_ADDR", "")),
        user_agent=str(request.META.get("HTTP_USER_AGENT", ""))[:_LONGEST],
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signer sent: the decision, the digest and page that were shown, the password."""

    role: str
    outcome: str
    meaning: str
    reason: str
    password: str
    bindings_digest: str
    conditions: Sequence[NewCondition] = ()
    page_token: str = ""
    circumstances: SigningCircumstances = field(default_factory=SigningCircumstances)

    def __repr__(self) -> str:
        # A traceback or a log line must not show the password.
        return f"Signature(role={self.role!r}, outcome={self.outcome!r})"
