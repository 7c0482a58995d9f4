"""Where model versions stand: each environment with its mode, and what the mode let through."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.services import environments as services
from governance.views.base import page
from projects.actors import Actor


@require_safe
@page
def environments(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the environments with what stands in each."""
    context = {"standings": services.overview(actor)}
    return render(request, "governance/environments.html", context)


@require_safe
@page
def environment(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Show one environment with the changes that its mode let through."""
    found = [one for one in services.overview(actor) if one.environment.name == name]
    if not found:
        raise Http404(f"There is no environment {name}.")
    passed = services.recently_let_through(found[0].environment, actor=actor)
    context = {"standing": found[0], "passed": passed, "shown": services.SHOWN}
    return render(request, "governance/environment.html", context)
