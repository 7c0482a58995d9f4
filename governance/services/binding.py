"""A subject as it is now, and what a review of it binds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from governance.models import GateReview, PolicyVersion
from governance.rules.digests import bindings_digest, digest_of, digest_of_set
from governance.rules.staleness import (
    ALL_EVIDENCE,
    Moved,
    as_bound,
    compare_bindings,
    is_evidence,
)
from governance.services.evidence_now import EvidenceNow, evidence_authors, evidence_now
from governance.subjects import SubjectFacts, resolve
from projects.errors import RuleViolated


@dataclass(frozen=True)
class SubjectNow:
    """Facts of a subject and the bindings that a review of it has at this moment."""

    facts: SubjectFacts
    bindings: Mapping[str, str]
    evidence: EvidenceNow

    @property
    def digest(self) -> str:
        return bindings_digest(self.bindings)


def subject_now(kind: str, ref: str, policy: PolicyVersion) -> SubjectNow:
    """Resolve a subject; call it before the transaction, since it may read files."""
    facts = resolve(kind, ref)
    _require_digests(facts)
    witnesses = evidence_authors(kind, ref) | facts.authors.get("evidence", frozenset())
    facts = replace(facts, authors={**facts.authors, "evidence": witnesses})
    return _bound(facts, kind, ref, policy)


def subject_of(review: GateReview) -> SubjectNow:
    """Resolve the subject of a review as it is now."""
    return subject_now(review.subject_kind, review.subject_ref, review.policy_version)


def moved_parts(review: GateReview, subject: SubjectNow) -> list[Moved]:
    """Return every bound part that moved since the review was bound."""
    now = as_bound(review.bindings, subject.bindings, subject.evidence.as_one)
    return compare_bindings(review.bindings, now)


def moved_since_approval(review: GateReview, facts: SubjectFacts) -> list[Moved]:
    """Return the parts that moved since the review was decided, but for what was only added.

    Monitoring adds evidence to a version in use, and that touches no decision. What was signed has
    to be there still: evidence is never changed and never removed, so the digest that is bound is
    that of the first rows, however many came after them.
    """
    subject = as_it_is(review, facts)
    return [one for one in moved_parts(review, subject) if not _is_added_to(one, subject.evidence)]


def as_it_is(review: GateReview, facts: SubjectFacts) -> SubjectNow:
    """Return what a review would bind of these facts now, whether or not all of it is there."""
    return _bound(facts, review.subject_kind, review.subject_ref, review.policy_version)


def _is_added_to(moved: Moved, evidence: EvidenceNow) -> bool:
    if not is_evidence(moved.part):
        return False
    if moved.part == ALL_EVIDENCE:
        found = [digest for _, digest in evidence.rows]
    else:
        found = evidence.by_part().get(moved.part, [])
    starts = [found[:count] for count in range(len(found))]
    return not moved.was or any(digest_of_set(start) == moved.was for start in starts)


def stored_facts(subject: SubjectNow) -> dict[str, Any]:
    """Return the facts as JSON, to be copied into the review: their sources may be edited."""
    facts = subject.facts
    return {
        **plain(subject.evidence.facts()),
        "label": facts.label,
        "metrics": plain(facts.metrics),
        "attributes": plain(facts.attributes),
        "authors": {part: sorted(people) for part, people in facts.authors.items()},
        "unmapped": sorted(facts.unmapped),
        "traces": dict(facts.traces),
    }


def stored_subject(review: GateReview) -> SubjectNow:
    """Return the subject as the review holds it, without asking its source again."""
    held = review.facts
    facts = SubjectFacts(
        label=str(held.get("label", review.subject_label)),
        project=review.project,
        bindings=review.bindings,
        metrics=held.get("metrics", {}),
        attributes=held.get("attributes", {}),
        authors=stored_authors(review),
        unmapped=tuple(held.get("unmapped", ())),
    )
    evidence = evidence_now(review.subject_kind, review.subject_ref)
    return SubjectNow(facts, review.bindings, evidence)


def stored_authors(review: GateReview) -> dict[str, frozenset[int]]:
    """Return the authors as they were when the review was bound."""
    return {part: frozenset(ids) for part, ids in review.facts.get("authors", {}).items()}


def _bound(facts: SubjectFacts, kind: str, ref: str, policy: PolicyVersion) -> SubjectNow:
    evidence = evidence_now(kind, ref)
    # From the text, not from the column beside it: both could be edited past the services.
    own = {"policy": digest_of(policy.text), **evidence.bindings}
    return SubjectNow(facts, {**facts.bindings, **own}, evidence)


def _require_digests(facts: SubjectFacts) -> None:
    absent = [part for part, digest in facts.bindings.items() if not digest]
    if absent or not facts.bindings:
        names = ", ".join(absent) or "anything"
        raise RuleViolated(
            f"{facts.label} cannot be reviewed yet: there is no digest of {names}.",
            code="subject_not_bound",
            reasons=[f"No digest of {names}."],
        )


def plain(value: Any) -> Any:
    """Return the value as JSON can hold it; numbers that are not finite become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
