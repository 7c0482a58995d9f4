"""What a promotion rests on: an approval in time, or break-glass past a review still undecided."""

from datetime import datetime

from governance.models import GateReview, Override, Promotion

#: A decided review cannot be broken past: what was rejected stays rejected.
UNDECIDED = frozenset({GateReview.Status.OPEN, GateReview.Status.STALE})


def why_not_backed(promotion: Promotion, at: datetime) -> str:
    """Return why nothing lets a promotion stand at a moment; an empty text if something does."""
    review = promotion.review
    if review.status in UNDECIDED and live_override(promotion, at) is not None:
        return ""
    if review.status != GateReview.Status.APPROVED:
        return f"the review behind {promotion} is {review.status}. {review.status_reason}".strip()
    if review.expires_at is not None and review.expires_at <= at:
        return f"the approval of {promotion} expired on {review.expires_at:%Y-%m-%d}."
    return ""


def live_override(promotion: Promotion, at: datetime) -> Override | None:
    """Return the break-glass act that holds for a promotion at a moment, if there is one."""
    return Override.objects.live(at).filter(promotion=promotion).first()
