"""Three ways in: the browser's session, an API token, or user name and password."""

import base64
import binascii
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from pipeline.gateway import service_tokens
from projects.actors import Actor, person
from projects.errors import NotPermitted

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Checking a password costs a quarter of a second by design; once a minute is enough.
PASSWORD_CACHE_SECONDS = 60
_MAX_CACHED = 1000


class BadCredentials(Exception):
    """Credentials were sent and are not valid; they are never ignored in favour of a session."""


@dataclass(frozen=True, slots=True)
class _Verified:
    user_id: int
    password: str
    until: float


_verified: dict[bytes, _Verified] = {}


def authenticated_actor(request: HttpRequest) -> Actor | None:
    """Return who sends `request`; None if it carries nothing to tell by.

    Raises:
        BadCredentials: a header was sent that proves nothing.
        NotPermitted: code `cross_origin`, another site's page made the browser send this.
    """
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return _by_token(value)
    if scheme.lower() == "basic":
        # A browser that was asked for a password once sends it along by itself, like a cookie.
        _refuse_cross_origin(request, needs_proof=False)
        return _by_password(request, *_basic_pair(value))
    if scheme:
        raise BadCredentials
    return _by_session(request)


def _by_session(request: HttpRequest) -> Actor | None:
    user: User | AnonymousUser = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    _refuse_cross_origin(request, needs_proof=True)
    return person(user, method="session")


def _refuse_cross_origin(request: HttpRequest, *, needs_proof: bool) -> None:
    if request.method in SAFE_METHODS:
        return
    verdict = _same_origin(request)
    if verdict is False or (needs_proof and verdict is None):
        raise NotPermitted(
            "This change was not sent by a page of this service, so it is refused. "
            "Programs authenticate with an API token.",
            code="cross_origin",
        )


def _same_origin(request: HttpRequest) -> bool | None:
    """Tell whether one of our own pages sent this; None if the request does not say."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        own = f"{request.scheme}://{request.get_host()}"
        return origin == own or origin in settings.CSRF_TRUSTED_ORIGINS
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return bool(site == "same-origin")
    referer = request.META.get("HTTP_REFERER")
    if referer is None:
        return None
    return bool(urlsplit(referer).netloc == request.get_host())


def _by_token(token: str) -> Actor:
    actor = service_tokens.actor_of(token)
    if actor is not None:
        return actor
    user = _token_user(token)
    if user is None:
        raise BadCredentials
    return person(user, method="token")


def _token_user(token: str) -> User | None:
    from knox.auth import TokenAuthentication
    from rest_framework.exceptions import AuthenticationFailed

    try:
        user, _ = TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return None
    return user if isinstance(user, User) else None


def _basic_pair(value: str) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BadCredentials from None
    if not colon or not username:
        raise BadCredentials
    return username, password


def _by_password(request: HttpRequest, username: str, password: str) -> Actor:
    probe = _probe(request)
    if not AxesProxyHandler.is_allowed(probe, {"username": username}):
        raise BadCredentials
    user = _recently_verified(username, password)
    if user is None:
        user = _token_holder(username, password)
        if user is not None:
            return person(user, method="token")
        user = _verify_password(probe, username, password)
    return person(user, method="basic")


def _probe(request: HttpRequest) -> HttpRequest:
    """Return a stand-in for the lock-out code, which reads POST and would eat the upload."""
    probe = HttpRequest()
    probe.META = {k: v for k, v in request.META.items() if isinstance(v, str)}
    probe.method, probe.path = "POST", request.path
    return probe


def _token_holder(username: str, password: str) -> User | None:
    """Accept an API token where a client can send only a name and a password."""
    user = _token_user(password)
    return user if user is not None and username in {user.get_username(), "token"} else None


def _verify_password(probe: HttpRequest, username: str, password: str) -> User:
    user = authenticate(probe, username=username, password=password)
    if not isinstance(user, User):
        raise BadCredentials
    if len(_verified) >= _MAX_CACHED:
        _verified.clear()
    until = time.monotonic() + PASSWORD_CACHE_SECONDS
    _verified[_cache_key(username, password)] = _Verified(user.pk, user.password, until)
    return user


def _recently_verified(username: str, password: str) -> User | None:
    """Return the user if these very credentials were right a moment ago and nothing changed."""
    hit = _verified.get(_cache_key(username, password))
    if hit is None or hit.until < time.monotonic():
        return None
    return User.objects.filter(pk=hit.user_id, password=hit.password, is_active=True).first()


def _cache_key(username: str, password: str) -> bytes:
    pair = f"{len(username)}:{username}:{password}".encode()
    return hmac.digest(settings.SECRET_KEY.encode(), b"gateway\0" + pair, hashlib.sha256)
