"""What ends a review before its time, and what rests on it."""

from collections.abc import Sequence
from dataclasses import asdict

from governance.models import GateReview, Promotion
from governance.rules.differences import State, digest_of_difference
from governance.rules.staleness import Moved
from governance.rules.transitions import PROMOTION_TRANSITIONS, REVIEW_TRANSITIONS
from governance.services import notices
from governance.services.differences import difference_of
from ledger import services as ledger
from projects.actors import Actor
from projects.lifecycle import move

Status = GateReview.Status


def mark_stale(
    review: GateReview, moved: Sequence[Moved], *, actor: Actor, later: State | None = None
) -> None:
    """Mark a review stale; its sign-offs count no more until it is bound anew.

    `later` is what is there now, where the caller knows it: the review keeps what differs in it,
    since the sources may move on.
    """
    changes = [] if later is None else difference_of(review, later, moved)
    move(
        review,
        Status.STALE,
        allowed=REVIEW_TRANSITIONS,
        status_reason=" ".join(part.sentence for part in moved),
        facts={**review.facts, "moved": [asdict(one) for one in changes]},
    )
    ledger.append(
        "review.went_stale",
        subject=review.ref,
        actor=actor,
        data={
            "parts": [part.part for part in moved],
            "difference_digest": digest_of_difference(changes),
        },
    )
    notices.tell_stale(review, [part.part for part in moved], actor=actor)


def end_stale(
    review: GateReview, moved: Sequence[Moved], *, actor: Actor, later: State | None = None
) -> None:
    """Mark a review stale, and suspend the promotion that rested on it if it was approved."""
    was_approved = review.status == Status.APPROVED
    mark_stale(review, moved, actor=actor, later=later)
    if was_approved:
        reason = review.status_reason
        halt_promotion(
            review, Promotion.Status.SUSPENDED, actor=actor, reason=reason, may_resume=True
        )


def halt_promotion(
    review: GateReview, to: str, *, actor: Actor, reason: str, may_resume: bool = False
) -> None:
    """Move the promotion of a review that ended to the matching status, where there is an arrow.

    One that break-glass let through is on its way or serves already; it is suspended. `may_resume`
    says that a new approval of the same review brings it back.
    """
    promotion = Promotion.objects.filter(review=review).first()
    if promotion is None:
        return
    arrows = PROMOTION_TRANSITIONS[promotion.status]
    if to not in arrows:
        to = Promotion.Status.SUSPENDED
    if to not in arrows:
        return
    move(
        promotion,
        to,
        allowed=PROMOTION_TRANSITIONS,
        status_reason=reason,
        resumes_with_review=may_resume and to == Promotion.Status.SUSPENDED,
    )
    ledger.append(
        f"promotion.{to}", subject=promotion.ref, actor=actor, data={"review": review.ref}
    )
