"""Approvals that are about to end, and the review that one takes over from."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from governance.models import GateReview, PolicyVersion, Promotion
from governance.services.policies import rules_of
from projects.actors import Actor

Status = GateReview.Status
_STANDING = (Promotion.Status.APPROVED, Promotion.Status.APPLYING, Promotion.Status.APPLIED)


def ending(at: datetime) -> QuerySet[GateReview]:
    """Return the approvals that end within the renewal days of their policy, soonest first.

    That of a promotion counts while something stands on it.
    """
    resting = Q(promotion__isnull=True) | Q(promotion__status__in=_STANDING)
    approved = GateReview.objects.filter(resting, status=Status.APPROVED, expires_at__gt=at)
    soon = Q(pk__in=[])
    for version in PolicyVersion.objects.filter(pk__in=approved.values("policy_version")):
        limit = at + timedelta(days=rules_of(version).renewal_days)
        soon |= Q(policy_version=version, expires_at__lte=limit)
    rows = approved.filter(soon).select_related("project", "requested_by", "policy_version__policy")
    return rows.order_by("expires_at", "pk")


def ending_for(actor: Actor) -> QuerySet[GateReview]:
    """Return the approvals of the actor's projects that are about to end."""
    mine = GateReview.objects.visible_to(actor)
    return ending(now()).filter(pk__in=mine.values("pk"))


def is_ending(review: GateReview, at: datetime) -> bool:
    """Return whether one approval is about to end."""
    if review.status != Status.APPROVED or review.expires_at is None:
        return False
    days = rules_of(review.policy_version).renewal_days
    return at < review.expires_at <= at + timedelta(days=days)


def predecessor(review: GateReview) -> GateReview | None:
    """Return what a new review takes over from: the approval that stands, else the last that ended.

    Of several that stand the one that something rests on comes first, then the one that ends first.
    """
    same = GateReview.objects.of_subject(review.subject_kind, review.subject_ref)
    standing = same.filter(gate=review.gate, status=Status.APPROVED).exclude(expires_at__lte=now())
    resting = standing.filter(promotion__status__in=_STANDING)
    ends_first = F("expires_at").asc(nulls_last=True)
    found = (
        resting.order_by(ends_first, "pk").first() or standing.order_by(ends_first, "pk").first()
    )
    return found or lapsed(review)


def lapsed(review: GateReview) -> GateReview | None:
    """Return the last approval of the same subject at the same gate that ended, if any did."""
    same = GateReview.objects.of_subject(review.subject_kind, review.subject_ref)
    ended = same.filter(gate=review.gate, status__in=[Status.EXPIRED, Status.SUSPENDED])
    return ended.order_by("-decided_at", "-pk").first()
