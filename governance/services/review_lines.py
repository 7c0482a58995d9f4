"""Reviews as lists show them, with what each lacks and whom it waits for, in three queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.models import GateReview, RequirementResult, ReviewAssignment, SignOff
from governance.services import evaluating
from projects.rules.words import role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class ReviewLine:
    """One review of a list."""

    review: GateReview
    requirements: Sequence[str]
    roles: Sequence[str]
    waits_for: Sequence[str]
    is_asked: bool

    @property
    def missing(self) -> str:
        """Return what is missing in a few words."""
        count = len(self.requirements)
        parts = [f"{count} requirement{'s' if count > 1 else ''}"] if count else []
        if self.roles:
            parts.append(f"signature of {', '.join(self.roles)}")
        return " and ".join(parts) or "nothing"


def lines_of(reviews: Iterable[GateReview], user: "User | None") -> list[ReviewLine]:
    """Return the lines of reviews that were read with their policy version."""
    rows = list(reviews)
    pks = [review.pk for review in rows]
    results = _by_review(RequirementResult.objects.newest().filter(review__in=pks))
    signed = _by_review(SignOff.objects.filter(review__in=pks).order_by("sequence"))
    current = ReviewAssignment.objects.current().filter(review__in=pks)
    asked = _by_review(current.select_related("user"))
    return [
        _line(review, results[review.pk], signed[review.pk], asked[review.pk], user)
        for review in rows
    ]


def _line(
    review: GateReview,
    results: Sequence[RequirementResult],
    signed: Sequence[SignOff],
    asked: Sequence[ReviewAssignment],
    user: "User | None",
) -> ReviewLine:
    counting = [one for one in signed if one.bindings_digest == review.bindings_digest]
    roles = evaluating.quorum_state(review, counting).missing_roles
    people = {one.role: one.user for one in asked}
    return ReviewLine(
        review=review,
        requirements=[one.title for one in results if not evaluating.result_holds(one)],
        roles=[role_words(role) for role in roles],
        waits_for=[
            f"{_name(people[role])}, {role_words(role)}" if role in people else role_words(role)
            for role in roles
        ],
        is_asked=user is not None and any(one.user_id == user.pk for one in asked),
    )


def _by_review(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.review_id].append(row)
    return found


def _name(user: "User") -> str:
    return user.get_full_name() or user.get_username()
