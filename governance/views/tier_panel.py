"""What the page of a review says about its risk tier."""

from collections.abc import Mapping
from typing import Any

from governance.models import GateReview
from governance.rules.tiers import cover_problem
from governance.services.evaluating import rules_for
from ledger.models import LedgerEntry
from projects.services.tiers import assessment_in_force

_EVENTS = ("review.rerouted", "review.renewal_required")


def tier_of(review: GateReview) -> Mapping[str, Any]:
    """Return the tier of a review, the assessment behind the project's, and every move."""
    entries = LedgerEntry.objects.filter(subject=review.ref, event__in=_EVENTS).order_by("seq")
    moves = [(entry, entry.data) for entry in entries]
    return {
        "assessment": assessment_in_force(review.project),
        "problem": cover_problem(rules_for(review), str(review.tier)),
        "differs": review.tier != review.project.tier,
        "moves": [one for one in moves if one[0].event == "review.rerouted"],
        "renewals": [one for one in moves if one[0].event == "review.renewal_required"],
    }
