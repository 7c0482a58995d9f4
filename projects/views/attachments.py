"""The files that people attached, as downloads that can do nothing in a browser."""

from typing import cast

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from projects import content_store
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Attachment, WorkItem
from projects.services.attachments import attach
from projects.views.base import page, visible_or_404
from projects.web import attempt, back_to

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


@require_POST
@page
def attach_to_item(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Keep a file on a work item."""
    item = visible_or_404(WorkItem.objects.select_related("project"), actor, pk=pk)
    file = request.FILES.get("file")

    def command() -> Attachment:
        if file is None:
            raise InvalidInput("Choose a file to attach.", code="file_missing")
        return attach(item, file, actor=actor)

    attempt(request, command, done="The file was attached.")
    return back_to(request, f"{reverse('projects:item', args=[pk])}#attachments")
