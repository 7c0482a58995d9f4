"""A renewed approval takes the place of the one before: what rests on it moves, without a gap."""

from governance.models import GateReview, Promotion
from governance.rules.transitions import REVIEW_TRANSITIONS
from ledger import services as ledger
from projects.actors import Actor
from projects.lifecycle import compare_and_swap, move

Status = GateReview.Status


def take_over(review: GateReview, *, actor: Actor) -> None:
    """Let a review that was just approved stand in for the approval that it renews.

    The caller holds the transaction, so the promotion rests on one of the two at every moment.
    """
    old = review.renews
    if old is None:
        return
    old.refresh_from_db()
    if old.status != Status.APPROVED:
        return
    _move_promotion(old, review, actor=actor)
    move(
        old,
        Status.EXPIRED,
        allowed=REVIEW_TRANSITIONS,
        status_reason=f"Renewed by review {review.pk}.",
    )
    ledger.append("review.renewed", subject=old.ref, actor=actor, data={"by": review.ref})


def suspend_renewed(review: GateReview, reason: str, *, actor: Actor) -> GateReview | None:
    """Suspend the approval whose renewal was just rejected; return it if it stood until now."""
    old = review.renews
    if old is None:
        return None
    old.refresh_from_db()
    if old.status != Status.APPROVED:
        return None
    move(old, Status.SUSPENDED, allowed=REVIEW_TRANSITIONS, status_reason=reason)
    ledger.append("review.suspended", subject=old.ref, actor=actor, data={"renewal": review.ref})
    return old


def _move_promotion(old: GateReview, review: GateReview, *, actor: Actor) -> None:
    promotion = Promotion.objects.filter(review=old).first()
    if promotion is None:
        return
    if promotion.files_digest != review.bindings.get("model_files"):
        # Never so while files cannot change; if they did, what was signed is not what serves.
        return
    compare_and_swap(promotion, expected={"review": old.pk}, review=review)
    ledger.append(
        "promotion.renewed",
        subject=promotion.ref,
        actor=actor,
        data={"from": old.ref, "to": review.ref, "files_digest": promotion.files_digest},
    )
