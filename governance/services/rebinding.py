"""Binding a review anew: what moved, which sign-offs outlive it, and what it bound before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from governance import access
from governance.models import GateReview
from governance.rules.staleness import Moved
from governance.rules.transitions import REVIEW_TRANSITIONS
from governance.services import assignments, carrying, deciding
from governance.services.binding import SubjectNow, moved_parts, stored_facts, subject_of
from governance.services.carrying import Fate
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidTransition, RuleViolated
from projects.lifecycle import compare_and_swap, move

Status = GateReview.Status
#: What a review keeps about its own past; copying it into that past would never end.
_PAST = frozenset({"former", "approved", "moved"})


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What moved since a review was bound, and what became of its sign-offs."""

    moved: list[Moved]
    fates: list[Fate]

    @property
    def sentences(self) -> list[str]:
        """Return what moved, in words."""
        return [one.sentence for one in self.moved]


def refresh_review(review: GateReview, *, actor: Actor) -> Refreshed:
    """Bind an open or stale review to its subject as it is now.

    Sign-offs given before stay on record. Those count on that the policy's copy conditions let
    outlive what moved, as rows of their own; the others count no more. Changed model files cannot
    be bound anew: a version's files never change, so this is either damage or an attack.

    Raises:
        RuleViolated: code `files_changed` or `review_open`.
    """
    access.require(actor, "review.refresh", review.project)
    review.refresh_from_db()
    require_status(review, Status.OPEN, Status.STALE)
    subject = subject_of(review)
    moved = moved_parts(review, subject)
    _require_same_files(moved)
    fates = carrying.fates_of(review, moved, subject.facts.authors) if moved else []
    with transaction.atomic():
        _rebind(review, subject, Refreshed(moved, fates))
        carrying.carry_along(review, fates, actor=actor)
        assignments.ask_signers(review)
        deciding.ask_again(review, subject, asker=actor)
        ledger.append("review.rebound", subject=review.ref, actor=actor, data=_entry(review, moved))
    return Refreshed(moved, fates)


def require_status(review: GateReview, *allowed: str) -> None:
    """Refuse what only a review in one of these states takes.

    Raises:
        InvalidTransition: code `review_not_open`.
    """
    if review.status not in allowed:
        raise InvalidTransition(
            f"The review is {review.status}; this takes one that is {' or '.join(allowed)}.",
            code="review_not_open",
            details={"status": str(review.status)},
        )


def _require_same_files(moved: Sequence[Moved]) -> None:
    if any(part.part == "model_files" for part in moved):
        raise RuleViolated(
            "The files of a version under review changed. Restore them, or register a new "
            "version and request its review.",
            code="files_changed",
            reasons=[part.sentence for part in moved],
        )


def _rebind(review: GateReview, subject: SubjectNow, refreshed: Refreshed) -> None:
    changes: dict[str, Any] = {"status_reason": ""}
    if refreshed.moved:
        changes |= {
            "bindings": dict(subject.bindings),
            "bindings_digest": subject.digest,
            "facts": stored_facts(subject) | _past(review, refreshed),
            # An edited draft may loosen what it did not when the review was requested.
            "tier": str(subject.facts.attributes.get("review_tier", review.tier)),
        }
    if review.status == Status.OPEN:
        compare_and_swap(review, expected={"status": Status.OPEN}, **changes)
        return
    changes |= {"decided_at": None, "expires_at": None}
    try:
        with transaction.atomic():
            move(review, Status.OPEN, allowed=REVIEW_TRANSITIONS, **changes)
    except IntegrityError as error:
        raise RuleViolated(
            "Another review of the same subject at the same gate is open.",
            code="review_open",
            reasons=["A review of the same subject at the same gate is open."],
        ) from error


def _past(review: GateReview, refreshed: Refreshed) -> dict[str, Any]:
    """Return what the review bound until now, and what it bound when it was last approved."""
    state = {
        "bindings": review.bindings,
        "bindings_digest": review.bindings_digest,
        "facts": {name: fact for name, fact in review.facts.items() if name not in _PAST},
        "decided_at": review.decided_at.isoformat() if review.decided_at else None,
    }
    approved = state if review.decided_at else review.facts.get("approved")
    fates = [
        {
            "role": one.survival.role,
            "person": one.person,
            "survives": one.survival.survives,
            "reason": one.survival.reason,
        }
        for one in refreshed.fates
    ]
    return {"former": {"moved": refreshed.sentences, "fates": fates}, "approved": approved}


def _entry(review: GateReview, moved: Sequence[Moved]) -> dict[str, Any]:
    return {
        "parts": [part.part for part in moved],
        "bindings": review.bindings,
        "bindings_digest": review.bindings_digest,
    }
