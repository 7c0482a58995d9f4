"""What the page of a review shows of change: since the last approval, and since it was bound."""

from typing import Any

from governance.models import GateReview
from governance.services.differences import difference_between, last_approval


def changes_of(review: GateReview) -> dict[str, Any]:
    """Return what is new since the last approval, what moved, and what outlived it.

    `moved` holds what made a stale review stale; `former` what moved before the review was bound
    anew, with the fate of each sign-off.
    """
    earlier = last_approval(review)
    is_stale = review.status == GateReview.Status.STALE
    return {
        "earlier": earlier,
        "since_approval": [] if earlier is None else difference_between(earlier, review),
        "moved": review.facts.get("moved") if is_stale else None,
        "former": None if is_stale else review.facts.get("former"),
    }
