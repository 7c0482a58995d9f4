"""Typed material for decisions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from governance import access
from governance.models import Evidence, GateReview, LineageNode
from governance.rules.differences import flat
from governance.rules.digests import digest_of, digest_of_set, same_numbers
from governance.rules.staleness import ALL_EVIDENCE
from governance.services import lineage
from governance.subjects import require_of_project
from ledger import services as ledger
from projects import content_store
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Project

CARD = "card"
_CARD_KIND = "model_card"
#: A review copies so many rows of evidence and sections of a card, and so much of each section.
_MOST_COPIED = 200
_LONGEST_SECTION = 4000


@dataclass(frozen=True, slots=True)
class Material:
    """What somebody puts on record about a subject; a file, data, or both."""

    project: Project
    subject_kind: str
    subject_ref: str
    kind: str
    title: str
    data: Mapping[str, Any] | None = None
    content: bytes | None = None
    media_type: str = ""


@dataclass(frozen=True)
class EvidenceNow:
    """Evidence of one subject in the order of recording, each row with the digest it has now."""

    rows: tuple[tuple[Evidence, str], ...]

    @property
    def bindings(self) -> dict[str, str]:
        """Return one digest for each kind, whatever the order of recording."""
        return {part: digest_of_set(found) for part, found in self.by_part().items()}

    @property
    def as_one(self) -> str:
        """Return one digest for all of it."""
        return digest_of_set(digest for _, digest in self.rows)

    def by_part(self) -> dict[str, list[str]]:
        """Return the digests of the rows under the part of a review that binds them."""
        found: dict[str, list[str]] = {}
        for one, digest in self.rows:
            found.setdefault(part_of(one.kind), []).append(digest)
        return found

    def facts(self) -> dict[str, Any]:
        """Return what a review copies: each row in short, and the sections of the newest card."""
        listed = [
            {"part": part_of(one.kind), "title": one.title, "content": _content_digest(one)}
            for one, _ in self.rows[-_MOST_COPIED:]
        ]
        cards = [one.data for one, _ in self.rows if part_of(one.kind) == CARD]
        return {"evidence": listed, "card": _sections(cards[-1]) if cards else {}}


def part_of(kind: str) -> str:
    """Return the part of a review that binds evidence of a kind."""
    return CARD if kind == _CARD_KIND else f"{ALL_EVIDENCE}:{kind}"


def record_evidence(material: Material, *, actor: Actor) -> Evidence:
    """Put material on record; its file goes to the content store before the transaction.

    Evidence added to the subject of an open review moves what that review binds, so add it
    before the review is requested, or refresh the review afterwards.

    Raises:
        NotPermitted: the actor has no part in the project.
        NotFound: code `no_such_subject`; the project has no such subject.
        InvalidInput: unknown kind of subject, nothing in it, or a number that is not finite.
    """
    access.require(actor, "evidence.record", material.project)
    _check(material)
    require_of_project(material.subject_kind, material.subject_ref, material.project)
    attachment = "" if material.content is None else content_store.put(material.content)
    return _store(material, attachment, actor=actor)


def evidence_now(subject_kind: str, subject_ref: str) -> EvidenceNow:
    """Return all evidence of a subject as it is now, in one query.

    Every row is hashed again from what it holds now: a row that was edited past the services
    moves what reviews bind, whatever its own column of the digest says.
    """
    rows = Evidence.objects.of_subject(subject_kind, subject_ref).order_by("pk")
    return EvidenceNow(tuple((one, _digest(one)) for one in rows))


def evidence_authors(subject_kind: str, subject_ref: str) -> frozenset[int]:
    """Return the people who put evidence about a subject on record."""
    found = Evidence.objects.of_subject(subject_kind, subject_ref).order_by()
    by_people = found.filter(produced_by__isnull=False)
    return frozenset(by_people.values_list("produced_by", flat=True).distinct())


@transaction.atomic
def _store(material: Material, attachment: str, *, actor: Actor) -> Evidence:
    evidence = Evidence(
        project=material.project,
        subject_kind=material.subject_kind,
        subject_ref=material.subject_ref,
        kind=material.kind,
        title=material.title,
        data=dict(material.data or {}),
        attachment=attachment,
        media_type=material.media_type,
        produced_by=actor.user,
        produced_as=actor.ref,
    )
    evidence.digest = _digest(evidence)
    evidence.save(force_insert=True)
    _link(evidence)
    ledger.append(
        "evidence.recorded",
        subject=evidence.ref,
        actor=actor,
        data={
            "about": evidence.subject_ref,
            "kind": evidence.kind,
            "digest": evidence.digest,
            "attachment": attachment or None,
        },
    )
    return evidence


def _digest(evidence: Evidence) -> str:
    subject = [evidence.subject_kind, evidence.subject_ref]
    return digest_of({"subject": subject, **_content(evidence)})


def _content_digest(evidence: Evidence) -> str:
    """Return the digest of what the evidence says, whichever subject it is about."""
    return digest_of(_content(evidence))


def _content(evidence: Evidence) -> dict[str, Any]:
    return {
        "kind": evidence.kind,
        "title": evidence.title,
        "data": same_numbers(evidence.data),
        "attachment": evidence.attachment,
        "media_type": evidence.media_type,
    }


def _sections(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a card, nested ones under names such as `data origin`, cut in size."""
    found = list(flat(card).items())[:_MOST_COPIED]
    return {
        name: value[:_LONGEST_SECTION] if isinstance(value, str) else value for name, value in found
    }


def _link(evidence: Evidence) -> None:
    about = LineageNode.objects.filter(
        kind=lineage.NODE_KINDS[evidence.subject_kind], ref=evidence.subject_ref
    )
    source = about.order_by("-pk").first()
    if source is None:
        return
    node = lineage.Node(
        LineageNode.Kind.EVIDENCE, evidence.ref, evidence.title, digest=evidence.digest
    )
    target = lineage.record_node(node, project=evidence.project)
    lineage.record_edge(source, target, "examined_in")


def _check(material: Material) -> None:
    if material.subject_kind not in GateReview.SubjectKind.values:
        raise InvalidInput(
            f"Nothing here judges a {material.subject_kind!r}.", code="unknown_subject_kind"
        )
    if not material.data and material.content is None:
        raise InvalidInput("Evidence needs data, a file, or both.", code="empty_evidence")
    if where := _not_finite(material.data or {}):
        raise InvalidInput(
            f"The number at {where} is not finite; leave it out or say why it is missing.",
            code="evidence_not_finite",
        )


def _not_finite(value: Any, path: str = "data") -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else path
    if isinstance(value, Mapping):
        parts = ((str(key), part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((str(place), part) for place, part in enumerate(value))
    else:
        return ""
    return next((where for key, part in parts if (where := _not_finite(part, f"{path}.{key}"))), "")
