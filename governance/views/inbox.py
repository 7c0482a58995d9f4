"""The inbox: what waits for me, what I asked for, what was decided, what is open."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.services import inbox as inboxes
from governance.views.base import page
from projects.actors import Actor

#: Rows of the lists that grow for ever.
SHOWN = 20


@require_safe
@page
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the person who is signed in."""
    user = cast("User", actor.user)
    context = {
        "waiting": inboxes.waiting_for(user),
        "requests": inboxes.requested_by(actor)[:SHOWN],
        "decided": inboxes.recently_decided(actor)[:SHOWN],
        "findings": inboxes.unresolved_findings(actor)[:SHOWN],
    }
    return render(request, "governance/inbox.html", context)
