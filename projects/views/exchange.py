"""The pages on which files are imported, and the files that are exported."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from projects import access, errors
from projects.actors import Actor
from projects.models import Project, ScopingDocument
from projects.rules.exchange import COLUMNS
from projects.rules.fates import Import
from projects.rules.scope_files import PARTS, WHOLE
from projects.rules.text_files import MOST_BYTES, MOST_ROWS
from projects.services import exchange, scope_exchange
from projects.views.base import page, visible_or_404
from projects.web import as_file, words_of


@dataclass(frozen=True, slots=True)
class Steps:
    """What a page of an import does with the bytes: show their fate, then carry it out."""

    show: Callable[[bytes], Import]
    carry_out: Callable[[bytes], HttpResponse]


@require_http_methods(["GET", "HEAD", "POST"])
@page
def import_page(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show what an uploaded backlog would do, and do it when it is confirmed."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)

    def carry_out(data: bytes) -> HttpResponse:
        skip = request.POST.get("skip_refused") == "1"
        found = exchange.import_work_items(project, data, actor=actor, skip_refused=skip)
        messages.success(request, f"The file was imported: {_counts(found)}.")
        return redirect("projects:backlog", slug=project.slug)

    context = {
        "columns": COLUMNS,
        "may_import": access.can(actor, "work_item.import", project),
    }
    steps = Steps(lambda data: exchange.dry_run(project, data, actor=actor), carry_out)
    return _answer(request, project, steps, ("projects/import.html", context))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def import_scope_page(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show what an uploaded scoping document would do, and do it when it is confirmed."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    drafts = project.scoping_documents.filter(status=ScopingDocument.Status.DRAFT)
    asked = request.POST if request.method == "POST" else request.GET
    number, part = asked.get("document", ""), asked.get("part", WHOLE)
    document = visible_or_404(drafts, actor, pk=number) if number.isdecimal() else None
    target = scope_exchange.Target(project, document, part)

    def carry_out(data: bytes) -> HttpResponse:
        found, draft = scope_exchange.import_scope(target, data, actor=actor)
        messages.success(request, f"The file was imported: {_counts(found)}.")
        return redirect("projects:scope", pk=draft.pk)

    context = {
        "target": target,
        "drafts": drafts,
        "parts": PARTS,
        "may_import": access.can(actor, "scope.write", project),
    }
    steps = Steps(lambda data: scope_exchange.dry_run(target, data, actor=actor), carry_out)
    return _answer(request, project, steps, ("projects/import_scope.html", context))


@require_safe
@page
def export_scope_file(request: HttpRequest, actor: Actor, pk: int, part: str) -> HttpResponse:
    """Return a scoping document, or a part of it, as a file."""
    document = visible_or_404(ScopingDocument.objects.select_related("project"), actor, pk=pk)
    if part not in PARTS:
        raise errors.NotFound(f"A document has no part {part!r}.")
    file = scope_exchange.export_scope(document, part)
    return as_file(file.text, file.name, file.media_type)


@require_safe
@page
def export_file(request: HttpRequest, actor: Actor, slug: str, form: str) -> HttpResponse:
    """Return a project's items as a file."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    text = exchange.export_work_items(project, form)
    return as_file(text, f"{slug}-backlog.{form}", exchange.MEDIA_TYPES[form])


def _answer(
    request: HttpRequest, project: Project, steps: Steps, page: tuple[str, dict[str, Any]]
) -> HttpResponse:
    """Show the form, or what the file would do, or do it; a refusal is told on the same page."""
    template, context = page
    context |= {"project": project, "most_rows": MOST_ROWS, "most_bytes": MOST_BYTES}
    status = 200
    if request.method == "POST":
        try:
            data = _file_of(request, project)
            if "confirm" in request.POST:
                return steps.carry_out(data)
            context["found"] = steps.show(data)
            # The reader confirms the bytes that were shown, not whatever lies on the disk by then.
            context["text"] = signing.dumps(data.decode("utf-8"), salt=project.ref, compress=True)
        except errors.NotFound:
            raise
        except errors.DomainError as error:
            status = 403 if isinstance(error, errors.NotPermitted) else 422
            context["refusal"] = words_of(error)
    return render(request, template, context, status=status)


def _counts(found: Import) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.counts.items() if count)


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
