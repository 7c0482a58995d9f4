"""The files that people attached, as downloads that can do nothing in a browser."""

from typing import cast

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from projects import content_store
from projects.actors import Actor
from projects.models import Attachment
from projects.views.base import page, visible_or_404

SANDBOX = "default-src 'none'; sandbox"


@require_safe
@page
def download(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send one attached file, always to be saved and never to be shown in place."""
    attachment = visible_or_404(Attachment.objects.all(), actor, pk=pk)
    path = content_store.path(attachment.digest)
    if not path.exists():
        raise Http404("The file is not in the content store of this machine.")
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type=attachment.media_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    # Addressed by digest, so the bytes behind this row never change.
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return cast("HttpResponse", response)
