"""What a new approval of a review brings back: the promotion that was suspended along with it."""

from datetime import datetime

from governance.models import GateReview, Promotion
from governance.rules.transitions import RESUMPTION
from governance.services.applying import record
from projects.actors import Actor
from projects.lifecycle import move

Status = Promotion.Status
_PASSED_BY = (Status.APPROVED, Status.APPLYING, Status.APPLIED)


def resume(promotion: Promotion, review: GateReview, *, decided: datetime, actor: Actor) -> bool:
    """Queue a promotion anew whose review went stale and was just approved again.

    A worker claims it as it claims every approved one, and asks again what was signed. It stays
    suspended where it was suspended for another reason, where the files are not those that were
    signed now, and where another version went past it meanwhile. Returns whether it was queued.
    """
    if not _may_resume(promotion, review):
        return False
    move(
        promotion,
        Status.APPROVED,
        allowed=RESUMPTION,
        approved_at=decided,
        status_reason="",
        resumes_with_review=False,
        claimed_by="",
        claimed_at=None,
    )
    record("promotion.resumed", promotion, actor=actor)
    return True


def _may_resume(promotion: Promotion, review: GateReview) -> bool:
    return (
        promotion.status == Status.SUSPENDED
        and promotion.resumes_with_review
        and promotion.files_digest == review.bindings.get("model_files")
        and not _is_passed_by(promotion)
    )


def _is_passed_by(promotion: Promotion) -> bool:
    later = Promotion.objects.filter(
        environment=promotion.environment,
        model_name=promotion.model_name,
        pk__gt=promotion.pk,
        status__in=_PASSED_BY,
    )
    return later.exists()
