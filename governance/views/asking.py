"""Putting a subject up for review: where it stands at each gate, and who could sign there."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from governance import access
from governance.models import GateReview
from governance.services import asking
from governance.services.reviews import ReviewRequest
from governance.subjects import project_of, resolve
from governance.views.base import page, request_and_show, visible_or_404
from governance.views.eligibility import matrix_of
from governance.views.subjects import Fact, facts_of
from projects.actors import Actor
from projects.models import Project
from projects.rules.words import role_words

#: What to do before a subject can be judged at all.
_FIRST = {
    "scoping_document": "Submit the scope first: what is judged is what was submitted.",
    "sprint": "Close the sprint first: what is judged is what it came to.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@page
def reviews_of(request: HttpRequest, actor: Actor, kind: str, number: int) -> HttpResponse:
    """Show the reviews of a subject and the outlook at its gates, and request one of them."""
    if kind not in asking.ASKED_ALONE:
        raise Http404
    ref = f"{kind}:{number}"
    owner = project_of(kind, ref)
    project = visible_or_404(Project.objects.all(), actor, pk=owner.pk if owner else None)
    if request.method == "POST":
        wanted = ReviewRequest(request.POST.get("gate", ""), project, kind, ref)
        return request_and_show(request, actor, wanted, back=request.path)
    return render(request, "governance/reviews_of.html", _context(actor, project, kind, ref))


def _context(actor: Actor, project: Project, kind: str, ref: str) -> dict[str, Any]:
    action = f"review.request.{kind}"
    found = GateReview.objects.visible_to(actor).of_subject(kind, ref).order_by("-pk")
    outlooks = asking.outlooks(project, kind, ref, actor=actor)
    subject = GateReview(project=project, subject_kind=kind, subject_ref=ref)
    places: list[Fact] = [fact for facts in facts_of(subject).values() for fact in facts]
    return {
        "project": project,
        "kind": kind,
        "kind_words": GateReview.SubjectKind(kind).label.lower(),
        "label": _label(outlooks, found.first()) or resolve(kind, ref).label,
        "places": places,
        "reviews": found.select_related("project", "requested_by"),
        "gates": [(one, _matrix(one)) for one in outlooks],
        "may_request": access.can(actor, action, project),
        "who_may": [role_words(role) for role in sorted(access.ACTIONS[action])],
        "first": _FIRST.get(kind, ""),
    }


def _label(outlooks: list[asking.GateOutlook], latest: GateReview | None) -> str:
    ahead = next((one.outlook for one in outlooks if one.outlook), None)
    review = ahead.review if ahead else latest
    return review.subject_label if review else ""


def _matrix(one: asking.GateOutlook) -> dict[str, Any] | None:
    return matrix_of(one.outlook.review, one.outlook.people) if one.outlook else None
