"""What the page of a review shows of change: since the last approval, and since it was bound."""

from typing import Any

from governance.models import GateReview
from governance.services.differences import difference_between, last_approval


def changes_of(review: GateReview) -> dict[str, Any]:
    """Return what is new since the last approval, and which approval that is."""
    earlier = last_approval(review)
    if earlier is None:
        return {"earlier": None, "since_approval": []}
    return {"earlier": earlier, "since_approval": difference_between(earlier, review)}
