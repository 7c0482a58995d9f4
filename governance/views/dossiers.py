"""The dossier of a review: what was issued, the document as it stands, and issued documents."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import Dossier
from governance.services import dossiers
from governance.views.base import attempt, page
from governance.views.reviews import review_or_404
from projects.actors import Actor


@require_safe
@page
def dossier(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show which dossiers of a review were issued, and offer to issue one."""
    review = review_or_404(actor, pk)
    context = {
        "review": review,
        "issued": review.dossiers.select_related("issued_by"),
        "may_issue": access.can(actor, "dossier.issue", review.project),
    }
    return render(request, "governance/dossier_page.html", context)


@require_safe
@page
def document(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send the document of a review as it stands now, to be read or printed."""
    return _document(dossiers.compose(review_or_404(actor, pk)))


@require_safe
@page
def issued(request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """Send a dossier that was issued, by its digest."""
    found = Dossier.objects.visible_to(actor).filter(digest=digest).first()
    if found is None:
        raise Http404("No dossier of this digest was issued.")
    return _document(dossiers.read_dossier(found))


@require_POST
@page
def issue(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Keep the document as it stands and put its digest on record."""
    review = review_or_404(actor, pk)
    return attempt(
        request,
        lambda: dossiers.issue_dossier(review, actor=actor),
        done="The dossier is kept, and its digest is in the ledger.",
        back=reverse("governance:dossier", args=[pk]),
    )


def _document(data: bytes) -> HttpResponse:
    response = HttpResponse(data, content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = dossiers.content_policy()
    response["X-Content-Type-Options"] = "nosniff"
    return response
