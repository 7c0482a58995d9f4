"""Asking for the review of a closed sprint, and where its reviews stand."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from governance import access
from governance.models import GateReview
from governance.services import reviews
from governance.services.policies import gates_for
from governance.views.base import page, request_and_show, visible_or_404
from projects.actors import Actor
from projects.models import Sprint

_KIND = GateReview.SubjectKind.SPRINT


@require_http_methods(["GET", "HEAD", "POST"])
@page
def sprint_review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show the reviews of a sprint, and request one at a gate of the policy that judges sprints."""
    sprint = visible_or_404(Sprint.objects.select_related("project"), actor, pk=pk)
    if request.method == "POST":
        wanted = reviews.ReviewRequest(
            request.POST.get("gate", ""), sprint.project, _KIND, sprint.ref
        )
        return request_and_show(request, actor, wanted, back=request.path)
    found = GateReview.objects.visible_to(actor).of_subject(_KIND, sprint.ref)
    gates = gates_for(sprint.project, _KIND)
    context = {
        "sprint": sprint,
        "reviews": found.select_related("project", "requested_by").order_by("-pk"),
        "gates": gates,
        "is_closed": sprint.status == Sprint.Status.CLOSED,
        "is_checklist": all(sprint.project.tier in gate.checklist_at for gate in gates),
        "may_request": access.can(actor, f"review.request.{_KIND}", sprint.project),
        "is_open": found.filter(status=GateReview.Status.OPEN).exists(),
    }
    return render(request, "governance/sprint_review.html", context)
