"""A subject as it is now, and what a review of it binds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from governance.models import GateReview, PolicyVersion
from governance.rules.digests import bindings_digest, digest_of
from governance.rules.staleness import Moved, compare_bindings
from governance.services.evidence import evidence_authors, evidence_digest
from governance.subjects import SubjectFacts, resolve
from projects.errors import RuleViolated

#: Parts that may change after an approval without touching it: monitoring adds evidence, and a
#: decision stays under the policy version under which it was taken.
_FREE_AFTER_APPROVAL = frozenset({"evidence", "policy"})


@dataclass(frozen=True)
class SubjectNow:
    """Facts of a subject and the bindings that a review of it has at this moment."""

    facts: SubjectFacts
    bindings: Mapping[str, str]

    @property
    def digest(self) -> str:
        return bindings_digest(self.bindings)


def subject_now(kind: str, ref: str, policy: PolicyVersion) -> SubjectNow:
    """Resolve a subject; call it before the transaction, since it may read files."""
    facts = resolve(kind, ref)
    witnesses = evidence_authors(kind, ref) | facts.authors.get("evidence", frozenset())
    facts = replace(facts, authors={**facts.authors, "evidence": witnesses})
    return SubjectNow(facts, _bindings(facts, kind, ref, policy))


def subject_of(review: GateReview) -> SubjectNow:
    """Resolve the subject of a review as it is now."""
    return subject_now(review.subject_kind, review.subject_ref, review.policy_version)


def moved_parts(review: GateReview, subject: SubjectNow) -> list[Moved]:
    """Return every bound part that moved since the review was bound."""
    return compare_bindings(review.bindings, subject.bindings)


def moved_since_approval(review: GateReview, facts: SubjectFacts) -> list[Moved]:
    """Return the parts of the subject itself that moved since the review was decided."""
    bound = {part: d for part, d in review.bindings.items() if part not in _FREE_AFTER_APPROVAL}
    return compare_bindings(bound, dict(facts.bindings))


def stored_facts(facts: SubjectFacts) -> dict[str, Any]:
    """Return the facts as JSON, to be copied into the review: their sources may be edited."""
    return {
        "label": facts.label,
        "metrics": _plain(facts.metrics),
        "attributes": _plain(facts.attributes),
        "authors": {part: sorted(people) for part, people in facts.authors.items()},
        "unmapped": sorted(facts.unmapped),
    }


def stored_authors(review: GateReview) -> dict[str, frozenset[int]]:
    """Return the authors as they were when the review was bound."""
    return {part: frozenset(ids) for part, ids in review.facts.get("authors", {}).items()}


def _bindings(facts: SubjectFacts, kind: str, ref: str, policy: PolicyVersion) -> dict[str, str]:
    absent = [part for part, digest in facts.bindings.items() if not digest]
    if absent or not facts.bindings:
        names = ", ".join(absent) or "anything"
        raise RuleViolated(
            f"{facts.label} cannot be reviewed yet: there is no digest of {names}.",
            code="subject_not_bound",
            reasons=[f"No digest of {names}."],
        )
    # From the text, not from the column beside it: both could be edited past the services.
    own = {"policy": digest_of(policy.text), "evidence": evidence_digest(kind, ref)}
    return {**facts.bindings, **own}


def _plain(value: Any) -> Any:
    """Return the value as JSON can hold it; numbers that are not finite become text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
