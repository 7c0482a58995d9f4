"""Versions of a scope held side by side, and the edits that an approved scope may still take.

A sign-off means the content as it was submitted: `content_hash` is over all of it, and the
snapshot keeps the bytes. An editorial edit afterwards changes the title, the summary or the parked
ideas in the rows, never the snapshot, and is recorded with the hashes before and after. The
material hash, over everything but those fields, tells an editorial edit from any other: while it
stays as it was submitted, the sign-offs stand.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotFound, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap
from projects.models import ScopingDocument
from projects.models.scope import CONTENT_SCHEMA
from projects.rules.changes import (
    CRITERIA_LISTS,
    EDITORIAL_FIELDS,
    Difference,
    difference,
    material_part,
)
from projects.services.content import CHILDREN, Content, content_hash, content_of, fields_of

#: From here on a database may hand a float back as a whole number.
_EXACT_INTEGERS = 10**16


def material_hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 over everything in the content that is not editorial."""
    return content_hash(material_part(content))


def signed_hash(document: ScopingDocument) -> str:
    """Return the digest that a sign-off of the document binds; empty for a draft.

    It is the content hash of the submission, as long as the snapshot still hashes to it and the
    rows differ from the snapshot in editorial fields alone. Otherwise it is the hash of what is
    there now, so that every sign-off bound to the submission goes stale.
    """
    content = _signed_content(document)
    return document.content_hash if content is None else content_hash(content)


def frozen_hash(document: ScopingDocument) -> str:
    """Return the hash of the snapshot as it lies; what reads the snapshot alone binds this."""
    content = frozen_content(document)
    return document.content_hash if content is None else content_hash(content)


def signed_criteria_hash(document: ScopingDocument) -> str:
    """Return the digest of the criteria within what `signed_hash` is over; empty for a draft."""
    return _criteria_hash(_signed_content(document))


def frozen_criteria_hash(document: ScopingDocument) -> str:
    """Return the digest of the criteria within what `frozen_hash` is over; empty for a draft."""
    return _criteria_hash(frozen_content(document))


def frozen_content(document: ScopingDocument) -> Content | None:
    """Return the submission as it was written; None if nothing was frozen."""
    if document.snapshot is None or not document.content_hash:
        return None
    written: Content = _as_written(document.snapshot)
    return written


def _signed_content(document: ScopingDocument) -> Content | None:
    frozen = frozen_content(document)
    if frozen is None or content_hash(frozen) != document.content_hash:
        return frozen
    present = content_of(document)
    return present if material_hash(present) != material_hash(frozen) else frozen


def _criteria_hash(content: Content | None) -> str:
    if content is None:
        return ""
    return content_hash({name: content.get(name) or [] for name in CRITERIA_LISTS})


def compared_with(document: ScopingDocument, against: int | None = None) -> ScopingDocument | None:
    """Return the version that a document is compared with: the one named, else its parent.

    Where it has no parent the version before it answers; the first version has none.

    Raises:
        NotFound: code `no_such_version`; the project has no such version.
    """
    versions = ScopingDocument.objects.filter(project=document.project).exclude(pk=document.pk)
    if against is None:
        earlier = versions.filter(version__lt=document.version).order_by("-version").first()
        return document.parent or earlier
    found = versions.filter(version=against).first()
    if found is None:
        raise NotFound(
            f"{document.project.name} has no other version {against} of its scope.",
            code="no_such_version",
        )
    return found


def changes_between(before: ScopingDocument, after: ScopingDocument) -> Difference:
    """Return what differs from one version to another, as both read now."""
    return difference(completed(content_of(before)), completed(content_of(after)))


def changes_since_approval(document: ScopingDocument) -> Difference | None:
    """Return how a document reads differently from its submission; None if nothing was frozen."""
    if document.snapshot is None:
        return None
    return difference(completed(document.snapshot), completed(content_of(document)))


def loosened_criteria(before: ScopingDocument, after: ScopingDocument) -> dict[str, Any]:
    """Return the criteria that are easier to pass in `after`: key to (row before, row after)."""
    found = changes_between(before, after)
    rows = {row.name: row for one in found.lists if one.field == "criteria" for row in one.rows}
    return {key: (rows[key].before, rows[key].after) for key in found.loosened}


def completed(content: Mapping[str, Any]) -> Content:
    """Return the content with the defaults of fields that its schema did not have yet."""
    whole = {**_defaults(ScopingDocument), **content}
    for name, (model, _) in CHILDREN.items():
        defaults = _defaults(model)
        whole[name] = [{**defaults, **row} for row in content.get(name) or ()]
    return whole


@transaction.atomic
def edit_editorially(
    document: ScopingDocument,
    fields: Mapping[str, str],
    *,
    actor: Actor,
    read_version: int | None = None,
) -> ScopingDocument:
    """Change the words about an approved scope that are not part of what is agreed.

    Sign-offs stay valid, see `signed_hash`. The ledger keeps the hashes before and after; the
    texts stay outside its hashed bytes.

    Raises:
        RuleViolated: code `material_field`; any other field takes a new version.
        InvalidTransition: code `scope_not_approved`.
        InvalidInput: code `invalid_scope` or `nothing_changed`.
        StaleState: somebody else changed it since it was read.
    """
    access.require(actor, "scope.edit_editorially", document.project)
    _require_editorial(document, fields)
    if read_version is not None and read_version != document.version_lock:
        raise StaleState(f"{document} was changed by someone else; read it again.")
    before = content_of(document)
    changed = {k: v.strip() for k, v in fields.items() if v.strip() != before[k]}
    if not changed:
        raise InvalidInput("Nothing was changed.", code="nothing_changed")
    _require_valid(changed)
    compare_and_swap(document, expected={"status": ScopingDocument.Status.APPROVED}, **changed)
    after = content_of(document)
    ledger.append(
        "scope.edited_editorially",
        subject=document.ref,
        actor=actor,
        data={
            "before_hash": content_hash(before),
            "after_hash": content_hash(after),
            "material_hash": material_hash(after),
            "fields": {name: _remembered(before[name], text) for name, text in changed.items()},
        },
    )
    return document


def _require_editorial(document: ScopingDocument, fields: Mapping[str, str]) -> None:
    material = sorted(set(fields) - EDITORIAL_FIELDS)
    if material:
        names = ", ".join(name.replace("_", " ") for name in material)
        raise RuleViolated(
            f"This takes a new version of the scope, to be signed again: {names}. Only "
            f"{_words(EDITORIAL_FIELDS)} may change without one.",
            code="material_field",
            reasons=[f"{name} is part of what was agreed." for name in material],
            details={"fields": material},
        )
    is_current = document.schema_version == CONTENT_SCHEMA
    if document.status != ScopingDocument.Status.APPROVED or not is_current:
        raise InvalidTransition(
            f"{document} is {document.status}; only the approved scope is edited like this. Edit "
            "a draft in its form, and start a new version from anything older.",
            code="scope_not_approved",
            details={"status": str(document.status)},
        )


def _require_valid(changed: Mapping[str, str]) -> None:
    others = {field.name for field in ScopingDocument._meta.fields} - set(changed)
    try:
        ScopingDocument(**changed).clean_fields(exclude=others)
    except ValidationError as error:
        errors = [
            {"field": name, "message": " ".join(texts)}
            for name, texts in error.message_dict.items()
        ]
        listed = " ".join(f"{one['field']}: {one['message']}" for one in errors)
        raise InvalidInput(
            f"This cannot be saved. {listed}", code="invalid_scope", details={"errors": errors}
        ) from error


def _remembered(before: str, after: str) -> dict[str, str]:
    return {
        "before": ledger.remember_personal_text(before),
        "after": ledger.remember_personal_text(after),
    }


def _defaults(model: Any) -> dict[str, Any]:
    return {field.name: field.get_default() for field in fields_of(model)}


def _as_written(value: Any) -> Any:
    """Return stored JSON with its numbers as written: PostgreSQL hands 1e16 back as digits."""
    if isinstance(value, Mapping):
        return {key: _as_written(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_written(part) for part in value]
    is_long = isinstance(value, int) and abs(value) >= _EXACT_INTEGERS
    return float(value) if is_long else value


def _words(names: frozenset[str]) -> str:
    *others, last = sorted(name.replace("_", " ") for name in names)
    return f"{', '.join(others)} and {last}" if others else last
