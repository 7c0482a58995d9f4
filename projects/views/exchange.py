"""The page on which a file is imported, and the files that are exported."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from projects import access, errors
from projects.actors import Actor
from projects.models import Project
from projects.rules.exchange import COLUMNS
from projects.rules.text_files import MOST_BYTES, MOST_ROWS
from projects.services import exchange
from projects.views.base import page, visible_or_404
from projects.web import as_file, words_of


@require_http_methods(["GET", "HEAD", "POST"])
@page
def import_page(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show what an uploaded file would do, and do it when it is confirmed."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    context: dict[str, Any] = {
        "project": project,
        "columns": COLUMNS,
        "most_rows": MOST_ROWS,
        "most_bytes": MOST_BYTES,
        "may_import": access.can(actor, "work_item.import", project),
    }
    status = 200
    if request.method == "POST":
        try:
            data = _file_of(request, project)
            if "confirm" in request.POST:
                return _import(request, actor, project, data)
            context["found"] = exchange.dry_run(project, data, actor=actor)
            # The reader confirms the bytes that were shown, not whatever lies on the disk by then.
            context["text"] = signing.dumps(data.decode("utf-8"), salt=project.ref, compress=True)
        except errors.NotFound:
            raise
        except errors.NotPermitted as error:
            status, context["refusal"] = 403, words_of(error)
        except errors.DomainError as error:
            status, context["refusal"] = 422, words_of(error)
    return render(request, "projects/import.html", context, status=status)


@require_safe
@page
def export_file(request: HttpRequest, actor: Actor, slug: str, form: str) -> HttpResponse:
    """Return a project's items as a file."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    text = exchange.export_work_items(project, form)
    return as_file(text, f"{slug}-backlog.{form}", exchange.MEDIA_TYPES[form])


def _import(request: HttpRequest, actor: Actor, project: Project, data: bytes) -> HttpResponse:
    skip = request.POST.get("skip_refused") == "1"
    found = exchange.import_work_items(project, data, actor=actor, skip_refused=skip)
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items())
    messages.success(request, f"The file was imported: {counts}.")
    return redirect("projects:backlog", slug=project.slug)


def _file_of(request: HttpRequest, project: Project) -> bytes:
    kept = request.POST.get("text")
    if kept is not None:
        try:
            return str(signing.loads(kept, salt=project.ref)).encode()
        except signing.BadSignature:
            raise errors.InvalidInput(
                "What was shown cannot be read any more. Upload the file again.",
                code="unreadable_file",
            ) from None
    upload = request.FILES.get("file")
    if upload is None:
        raise errors.InvalidInput("Choose a file to import.", code="file_missing")
    return bytes(upload.read(MOST_BYTES + 1))
