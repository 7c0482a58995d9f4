"""Commands on scoping documents: write, assess, submit, decide."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from projects.lifecycle import compare_and_swap, move
from projects.models import Project, ScopingDocument
from projects.rules import scoping as rules
from projects.rules.transitions import SCOPE_TRANSITIONS
from projects.services import deviations, tiers
from projects.services.content import (
    CHILDREN,
    ParsedScope,
    content_hash,
    content_of,
    fields_of,
    parse,
)
from projects.services.readiness import judge, readiness_policy, review_tier
from projects.services.scope_authors import approved_scope, author_ids

__all__ = [
    "approve_scoping_document",
    "approved_scope",
    "assess",
    "assess_content",
    "author_ids",
    "claim_draft",
    "content_hash",
    "content_of",
    "readiness_policy",
    "record_draft_saved",
    "reject_scoping_document",
    "review_tier",
    "start_draft",
    "start_from_version",
    "submit_scoping_document",
    "withdraw_scoping_document",
    "write_draft",
]

Status = ScopingDocument.Status


@transaction.atomic
def write_draft(
    project: Project,
    *,
    actor: Actor,
    content: Mapping[str, Any],
    document: ScopingDocument | None = None,
) -> ScopingDocument:
    """Write the project's next version as a draft, or replace the content of an open draft.

    A draft may have gaps; what is there must be readable. Fields left out become empty.

    Raises:
        InvalidInput: code `invalid_scope`, with every wrong field.
        InvalidTransition: code `scope_not_draft`; the given version is no draft any more.
        StaleState: somebody else saved the draft, or made this version, first.
    """
    access.require(actor, "scope.write", project)
    parsed = parse(content)
    if document is None:
        document = _number(ScopingDocument(project=project, **parsed.scalars), actor=actor)
    else:
        _replace(document, parsed, project=project)
    for name, rows in parsed.children.items():
        for row in rows:
            row.scope = document
        CHILDREN[name][0]._default_manager.bulk_create(rows)
    _record_saved(document, actor=actor)
    return document


@transaction.atomic
def start_draft(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Save a new document as the project's next version, for a form that fills its rows in place.

    The caller adds the rows and calls `record_draft_saved`, in the same transaction.
    """
    access.require(actor, "scope.write", document.project)
    return _number(document, actor=actor)


@transaction.atomic
def record_draft_saved(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Record that a draft's rows were just edited in place, and by whom.

    The caller's edit and this call share a transaction; call `claim_draft` before the edit.
    """
    access.require(actor, "scope.write", document.project)
    _record_saved(document, actor=actor)
    return document


@transaction.atomic
def claim_draft(document: ScopingDocument, *, actor: Actor) -> None:
    """Take the draft for an edit in this transaction, so that no submission slips between.

    Raises:
        InvalidTransition: code `scope_not_draft`; only a draft can be edited.
        StaleState: somebody else saved or submitted it since it was read.
    """
    access.require(actor, "scope.write", document.project)
    _require_draft(document)
    compare_and_swap(document, expected={"status": Status.DRAFT})


@transaction.atomic
def start_from_version(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Write a new draft that begins with the content of any earlier version."""
    access.require(actor, "scope.write", document.project)
    draft = write_draft(document.project, actor=actor, content=content_of(document))
    draft.parent = document
    draft.save(update_fields=["parent"])
    return draft


def assess(document: ScopingDocument) -> rules.Readiness:
    """Return how ready the document's present content is, for the tier that it answers."""
    return _judge(document, content_of(document))


def assess_content(
    project: Project, content: Mapping[str, Any], *, authors: Collection[int]
) -> rules.Readiness:
    """Return how ready content is that is not saved, such as a form that is being filled in.

    `authors` are the ids of everybody who counts as its author: whoever types it, and the editors
    of the draft that it would replace.
    """
    return judge(project, content, authors=authors)


@transaction.atomic
def submit_scoping_document(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Submit a draft for review: freeze its content and the hash that sign-offs bind.

    Every criterion that it makes easier than the agreed scope has it becomes a deviation, to be
    decided before the document can be approved.

    Raises:
        RuleViolated: code `scope_not_ready`; `reasons` lists every blocker.
        InvalidTransition: it is no draft.
        StaleState: somebody saved or submitted it since it was read.
    """
    access.require(actor, "scope.submit", document.project)
    _require_draft(document)
    content = content_of(document)
    readiness = _judge(document, content, submitter=actor)
    _require_ready(document, readiness)
    move(
        document,
        Status.SUBMITTED,
        allowed=SCOPE_TRANSITIONS,
        submitted_by=actor.user,
        submitted_at=now(),
        content_hash=content_hash(content),
        snapshot=content,
        readiness_policy=readiness_policy().name,
    )
    _record("scope.submitted", document, actor=actor, readiness_policy=document.readiness_policy)
    deviations.propose_deviations(document, actor=actor)
    return document


@transaction.atomic
def withdraw_scoping_document(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Take back a draft or a submitted document; it stays readable."""
    access.require(actor, "scope.withdraw", document.project)
    move(document, Status.WITHDRAWN, allowed=SCOPE_TRANSITIONS, decided_at=now())
    _record("scope.withdrawn", document, actor=actor)
    return document


@transaction.atomic
def approve_scoping_document(
    document: ScopingDocument, *, actor: Actor, review_ref: str
) -> ScopingDocument:
    """Make a submitted document the project's agreed scope, and lock its criteria.

    Called when its gate review passes; the version approved before is superseded, and the project
    takes the tier that the document was assessed at.

    Raises:
        NotPermitted: code `author_cannot_decide`; whoever wrote or submitted it cannot approve.
        RuleViolated: code `scope_changed`, the content is not what was submitted; or
            `deviation_undecided`, it makes criteria easier and that was not accepted.
    """
    _require_decision(document, actor=actor, review_ref=review_ref)
    if actor.user_id in author_ids(document):
        raise NotPermitted(
            f"{actor.name} wrote or submitted this document and cannot approve it.",
            code="author_cannot_decide",
        )
    if content_hash(content_of(document)) != document.content_hash:
        raise RuleViolated(
            "The document is not what was submitted; withdraw it and submit it again.",
            code="scope_changed",
            reasons=["The content hash differs from the one frozen at submission."],
        )
    deviations.require_settled(document)
    decided = now()
    former = approved_scope(document.project)
    if former is not None:
        move(former, Status.SUPERSEDED, allowed=SCOPE_TRANSITIONS)
        _record("scope.superseded", former, actor=actor, by=document.ref)
    _become_approved(document, decided)
    document.criteria.update(locked_at=decided)
    _record("scope.approved", document, actor=actor, review=review_ref)
    tiers.record_of_scope(document, assess(document).tier, actor=actor)
    return document


@transaction.atomic
def reject_scoping_document(
    document: ScopingDocument, *, actor: Actor, review_ref: str
) -> ScopingDocument:
    """Reject a submitted document; a new version may start from it."""
    _require_decision(document, actor=actor, review_ref=review_ref)
    move(document, Status.REJECTED, allowed=SCOPE_TRANSITIONS, decided_at=now())
    _record("scope.rejected", document, actor=actor, review=review_ref)
    return document


def _judge(
    document: ScopingDocument, content: Mapping[str, Any], *, submitter: Actor | None = None
) -> rules.Readiness:
    authors = author_ids(document)
    if submitter is not None and submitter.user_id is not None:
        authors |= {submitter.user_id}
    return judge(document.project, content, authors=authors)


def _require_ready(document: ScopingDocument, readiness: rules.Readiness) -> None:
    if readiness.is_submittable:
        return
    count = len(readiness.reasons)
    raise RuleViolated(
        f"{document} cannot be submitted yet: {count} {'reason' if count == 1 else 'reasons'}.",
        code="scope_not_ready",
        reasons=readiness.reasons,
        details={
            "score": readiness.score,
            "threshold": readiness.threshold,
            "blockers": [
                {"code": item.code, "field": item.field, "sentence": item.sentence}
                for item in readiness.blockers
            ],
        },
    )


def _require_decision(document: ScopingDocument, *, actor: Actor, review_ref: str) -> None:
    access.require(actor, "scope.decide", document.project)
    if not review_ref:
        raise InvalidInput(
            "A scoping document is decided by a gate review; name it.", code="review_ref_missing"
        )


def _become_approved(document: ScopingDocument, decided: datetime) -> None:
    try:
        with transaction.atomic():
            move(document, Status.APPROVED, allowed=SCOPE_TRANSITIONS, decided_at=decided)
    except IntegrityError as error:
        # The database allows one approved version; another one was approved at this moment.
        raise StaleState(
            f"Another version of {document.project} has just been approved."
        ) from error


def _require_draft(document: ScopingDocument) -> None:
    if document.status != Status.DRAFT:
        raise InvalidTransition(
            f"{document} is {document.status}; only a draft can be edited or submitted. Start a "
            "new version from it.",
            code="scope_not_draft",
            details={"status": str(document.status)},
        )


def _number(document: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    if actor.user is None:
        raise NotPermitted("A scope is written by people.", code="person_required")
    parent = document.project.scoping_documents.order_by("-version").first()
    document.version = parent.version + 1 if parent else 1
    document.parent = parent
    document.created_by = actor.user
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError as error:
        raise StaleState(
            f"Somebody else has just started version {document.version}; read the project again."
        ) from error
    return document


def _replace(document: ScopingDocument, parsed: ParsedScope, *, project: Project) -> None:
    if document.project_id != project.pk:
        raise InvalidInput(f"{document} does not belong to {project}.", code="wrong_project")
    _require_draft(document)
    scalars = {
        field.name: parsed.scalars.get(field.name, field.get_default())
        for field in fields_of(ScopingDocument)
    }
    compare_and_swap(document, expected={"status": Status.DRAFT}, **scalars)
    for model, _ in CHILDREN.values():
        model._default_manager.filter(scope=document).delete()


def _record_saved(document: ScopingDocument, *, actor: Actor) -> None:
    if actor.user is not None:
        document.editors.add(actor.user)
    digest = content_hash(content_of(document))
    _record("scope.draft_saved", document, actor=actor, content_hash=digest)


def _record(event: str, document: ScopingDocument, *, actor: Actor, **data: str) -> None:
    ledger.append(
        event,
        subject=document.ref,
        actor=actor,
        data={
            "project": document.project.ref,
            "version": document.version,
            "content_hash": document.content_hash,
            **data,
        },
    )
