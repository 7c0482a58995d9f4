"""Findings: opened by anybody, resolved by somebody, closed by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Finding, LineageNode
from governance.rules.transitions import FINDING_TRANSITIONS
from governance.services import lineage
from governance.subjects import require_of_project
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, NotPermitted
from projects.lifecycle import move
from projects.models import Project

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Finding.Status


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A defect to be put on record."""

    project: Project
    subject_kind: str
    subject_ref: str
    title: str
    description: str
    severity: str
    data: Mapping[str, Any] | None = None
    due_on: date | None = None
    owner: "User | None" = None


@transaction.atomic
def open_finding(finding: NewFinding, *, actor: Actor) -> Finding:
    """Put a defect on record; at high severity it blocks the gates that look for findings.

    Raises:
        NotPermitted: the actor has no part in the project.
        NotFound: code `no_such_subject`; the project has no such subject.
        InvalidInput: no title, or an unknown severity or kind of subject.
    """
    access.require(actor, "finding.open", finding.project)
    _check(finding)
    require_of_project(finding.subject_kind, finding.subject_ref, finding.project)
    row = Finding.objects.create(
        project=finding.project,
        subject_kind=finding.subject_kind,
        subject_ref=finding.subject_ref,
        title=finding.title[:200],
        description=finding.description,
        severity=finding.severity,
        source=actor.ref,
        owner=finding.owner,
        due_on=finding.due_on,
        data=dict(finding.data or {}),
    )
    _link(row)
    _record("finding.opened", row, actor=actor, severity=str(row.severity), title=row.title)
    return row


@transaction.atomic
def resolve_finding(finding: Finding, *, actor: Actor, resolution: str) -> Finding:
    """Say what was done about a finding; somebody else has to verify it."""
    access.require(actor, "finding.resolve", finding.project)
    if actor.user is None or not resolution.strip():
        raise InvalidInput("Say what was done about it.", code="resolution_missing")
    move(
        finding,
        Status.RESOLVED,
        allowed=FINDING_TRANSITIONS,
        resolved_by=actor.user,
        resolution=resolution.strip(),
    )
    _record("finding.resolved", finding, actor=actor)
    return finding


@transaction.atomic
def reopen_finding(finding: Finding, *, actor: Actor, reason: str) -> Finding:
    """Send a resolved finding back: the verification failed."""
    access.require(actor, "finding.reopen", finding.project)
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    move(finding, Status.OPEN, allowed=FINDING_TRANSITIONS)
    _record("finding.reopened", finding, actor=actor, reason=ledger.remember_personal_text(reason))
    return finding


@transaction.atomic
def close_finding(finding: Finding, *, actor: Actor) -> Finding:
    """Close a resolved finding after verifying it.

    Raises:
        NotPermitted: code `verifier_not_independent`; whoever resolved or owns it cannot verify.
    """
    access.require(actor, "finding.close", finding.project)
    if actor.user_id is None or actor.user_id in {finding.resolved_by_id, finding.owner_id}:
        raise NotPermitted(
            "Who resolved or owns a finding cannot verify it; ask somebody else.",
            code="verifier_not_independent",
        )
    move(
        finding,
        Status.CLOSED,
        allowed=FINDING_TRANSITIONS,
        closed_by=actor.user,
        closed_at=now(),
    )
    _record("finding.closed", finding, actor=actor)
    return finding


def _check(finding: NewFinding) -> None:
    if finding.severity not in Finding.Severity.values:
        names = ", ".join(Finding.Severity.values)
        raise InvalidInput(
            f"{finding.severity!r} is no severity; use one of {names}.", code="unknown_severity"
        )
    if not finding.title.strip():
        raise InvalidInput("A finding needs a title.", code="title_missing")


def _link(row: Finding) -> None:
    kind = lineage.NODE_KINDS.get(row.subject_kind)
    about = LineageNode.objects.filter(kind=kind, ref=row.subject_ref).order_by("-pk").first()
    if about is None:
        return
    node = lineage.Node(LineageNode.Kind.FINDING, row.ref, row.title)
    lineage.record_edge(about, lineage.record_node(node, project=row.project), "found_wanting")


def _record(event: str, finding: Finding, *, actor: Actor, **data: str) -> None:
    ledger.append(
        event, subject=finding.ref, actor=actor, data={"about": finding.subject_ref, **data}
    )
