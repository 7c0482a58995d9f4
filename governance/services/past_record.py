"""What ledger and rows tell of the past beside a review: what counted, stood and was agreed."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.models import GateReview, Promotion
from governance.rules.checks import DatasetFact, ScopeFact
from ledger.models import LedgerEntry
from projects.models import ScopingDocument, Sprint

_DECIDED = ("review.approved", "review.rejected")
_ENDED = ("review.suspended", "review.expired", "review.went_stale")
_ALIAS = ("promotion.applied", "promotion.retired")
_AGREED = (ScopingDocument.Status.APPROVED, ScopingDocument.Status.SUPERSEDED)
Happened = tuple[datetime, str, Mapping[str, Any]]


class Record:
    """Answers from the past, for some reviews."""

    def __init__(self, reviews: Sequence[GateReview]) -> None:
        projects = {review.project_id for review in reviews}
        self._entries = _entries()
        self._data_reviews = self._reviews_of_datasets(reviews)
        self._promotions = self._promotions_of(reviews)
        self._scopes: dict[int, list[ScopingDocument]] = defaultdict(list)
        agreed = ScopingDocument.objects.filter(
            project__in=projects, status__in=_AGREED, decided_at__isnull=False
        )
        for document in agreed.select_related("project").order_by("decided_at"):
            self._scopes[document.project_id].append(document)
        self._sprints: dict[int, list[datetime]] = defaultdict(list)
        closed = Sprint.objects.filter(
            project__in=projects, status=Sprint.Status.CLOSED, closed_at__isnull=False
        )
        for project, at in closed.order_by("closed_at").values_list("project", "closed_at"):
            if at is not None:
                self._sprints[project].append(at)

    def counted(self, review: GateReview) -> frozenset[str] | None:
        """Return the sign-offs that counted at the last decision; None if no record tells."""
        decided = [data for _, event, data in self._entries[review.ref] if event in _DECIDED]
        if review.decided_at is None or review.status == GateReview.Status.OPEN or not decided:
            return None
        return frozenset(decided[-1].get("sign_offs", ()))

    def scope(self, review: GateReview, at: datetime) -> ScopeFact | None:
        """Return the scope that was agreed at a moment."""
        before = [
            one
            for one in self._scopes[review.project_id]
            if one.decided_at is not None and one.decided_at <= at
        ]
        if not before:
            return None
        one = before[-1]
        return ScopeFact(str(one), one.snapshot or {}, one.decided_at, one.ref, one.content_hash)

    def sprints_ended(self, review: GateReview, at: datetime) -> int:
        """Return how many sprints of the project had ended."""
        return bisect_right(self._sprints[review.project_id], at)

    def datasets(self, review: GateReview, at: datetime) -> tuple[DatasetFact, ...] | None:
        """Return whether the datasets stood approved at a moment; None if no record tells."""
        found = []
        for ref in review.facts.get("attributes", {}).get("dataset_refs") or ():
            reviews = [one for one in self._data_reviews[ref] if one.requested_at <= at]
            stood = [self._stood(one, at) for one in reviews]
            if True not in stood and None in stood:
                return None
            label = reviews[-1].subject_label if reviews else ref
            reason = "" if True in stood else "its data review did not stand approved."
            found.append(DatasetFact(ref, label, is_approved=True in stood, reason=reason))
        return tuple(found)

    def champion(self, review: GateReview, at: datetime) -> dict[str, Any] | None:
        """Return the champion of a moment, empty if there was none; None if no record tells."""
        if not review.model_name or review.model_version is None:
            return {}
        rows = [
            one
            for one in self._promotions[review.model_name]
            if one.environment.gate == review.gate and one.requested_at <= at
        ]
        told = [
            (when, event, one)
            for one in rows
            for when, event, _ in self._entries[one.ref]
            if when <= at
        ]
        happened = sorted(told, key=lambda each: each[0])
        if not happened:
            was_applied = any(one.applied_at is not None and one.applied_at <= at for one in rows)
            return None if was_applied else {}
        _, event, last = happened[-1]
        if event == "promotion.retired" or last.model_version == review.model_version:
            return {}
        return {
            "champion": f"{last.model_name} v{last.model_version}",
            "champion_version": last.model_version,
            "champion_metrics": last.review.facts.get("metrics") or {},
            "champion_ref": last.review.subject_ref,
        }

    def _stood(self, review: GateReview, at: datetime) -> bool | None:
        told = [
            event
            for when, event, _ in self._entries[review.ref]
            if when <= at and event in {"review.approved", *_ENDED}
        ]
        if told:
            is_over = review.expires_at is not None and review.expires_at <= at
            return told[-1] == "review.approved" and not is_over
        if review.decided_at is None or review.decided_at > at:
            return False
        return True if review.status == GateReview.Status.APPROVED else None

    def _reviews_of_datasets(self, reviews: Sequence[GateReview]) -> Mapping[str, list[GateReview]]:
        refs = {
            ref
            for review in reviews
            for ref in review.facts.get("attributes", {}).get("dataset_refs") or ()
        }
        found: dict[str, list[GateReview]] = defaultdict(list)
        rows = GateReview.objects.filter(
            subject_kind="dataset_version", subject_ref__in=refs, gate="data"
        )
        for one in rows.defer("facts", "bindings").order_by("pk"):
            found[one.subject_ref].append(one)
        return found

    def _promotions_of(self, reviews: Sequence[GateReview]) -> Mapping[str, list[Promotion]]:
        names = {review.model_name for review in reviews if review.model_name}
        found: dict[str, list[Promotion]] = defaultdict(list)
        rows = Promotion.objects.filter(model_name__in=names)
        for one in rows.select_related("review", "environment").order_by("pk"):
            found[one.model_name].append(one)
        return found


def _entries() -> Mapping[str, list[Happened]]:
    """Return what the ledger tells of decisions and aliases, by subject and in order."""
    found: dict[str, list[Happened]] = defaultdict(list)
    rows = LedgerEntry.objects.filter(event__in=[*_DECIDED, *_ENDED, *_ALIAS]).order_by("seq")
    for subject, at, event, body in rows.values_list(
        "subject", "recorded_at", "event", "body"
    ).iterator():
        data = json.loads(bytes(body)).get("data", {}) if event in _DECIDED else {}
        found[subject].append((at, event, data))
    return found
