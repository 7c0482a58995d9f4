"""What the ledger holds about a review and the promotion that it decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from governance.models import GateReview
from ledger.models import LedgerEntry

#: Longer values of a ledger entry are left to the ledger's own page.
SHORT = 200


@dataclass(frozen=True)
class HistoryLine:
    """One act on the review, as the ledger holds it."""

    entry: LedgerEntry
    data: Sequence[tuple[str, str]]


def history_of(review: GateReview) -> list[HistoryLine]:
    """Return what the ledger holds about a review and its promotion, oldest first."""
    subject = Q(subject=review.ref)
    promotion = getattr(review, "promotion", None)
    if promotion is not None:
        subject |= Q(subject=promotion.ref)
    return [_line(entry) for entry in LedgerEntry.objects.filter(subject).order_by("seq")]


def _line(entry: LedgerEntry) -> HistoryLine:
    plain = [
        (key.replace("_", " "), str(value))
        for key, value in entry.data.items()
        if isinstance(value, str | int) and len(str(value)) <= SHORT
    ]
    return HistoryLine(entry, plain)
