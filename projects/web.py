"""What the admin and the pages share: the person who acts, and refusals told as messages."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from projects import errors
from projects.actors import Actor, person


def actor_of(request: HttpRequest) -> Actor:
    """Return the person who is signed in to the browser session."""
    return person(cast("Any", request.user), method="session")


def attempt(request: HttpRequest, command: Callable[[], object], *, done: str) -> bool:
    """Carry out a command, and tell its outcome as a message; say whether it was done.

    `NotFound` passes on, so that strangers get the same answer as everywhere.
    """
    try:
        command()
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        messages.error(request, words_of(error))
        return False
    messages.success(request, done)
    return True


def words_of(error: errors.DomainError) -> SafeString | str:
    """Return a refusal with each of its reasons on a line."""
    reasons: Sequence[str] = error.details.get("reasons") or ()
    if not reasons:
        return error.message
    # Line breaks, not a list: the admin's style sheet shows every list item as a message.
    lines = format_html_join("", "<br>• {}", ((reason,) for reason in reasons))
    return format_html("{}{}", error.message, lines)


def back_to(request: HttpRequest, default: str) -> HttpResponse:
    """Return to the page that the form named in `next`, if it is one of ours."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if safe else default)


def as_file(text: str, name: str, media_type: str) -> HttpResponse:
    """Return text as an answer that browsers save under a name."""
    answer = HttpResponse(text, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
