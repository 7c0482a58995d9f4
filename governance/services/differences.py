"""What differs between what two reviews bound, and between a review and the last approval."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from governance.models import GateReview, PolicyVersion
from governance.rules.differences import (
    Change,
    Row,
    State,
    changes_between,
    digest_of_difference,
)
from projects.models import ScopingDocument
from projects.services.scope_changes import completed, frozen_content

__all__ = [
    "Change",
    "Row",
    "difference_between",
    "difference_since_approval",
    "digest_of_difference",
    "last_approval",
]

Status = GateReview.Status
Kind = GateReview.SubjectKind


def difference_between(earlier: GateReview, later: GateReview) -> list[Change]:
    """Return what differs between what two reviews bound, part by part; no part goes unsaid."""
    return changes_between(state_of(earlier), state_of(later))


def difference_since_approval(review: GateReview) -> list[Change] | None:
    """Return what differs from the last approval; None where there is none."""
    earlier = last_approval(review)
    return None if earlier is None else difference_between(earlier, review)


def last_approval(review: GateReview) -> GateReview | None:
    """Return the newest approval at the same gate before this review, of the same line of subjects.

    A version follows the other versions of its model, data set or policy, a scope those of its
    project. A review that was approved itself and bound anew since follows its former self.
    """
    former = former_self(review)
    if former is not None and former.decided_at is not None:
        return former
    found = GateReview.objects.filter(
        project=review.project,
        gate=review.gate,
        subject_kind=review.subject_kind,
        decided_at__isnull=False,
    ).exclude(status=Status.REJECTED)
    if review.decided_at is not None:
        found = found.filter(decided_at__lt=review.decided_at)
    earlier = _same_line(review, found.exclude(pk=review.pk)).order_by("-decided_at", "-pk")
    return earlier.select_related("policy_version__policy").first()


def former_self(review: GateReview) -> GateReview | None:
    """Return what the review bound before it was bound anew, as a review that is never saved."""
    former = review.facts.get("former")
    if not former:
        return None
    return GateReview(
        pk=review.pk,
        project=review.project,
        gate=review.gate,
        policy_version=review.policy_version,
        subject_kind=review.subject_kind,
        subject_ref=review.subject_ref,
        subject_label=review.subject_label,
        tier=review.tier,
        bindings=former["bindings"],
        bindings_digest=former["bindings_digest"],
        facts=former["facts"],
        decided_at=review.decided_at if former["was_approved"] else None,
    )


def state_of(review: GateReview) -> State:
    """Return what a review bound, with the texts behind the digests."""
    policy = review.policy_version
    return State(
        label=str(review.facts.get("label") or review.subject_label),
        bindings=review.bindings,
        facts=review.facts,
        scope=_scope_of(review),
        policy=str(policy),
        policy_text=policy.text,
        subject_text=_subject_text(review),
    )


def _same_line(review: GateReview, rows: QuerySet[GateReview]) -> QuerySet[GateReview]:
    if review.subject_kind == Kind.MODEL_VERSION:
        return rows.filter(model_name=review.model_name)
    if review.subject_kind == Kind.DATASET_VERSION:
        name = (review.facts.get("attributes") or {}).get("dataset_name")
        if name:
            return rows.filter(facts__attributes__dataset_name=name)
    if review.subject_kind == Kind.POLICY_VERSION:
        own = PolicyVersion.objects.filter(pk=_key(review.subject_ref)).values("policy")
        keys = PolicyVersion.objects.filter(policy__in=own).values_list("pk", flat=True)
        return rows.filter(subject_ref__in=[f"policy_version:{key}" for key in keys])
    if review.subject_kind == Kind.SCOPING_DOCUMENT:
        return rows
    return rows.filter(subject_ref=review.subject_ref)


def _scope_of(review: GateReview) -> Mapping[str, Any] | None:
    ref = review.subject_ref
    if review.subject_kind != Kind.SCOPING_DOCUMENT:
        ref = str((review.facts.get("attributes") or {}).get("scope_ref") or "")
    document = ScopingDocument.objects.filter(pk=_key(ref)).first() if ref else None
    content = None if document is None else frozen_content(document)
    return None if content is None else completed(content)


def _subject_text(review: GateReview) -> str:
    if review.subject_kind != Kind.POLICY_VERSION:
        return ""
    texts = PolicyVersion.objects.filter(pk=_key(review.subject_ref)).values_list("text", flat=True)
    return texts.first() or ""


def _key(ref: str) -> int:
    key = ref.rpartition(":")[2]
    return int(key) if key.isdecimal() else 0
