"""What differs between what two reviews bound, and between a review and the last approval."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from governance.models import GateReview, PolicyVersion
from governance.rules.differences import (
    Change,
    Row,
    State,
    changes_between,
    digest_of_difference,
)
from governance.rules.staleness import ALL_EVIDENCE, Moved, as_bound, is_evidence
from governance.services.binding import SubjectNow, stored_facts
from projects.models import ScopingDocument
from projects.services.content import content_of
from projects.services.scope_changes import completed, frozen_content

__all__ = [
    "Change",
    "Row",
    "difference_between",
    "difference_of",
    "difference_since_approval",
    "digest_of_difference",
    "last_approval",
    "state_now",
    "state_of",
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
    if (own := approved_self(review)) is not None:
        return own
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


def approved_self(review: GateReview) -> GateReview | None:
    """Return what the review bound when it was approved before, as a review never saved."""
    approved = review.facts.get("approved")
    if not approved:
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
        bindings=approved["bindings"],
        bindings_digest=approved["bindings_digest"],
        facts=approved["facts"],
        decided_at=parse_datetime(approved["decided_at"]),
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


def state_now(review: GateReview, subject: SubjectNow) -> State:
    """Return what a review would bind now, in the shape in which it is bound."""
    facts = stored_facts(subject)
    return replace(
        state_of(review),
        label=subject.facts.label,
        bindings=as_bound(review.bindings, subject.bindings, subject.evidence.as_one),
        facts=facts,
        scope=_scope_now(review, facts),
    )


def difference_of(review: GateReview, later: State, moved: Sequence[Moved]) -> list[Change]:
    """Return how the parts that moved differ from what the review bound."""
    parts = {one.part for one in moved}
    return [
        one
        for one in changes_between(state_of(review), later)
        if one.part in parts or (ALL_EVIDENCE in parts and is_evidence(one.part))
    ]


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
    document = _document(review, review.facts)
    content = None if document is None else frozen_content(document)
    return None if content is None else completed(content)


def _scope_now(review: GateReview, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    document = _document(review, facts)
    if document is None or review.subject_kind != Kind.SCOPING_DOCUMENT:
        content = None if document is None else frozen_content(document)
    else:
        # The rows may have been edited past the services; the submission does not show that.
        content = content_of(document)
    return None if content is None else completed(content)


def _document(review: GateReview, facts: Mapping[str, Any]) -> ScopingDocument | None:
    """Return the scope that is judged, or that a model version is judged by."""
    ref = review.subject_ref
    if review.subject_kind != Kind.SCOPING_DOCUMENT:
        ref = str((facts.get("attributes") or {}).get("scope_ref") or "")
    return ScopingDocument.objects.filter(pk=_key(ref)).first() if ref else None


def _subject_text(review: GateReview) -> str:
    if review.subject_kind != Kind.POLICY_VERSION:
        return ""
    texts = PolicyVersion.objects.filter(pk=_key(review.subject_ref)).values_list("text", flat=True)
    return texts.first() or ""


def _key(ref: str) -> int:
    key = ref.rpartition(":")[2]
    return int(key) if key.isdecimal() else 0
