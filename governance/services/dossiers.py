"""A review printed whole: one HTML document whose bytes depend on the record alone.

Nothing in it says when it was printed or by whom; that stands in the ledger, beside its digest.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from governance import access
from governance.models import Dossier, Evidence, Finding, GateReview
from governance.services import evaluating
from governance.services.differences import difference_between, last_approval
from governance.services.history import history_of
from ledger import services as ledger
from ledger.models import LedgerEntry
from projects import content_store
from projects.actors import Actor
from projects.errors import DomainError
from projects.models import Stakeholder

EVENT = "dossier.issued"
_PICTURES = {"image/svg+xml", "image/png", "image/jpeg"}


@dataclass(frozen=True)
class Exhibit:
    """One piece of evidence as the document shows it."""

    row: Evidence
    data: list[tuple[str, str]]
    picture: str
    tables: list[tuple[str, list[Mapping[str, Any]]]]


@dataclass(frozen=True)
class Issue:
    """What the ledger says of a dossier with a certain digest."""

    sequence: int
    review: str
    issued_at: datetime
    issued_by: str


def style() -> str:
    """Return the style sheet that stands in every dossier."""
    return render_to_string("governance/dossier.css")


def content_policy() -> str:
    """Return the Content-Security-Policy under which a browser shows a dossier: nothing runs."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; sandbox"


def compose(review: GateReview) -> bytes:
    """Return the document of a review as it stands; an unchanged review gives the same bytes."""
    return render_to_string("governance/dossier.html", _context(review)).encode()


def issue_dossier(review: GateReview, *, actor: Actor) -> Dossier:
    """Print a review, keep the bytes, and put their digest on record.

    The same bytes again are the same dossier, and nothing is recorded twice.
    """
    access.require(actor, "dossier.issue", review.project)
    review.refresh_from_db()
    data = compose(review)
    digest = content_store.put(data)
    issued = Dossier.objects.filter(review=review, digest=digest).first()
    return issued or _record(review, digest, len(data), actor=actor)


def read_dossier(dossier: Dossier) -> bytes:
    """Return the bytes of a dossier, checked against its digest."""
    return content_store.read(dossier.digest)


def issues_of(digest: str) -> list[Issue]:
    """Return when a document with this digest was issued and of which review, by the ledger."""
    entries = LedgerEntry.objects.filter(event=EVENT).order_by("seq")
    return [
        Issue(
            sequence=entry.seq,
            review=str(entry.data.get("review", "")),
            issued_at=entry.recorded_at,
            issued_by=entry.actor_name or entry.actor,
        )
        for entry in entries
        if entry.data.get("digest") == digest
    ]


@transaction.atomic
def _record(review: GateReview, digest: str, size: int, *, actor: Actor) -> Dossier:
    try:
        with transaction.atomic():
            row = Dossier.objects.create(review=review, digest=digest, issued_by=actor.user)
    except IntegrityError:  # somebody else issued the same bytes just now
        return Dossier.objects.get(review=review, digest=digest)
    ledger.append(
        EVENT,
        subject=row.ref,
        actor=actor,
        data={"review": review.ref, "digest": digest, "bytes": size},
    )
    return row


def _context(review: GateReview) -> dict[str, Any]:
    rows = Evidence.objects.of_subject(review.subject_kind, review.subject_ref)
    sign_offs = review.sign_offs.order_by("sequence", "pk").select_related("on_behalf_of")
    return {
        "style": style(),
        "review": review,
        "promotion": getattr(review, "promotion", None),
        "parts": sorted(review.bindings.items()),
        "results": [(one, _plain(one.detail)) for one in evaluating.latest_results(review)],
        "seats": _seats(review),
        "waivers": review.waivers.order_by("pk").select_related("granted_by"),
        "sign_offs": sign_offs.prefetch_related("conditions__met_by"),
        "earlier": (earlier := last_approval(review)),
        "changes": difference_between(earlier, review) if earlier else [],
        "exhibits": [_exhibit(row) for row in rows.order_by("pk").select_related("produced_by")],
        "findings": _findings(review),
        "feedback": review.feedback.order_by("pk").select_related("author"),
        "history": history_of(review),
    }


def _seats(review: GateReview) -> list[tuple[str, bool]]:
    missing = evaluating.quorum_state(review).missing_roles
    roles = evaluating.quorum_rule(review).roles
    return [(Stakeholder.Role(role).label, role not in missing) for role in roles]


def _findings(review: GateReview) -> Any:
    about = Finding.objects.filter(subject_kind=review.subject_kind, subject_ref=review.subject_ref)
    return about.order_by("pk").select_related("owner", "resolved_by", "closed_by")


def _exhibit(row: Evidence) -> Exhibit:
    tables = [(key, value) for key, value in sorted(row.data.items()) if _is_table(value)]
    names = {key for key, _ in tables}
    plain = {key: value for key, value in row.data.items() if key not in names}
    return Exhibit(row, _plain(plain), _embedded(row), tables)


def _is_table(value: Any) -> bool:
    """Return whether a value is a list of rows that all have the same columns."""
    if not isinstance(value, list) or not value:
        return False
    columns = {tuple(row) if isinstance(row, Mapping) else None for row in value}
    return None not in columns and len(columns) == 1


def _embedded(row: Evidence) -> str:
    """Return a picture as an address that holds it; empty for anything else and for lost files."""
    if not row.attachment or row.media_type not in _PICTURES:
        return ""
    try:
        data = content_store.read(row.attachment)
    except DomainError:
        return ""
    return f"data:{row.media_type};base64,{base64.b64encode(data).decode()}"


def _plain(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a JSON object as pairs in a fixed order, nested values as JSON."""
    return [
        (str(key).replace("_", " "), _text(value))
        for key, value in sorted(data.items())
        if value not in (None, "", [], {})
    ]


def _text(value: Any) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
