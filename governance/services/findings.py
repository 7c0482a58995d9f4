"""Findings: opened by anybody, resolved by somebody, closed by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Finding, GateReview, LineageNode, Override, Promotion
from governance.rules.transitions import FINDING_TRANSITIONS
from governance.services import lineage
from governance.services.binding import stored_authors
from governance.subjects import primary_key, require_of_project
from ledger import services as ledger
from projects.access import roles_of
from projects.actors import Actor
from projects.errors import InvalidInput, NotFound, NotPermitted, RuleViolated
from projects.lifecycle import move
from projects.models import Project

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Finding.Status
#: A finding may also be about the act of promoting; nothing else judges a promotion by itself.
PROMOTION = "promotion"


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
    recommended_action: str = ""
    review: GateReview | None = None


@transaction.atomic
def open_finding(finding: NewFinding, *, actor: Actor) -> Finding:
    """Put a defect on record; at high severity it blocks the gates that look for findings.

    Raises:
        NotPermitted: the actor has no part in the project.
        NotFound: code `no_such_subject`; the project has no such subject or review.
        InvalidInput: no title, or an unknown severity or kind of subject.
        RuleViolated: code `owner_unfit`.
    """
    access.require(actor, "finding.open", finding.project)
    _check(finding)
    _require_subject(finding)
    if finding.owner is not None:
        require_fit_owner(finding.owner, finding.project)
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
        recommended_action=finding.recommended_action.strip(),
        review=finding.review,
        data=dict(finding.data or {}),
    )
    _link(row)
    record("finding.opened", row, actor=actor, severity=str(row.severity), title=row.title)
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
    record("finding.resolved", finding, actor=actor)
    return finding


@transaction.atomic
def reopen_finding(finding: Finding, *, actor: Actor, reason: str) -> Finding:
    """Send a resolved finding back, because it was not gone; or a closed one that has come back."""
    access.require(actor, "finding.reopen", finding.project)
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    move(finding, Status.OPEN, allowed=FINDING_TRANSITIONS, closed_by=None, closed_at=None)
    record("finding.reopened", finding, actor=actor, reason=ledger.remember_personal_text(reason))
    return finding


@transaction.atomic
def close_finding(finding: Finding, *, actor: Actor) -> Finding:
    """Close a resolved finding after verifying it.

    Raises:
        NotPermitted: code `verifier_not_independent`; whoever resolved or owns it, or did the
            work that it is about, cannot verify.
    """
    access.require(actor, "finding.close", finding.project)
    if actor.user_id is None or actor.user_id in not_independent(finding):
        raise NotPermitted(
            "Who resolved or owns a finding, or did the work that it is about, cannot verify it; "
            "ask somebody else.",
            code="verifier_not_independent",
        )
    move(
        finding,
        Status.CLOSED,
        allowed=FINDING_TRANSITIONS,
        closed_by=actor.user,
        closed_at=now(),
    )
    record("finding.closed", finding, actor=actor)
    return finding


def not_independent(finding: Finding) -> frozenset[int]:
    """Return the people who cannot judge a finding: resolver, owner, and authors where known.

    Authors are those that the newest review of the subject was bound with; of a promotion also
    the two who broke the glass for it.
    """
    people = {finding.resolved_by_id, finding.owner_id}
    reviews = GateReview.objects.of_subject(finding.subject_kind, finding.subject_ref)
    if finding.subject_kind == PROMOTION:
        key = primary_key(finding.subject_ref, PROMOTION)
        reviews = GateReview.objects.filter(promotion=key)
        for pair in Override.objects.filter(promotion=key).values_list(
            "requested_by", "confirmed_by"
        ):
            people |= set(pair)
    newest = reviews.order_by("-pk").first()
    if newest is not None:
        people = people.union(*stored_authors(newest).values())
    return frozenset(who for who in people if who is not None)


def require_fit_owner(owner: "User", project: Project) -> None:
    """Refuse an owner who has no part in the project, or reads only.

    Raises:
        RuleViolated: code `owner_unfit`.
    """
    if not roles_of(owner, project) & access.PARTICIPANTS:
        name = owner.get_full_name() or owner.get_username()
        raise RuleViolated(
            f"{name} has no role on {project.name} that could see to a finding.",
            code="owner_unfit",
            reasons=["The owner takes part in the project."],
        )


def _require_subject(finding: NewFinding) -> None:
    if finding.review is not None and finding.review.project_id != finding.project.pk:
        raise NotFound(f"{finding.project.name} has no such review.", code="no_such_subject")
    if finding.subject_kind != PROMOTION:
        require_of_project(finding.subject_kind, finding.subject_ref, finding.project)
        return
    key = primary_key(finding.subject_ref, PROMOTION)
    if not Promotion.objects.filter(pk=key, project=finding.project).exists():
        raise NotFound(f"{finding.project.name} has no such promotion.", code="no_such_subject")


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


def record(event: str, finding: Finding, *, actor: Actor, **data: str | None) -> None:
    """Write an entry about a finding, with what it is about."""
    ledger.append(
        event, subject=finding.ref, actor=actor, data={"about": finding.subject_ref, **data}
    )
