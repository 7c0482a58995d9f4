"""The page of a scoping document, and the files that belong to it."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from projects import access, facts
from projects.actors import Actor
from projects.models import ScopingDocument
from projects.rules.scope_copying import people_in
from projects.rules.scope_files import PARTS, WHOLE
from projects.rules.scoping import Readiness
from projects.services import scoping
from projects.services.attachments import attach
from projects.services.standing import address
from projects.views.base import page, visible_or_404
from projects.views.scope_text import sections_of
from projects.web import attempt

#: What upper layers call a scoping document among the things that they judge.
KIND = "scoping_document"


@require_safe
@page
def scope_detail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show a scoping document as its readers read it, with what it scores and lacks."""
    documents = ScopingDocument.objects.select_related("project", "created_by", "submitted_by")
    document = visible_or_404(documents, actor, pk=pk)
    project = document.project
    readiness = scoping.assess(document)
    scores = {section.key: section for section in readiness.sections}
    content = scoping.content_of(document)
    sections = sections_of(content, asked=_asked_for(readiness), names=_names_in(content))
    context = {
        "document": document,
        "sections": [(section, scores.get(section.key)) for section in sections],
        "readiness": readiness,
        "lacking": facts.signers_lacking(document) if document.is_editable else [],
        "editors": document.editors.all(),
        "versions": project.scoping_documents.select_related("created_by", "submitted_by"),
        "parts": [part for part in PARTS if part != WHOLE],
        "attachments": document.attachments.select_related("added_by"),
        "people": project.stakeholders.current().select_related("user").order_by("role", "pk"),
        "may_attach": document.is_editable and access.can(actor, "attachment.add", project),
        "may_write": access.can(actor, "scope.write", project),
        **_reviews_of(document),
        "may_submit": document.is_editable and access.can(actor, "scope.submit", project),
    }
    return render(request, "projects/scope.html", context)


def _reviews_of(document: ScopingDocument) -> dict[str, Any]:
    if document.is_editable:
        return {}
    asked = [
        one
        for one in facts.gates_of(document.project)
        if one.subject_ref == document.ref and one.status != "withdrawn"
    ]
    return {
        "reviews_url": address("governance:reviews-of", KIND, document.pk),
        "is_put_up": bool(asked) or document.status != ScopingDocument.Status.SUBMITTED,
    }


@require_POST
@page
def attach_to_scope(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Keep a file on a draft."""
    document = visible_or_404(ScopingDocument.objects.all(), actor, pk=pk)
    file = request.FILES.get("file")
    if file is not None:
        attempt(
            request,
            lambda: attach(document, file, actor=actor),
            done=f"{file.name} is attached.",
        )
    return redirect("projects:scope", pk)


def _asked_for(readiness: Readiness) -> frozenset[str]:
    said: list[Any] = [*readiness.blockers, *readiness.lost]
    return frozenset(one.field for one in said)


def _names_in(content: Any) -> dict[str, str]:
    """Return the full names of everybody whom the content names."""
    people = get_user_model()
    found = people._default_manager.filter(**{f"{people.USERNAME_FIELD}__in": people_in(content)})
    return {user.get_username(): user.get_full_name() or user.get_username() for user in found}
