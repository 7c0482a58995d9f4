"""The page that holds two versions of a scope side by side, with what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from projects import access, facts
from projects.actors import Actor
from projects.errors import NotFound
from projects.models import Criterion, Deviation, ScopingDocument
from projects.rules.changes import (
    EDITORIAL_FIELDS,
    Difference,
    FieldDifference,
    Piece,
    RowDifference,
    difference,
)
from projects.rules.scope_copying import people_in
from projects.services import deviations, scope_changes
from projects.services.content import CHILDREN, Content, content_of
from projects.services.scope_authors import author_ids
from projects.views.base import page, visible_or_404
from projects.views.scope_words import condition_of, label_of, said
from projects.web import attempt

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownField:
    """One changed field in a reader's words."""

    label: str
    before: str
    after: str
    pieces: Sequence[Piece]
    verdict: str
    is_editorial: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One changed row in a reader's words; `facts` are those of a row that came or went."""

    row: RowDifference
    name: str
    fields: Sequence[ShownField]
    facts: Sequence[tuple[str, str]]


@require_safe
@page
def changes_page(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show what differs from another version, whose sign-off survives, and the deviations."""
    return _page(request, actor, _document(actor, pk))


@require_POST
@page
def edit_words(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Change the title, the summary or the parked ideas of the approved scope."""
    document = _document(actor, pk)
    typed = {name: request.POST[name] for name in EDITORIAL_FIELDS if name in request.POST}
    typed = {name: text.replace("\r\n", "\n") for name, text in typed.items()}
    read = request.POST.get("read_version", "")
    done = attempt(
        request,
        lambda: scope_changes.edit_editorially(
            document, typed, actor=actor, read_version=int(read) if read.isdecimal() else None
        ),
        done="The words are changed; every sign-off stands.",
    )
    return _after(request, actor, document, {"words": typed}, is_done=done)


@require_POST
@page
def explain(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Say why a criterion was made easier."""
    deviation = _deviation(actor, pk)
    reason = request.POST.get("reason", "")
    seen = request.POST.get("is_result_seen", "") == "yes"
    done = attempt(
        request,
        lambda: deviations.explain_deviation(
            deviation, actor=actor, reason=reason, is_result_seen=seen
        ),
        done=f"The deviation of {deviation.criterion_key} is explained.",
    )
    typed = {"deviation": deviation.pk, "reason": reason, "seen": seen}
    return _after(request, actor, deviation.scope, typed, is_done=done)


@require_POST
@page
def decide(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Accept or refuse a criterion that was made easier."""
    deviation = _deviation(actor, pk)
    accepted, note = request.POST.get("decision") == "accept", request.POST.get("note", "")
    done = attempt(
        request,
        lambda: deviations.decide_deviation(
            deviation, actor=actor, is_accepted=accepted, note=note
        ),
        done=f"The deviation of {deviation.criterion_key} is decided.",
    )
    typed = {"deviation": deviation.pk, "note": note}
    return _after(request, actor, deviation.scope, typed, is_done=done)


def _after(
    request: HttpRequest,
    actor: Actor,
    document: ScopingDocument,
    typed: Mapping[str, Any],
    *,
    is_done: bool,
) -> HttpResponse:
    if is_done:
        return redirect("projects:scope-changes", document.pk)
    # Shown again with what was typed, beside the message that says why it was refused.
    return _page(request, actor, ScopingDocument.objects.get(pk=document.pk), typed, status=422)


def _page(
    request: HttpRequest,
    actor: Actor,
    document: ScopingDocument,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    wanted = request.GET.get("against", "")
    if wanted and not wanted.isdecimal():
        raise NotFound("There is no such version.", code="no_such_version")
    against = scope_changes.compared_with(document, int(wanted) if wanted else None)
    # Read once: a content takes a query for each of its lists.
    content = scope_changes.completed(content_of(document))
    other = scope_changes.completed(content_of(against)) if against else None
    frozen = scope_changes.completed(document.snapshot) if document.snapshot else None
    found = difference(other, content) if other else None
    edited = difference(frozen, content) if frozen else None
    names = _names_in(content, other or {})
    project = document.project
    is_approved = document.status == ScopingDocument.Status.APPROVED
    may_edit = is_approved and access.can(actor, "scope.edit_editorially", project)
    context = {
        "document": document,
        "against": against,
        "versions": project.scoping_documents.exclude(pk=document.pk),
        "difference": found,
        "material": sorted(found.material) if found else [],
        "fields": _fields(ScopingDocument, found.fields, names) if found else [],
        "lists": _lists(found, names) if found else [],
        "edited": _fields(ScopingDocument, edited.fields, names) if edited else [],
        "survivals": facts.survivals_of(document),
        "deviations": _shown_deviations(document, actor, names),
        "may_edit": may_edit,
        "words": _words_shown(document, (typed or {}).get("words") or {}),
        "typed": typed or {},
    }
    return render(request, "projects/scope_changes.html", context, status=status)


def _words_shown(document: ScopingDocument, typed: Mapping[str, str]) -> dict[str, str]:
    """Return what the form of the words holds: what was typed, emptied fields included."""
    return {name: typed.get(name, getattr(document, name)) for name in EDITORIAL_FIELDS}


def _document(actor: Actor, pk: int) -> ScopingDocument:
    rows = ScopingDocument.objects.select_related("project", "parent", "submitted_by")
    return visible_or_404(rows, actor, pk=pk)


def _deviation(actor: Actor, pk: int) -> Deviation:
    rows = Deviation.objects.select_related("scope__project", "proposed_by")
    return visible_or_404(rows, actor, pk=pk)


def _shown_deviations(
    document: ScopingDocument, actor: Actor, names: Names
) -> list[dict[str, Any]]:
    is_open = document.status == ScopingDocument.Status.SUBMITTED
    authors = author_ids(document)
    may_explain = access.can(actor, "deviation.explain", document.project)
    may_decide = access.can(actor, "deviation.decide", document.project)
    shown = []
    for one in document.deviations.select_related("decided_by", "proposed_by"):
        is_undecided = is_open and one.status == Deviation.Status.PROPOSED
        independent = actor.user_id not in authors | {one.proposed_by_id}
        shown.append(
            {
                "row": one,
                "before": condition_of(one.before),
                "after": condition_of(one.after) if one.after else "",
                "may_explain": is_undecided and may_explain,
                "may_decide": is_undecided and may_decide and independent and bool(one.reason),
            }
        )
    return shown


def _lists(found: Difference, names: Names) -> list[tuple[str, str, list[ShownRow]]]:
    shown = []
    for one in found.lists:
        model = CHILDREN[one.field][0]
        title = one.field.replace("_", " ").capitalize()
        shown.append((one.field, title, [_row(model, row, names) for row in one.rows]))
    return shown


def _row(model: type[models.Model], row: RowDifference, names: Names) -> ShownRow:
    whole = (row.after or row.before or {}) if row.change != "changed" else {}
    told = [
        (label_of(model, name), text)
        for name, value in whole.items()
        if (text := said(model, name, value, names)) and str(value) != row.name
    ]
    title = str((row.after or row.before or {}).get("title") or row.name)
    name = title if model is Criterion else row.name
    return ShownRow(row, name, _fields(model, row.fields, names), told)


def _fields(
    model: type[models.Model], found: Sequence[FieldDifference], names: Names
) -> list[ShownField]:
    return [
        ShownField(
            label=label_of(model, one.field),
            before=said(model, one.field, one.before, names),
            after=said(model, one.field, one.after, names),
            pieces=one.pieces if _is_prose(model, one) else (),
            verdict=one.verdict,
            is_editorial=one.is_editorial,
        )
        for one in found
    ]


def _is_prose(model: type[models.Model], one: FieldDifference) -> bool:
    """Return whether the words of a field are worth telling apart: no choices, both sides said."""
    field: Any = next((f for f in model._meta.fields if f.name == one.field), None)
    has_choices = bool(getattr(field, "choices", None)) or bool(getattr(field, "is_relation", 0))
    return bool(one.before and one.after and one.pieces) and not has_choices


def _names_in(*contents: Content) -> Names:
    """Return the full names of everybody whom the contents name."""
    named = {name for content in contents for name in people_in(content)}
    people = get_user_model()
    found = people._default_manager.filter(**{f"{people.USERNAME_FIELD}__in": named})
    return {one.get_username(): one.get_full_name() or one.get_username() for one in found}
