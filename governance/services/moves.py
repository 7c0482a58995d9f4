"""What is known to move what reviews bind, and is told to them in the same transaction.

Whatever moves by itself, or past the services, is found by `sweeping`.
"""

from collections.abc import Mapping
from dataclasses import replace

from governance.models import Evidence, GateReview
from governance.rules.differences import State
from governance.rules.staleness import (
    Moved,
    as_bound,
    compare_bindings,
    is_bound_as_one,
    is_evidence,
)
from governance.services.binding import stored_authors
from governance.services.carrying import stands_throughout
from governance.services.differences import state_of
from governance.services.ending import end_stale
from governance.services.evidence_now import evidence_now
from projects.actors import system
from projects.errors import StaleState
from projects.models import ScopingDocument
from projects.services.scope_changes import (
    completed,
    frozen_content,
    frozen_criteria_hash,
    frozen_hash,
)
from projects.services.scoping import author_ids

Status = GateReview.Status


def evidence_recorded(evidence: Evidence) -> None:
    """Let open reviews of the subject go stale; evidence may be added to what was approved."""
    kind, ref = evidence.subject_kind, evidence.subject_ref
    reviews = GateReview.objects.open().of_subject(kind, ref)
    if not reviews.exists():
        return
    there = evidence_now(kind, ref)
    for review in reviews.select_related("project", "policy_version__policy"):
        kept = {part: d for part, d in review.bindings.items() if not is_evidence(part)}
        bindings = as_bound(review.bindings, {**kept, **there.bindings}, there.as_one)
        moved = compare_bindings(review.bindings, bindings)
        facts = {**review.facts, **there.facts()}
        _end(review, moved, replace(state_of(review), bindings=bindings, facts=facts))


def scope_approved(document: ScopingDocument) -> None:
    """Let reviews go stale that judged model versions by the scope that held before.

    An approval stands where the policy lets each of its sign-offs outlive the change.
    """
    reviews = GateReview.objects.filter(
        project=document.project,
        subject_kind=GateReview.SubjectKind.MODEL_VERSION,
        status__in=[Status.OPEN, Status.APPROVED],
    ).select_related("project", "policy_version__policy")
    content = frozen_content(document)
    now = {"scope": frozen_hash(document), "criteria": frozen_criteria_hash(document)}
    for review in reviews:
        bindings = {**review.bindings, **_told_by(review, now)}
        moved = compare_bindings(review.bindings, bindings)
        authors = {**stored_authors(review), "scope": author_ids(document)}
        if review.status == Status.APPROVED and stands_throughout(review, moved, authors):
            continue
        attributes = {**state_of(review).attributes, "scope_version": document.version}
        facts = {**review.facts, "attributes": attributes}
        scope = None if content is None else completed(content)
        _end(review, moved, replace(state_of(review), bindings=bindings, facts=facts, scope=scope))


def _told_by(review: GateReview, now: Mapping[str, str]) -> dict[str, str]:
    """Return those of the parts that the review binds by themselves."""
    if is_bound_as_one(review.bindings):
        return {"scope": now["scope"]}
    return dict(now)


def _end(review: GateReview, moved: list[Moved], later: State) -> None:
    if not moved:
        return
    try:
        end_stale(review, moved, actor=system("governance"), later=later)
    except StaleState:
        # Somebody acts on the review right now. The act looks at the subject afresh, as the next
        # sweep does; what moved it must not fail because of that.
        return
