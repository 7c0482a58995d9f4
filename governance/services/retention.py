"""How long a version is kept: while it is judged or stands, and after it was retired."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils.timezone import localdate

from governance.models import GateReview, Promotion
from governance.rules.transitions import LIVE_PROMOTIONS, PROMOTION_TRANSITIONS
from governance.services.policies import rules_of
from governance.services.standing import UNDECIDED
from ledger import services as ledger
from projects.actors import Actor
from projects.lifecycle import move

Status = Promotion.Status
#: The gate of the policy that a version passes on its way out.
RETIREMENT_GATE = "retirement"
#: A stale review may be bound anew, to the very files that it bound before.
_JUDGED = (*UNDECIDED, GateReview.Status.APPROVED)


def begin_retirement(review: GateReview, *, actor: Actor, decided: datetime) -> None:
    """Let the promotions whose retirement was just approved go; a worker takes their alias away.

    One that can no longer be retired, since it was queued again meanwhile, stays as it is.
    """
    waiting = Promotion.objects.filter(retirement=review).select_related("environment")
    for promotion in waiting:
        if Status.RETIRING not in PROMOTION_TRANSITIONS[promotion.status]:
            continue
        until = _retain_until(review, decided)
        move(
            promotion,
            Status.RETIRING,
            allowed=PROMOTION_TRANSITIONS,
            status_reason="Its retirement was approved.",
            retain_until=until,
            claimed_by="",
            claimed_at=None,
            attempts=0,
        )
        ledger.append(
            "promotion.retiring",
            subject=promotion.ref,
            actor=actor,
            data={"review": review.ref, "retain_until": until.isoformat() if until else None},
        )


def why_kept(model_name: str, version: int | None = None) -> str:
    """Return why a version, or any version of a model, may not be touched; empty when it may.

    A version that was ever applied is kept until it was retired everywhere and its time of
    retention is over. A policy without such a time keeps it for good.
    """
    match: dict[str, str | int] = {"model_name": model_name}
    if version is not None:
        match["model_version"] = version
    judged = GateReview.objects.filter(**match, status__in=_JUDGED)
    promoted = Promotion.objects.filter(**match).select_related("environment")
    reviews, promotions = list(judged.order_by("pk")), list(promoted)
    open_ones = [one for one in reviews if one.status == GateReview.Status.OPEN]
    kept = next(filter(None, map(_why_kept, promotions)), "")
    if open_ones:
        return _under_judgement(open_ones[0])
    if kept:
        return kept
    let_go = {one.model_version for one in promotions if one.status == Status.RETIRED}
    still = [one for one in reviews if one.model_version not in let_go]
    return _under_judgement(still[0]) if still else ""


def review_url(review: GateReview) -> str:
    """Return the absolute address of a review, for messages that leave the browser."""
    return f"{settings.BASE_URL}/reviews/{review.pk}/"


def _why_kept(promotion: Promotion) -> str:
    name = f"{promotion.model_name} v{promotion.model_version}"
    if promotion.status == Status.RETIRED:
        return _why_retained(promotion, name)
    if promotion.status in LIVE_PROMOTIONS:
        return f"{name} has a {promotion.status} promotion to {promotion.environment}."
    if promotion.applied_at is not None:
        return (
            f"{name} stood in {promotion.environment} and may be gone back to; retire it there "
            "first."
        )
    return ""


def _why_retained(promotion: Promotion, name: str) -> str:
    until = promotion.retain_until
    if until is None:
        return f"{name} was retired from {promotion.environment} and is kept for good."
    if until > localdate():
        return (
            f"{name} was retired from {promotion.environment} and is kept until "
            f"{until.isoformat()}."
        )
    return ""


def _under_judgement(review: GateReview) -> str:
    state = "under review" if review.status in UNDECIDED else "approved"
    return f"{review.model_name} v{review.model_version} is {state} ({review_url(review)})."


def _retain_until(review: GateReview, decided: datetime) -> date | None:
    days = rules_of(review.policy_version).retention_days
    return None if days is None else localdate(decided) + timedelta(days=days)
