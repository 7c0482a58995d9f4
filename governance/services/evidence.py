"""Typed material for decisions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from governance import access
from governance.models import Evidence, GateReview, LineageNode
from governance.services import lineage, moves
from governance.services.evidence_now import digest_of_row
from governance.subjects import require_of_project
from ledger import services as ledger
from projects import content_store
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Project


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


def record_evidence(material: Material, *, actor: Actor) -> Evidence:
    """Put material on record; its file goes to the content store before the transaction.

    Evidence added to the subject of an open review moves what that review binds: it goes stale at
    once. Add evidence before the review is requested, or refresh the review afterwards.

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
    evidence.digest = digest_of_row(evidence)
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
    moves.evidence_recorded(evidence)
    return evidence


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
