"""What time ends: approvals past their date, and approvals whose conditions are overdue."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from governance.models import Condition, GateReview
from governance.services.reviews import expire_review, suspend_review
from projects.actors import Actor
from projects.errors import InvalidTransition, StaleState


@dataclass(frozen=True, slots=True)
class Ended:
    """References of the reviews that ended."""

    expired: list[str] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)


def expire_due(now: datetime, *, actor: Actor) -> Ended:
    """End what is due at `now`; each review in a transaction of its own, lost races are skipped."""
    ended = Ended()
    approved = GateReview.objects.filter(status=GateReview.Status.APPROVED)
    for review in approved.filter(expires_at__lte=now).select_related("project"):
        try:
            expire_review(review, actor=actor, reason="The approval's time is over.")
        except (StaleState, InvalidTransition):
            continue
        ended.expired.append(review.ref)
    overdue = Condition.objects.overdue(now.date())
    broken = approved.filter(
        sign_offs__conditions__in=overdue, sign_offs__bindings_digest=F("bindings_digest")
    ).distinct()
    for review in broken.select_related("project"):
        try:
            suspend_review(review, actor=actor, reason="A condition of the approval is overdue.")
        except (StaleState, InvalidTransition):
            continue
        ended.suspended.append(review.ref)
    return ended
