"""The files behind evidence, as they were stored."""

from typing import cast

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from governance.models import Evidence
from governance.views.base import page, visible_or_404
from projects import content_store
from projects.actors import Actor

#: What a browser may show in place; everything else is downloaded.
SHOWN_IN_PLACE = {"image/svg+xml", "image/png", "image/jpeg", "text/plain", "application/json"}
#: Evidence comes from clients: even a picture may hold script, so nothing in it may run or load.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@require_safe
@page
def evidence_content(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send the file of one piece of evidence, harmless in a browser."""
    evidence = visible_or_404(Evidence.objects.all(), actor, pk=pk)
    if not evidence.attachment:
        raise Http404("This evidence has no file.")
    path = content_store.path(evidence.attachment)
    if not path.exists():
        raise Http404("The file is not in the content store of this machine.")
    is_shown = evidence.media_type in SHOWN_IN_PLACE
    response = FileResponse(
        path.open("rb"),
        as_attachment=not is_shown,
        filename=f"evidence-{evidence.pk}{_suffix(evidence.media_type)}",
        content_type=evidence.media_type if is_shown else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    # Addressed by digest, so the bytes behind this row never change.
    response["Cache-Control"] = "private, max-age=86400, immutable"
    response["Content-Security-Policy"] = SANDBOX
    return cast("HttpResponse", response)


def _suffix(media_type: str) -> str:
    return {
        "image/svg+xml": ".svg",
        "image/png": ".png",
        "image/jpeg": ".jpg",
        "text/plain": ".txt",
        "application/json": ".json",
        "text/csv": ".csv",
    }.get(media_type, ".bin")
