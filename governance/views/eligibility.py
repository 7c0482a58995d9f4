"""Who may sign, as a table of people by roles, and everybody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.models import GateReview
from governance.services.binding import stored_authors
from governance.services.eligibility import lacks_of
from governance.services.evaluating import quorum_rule
from governance.services.signers import Eligibility
from projects.models import Stakeholder

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class Line:
    """One person with a cell for each role that the gate asks for; None where not held."""

    user: "User"
    cells: Sequence[tuple[str, Eligibility | None]]


@dataclass(frozen=True)
class Bystander:
    """A person whom the gate does not ask, with the roles that they hold."""

    user: "User"
    roles: Sequence[str]


def matrix_of(review: GateReview, entries: Sequence[Eligibility]) -> dict[str, Any]:
    """Return the table of people by roles, the people besides, and what lacks."""
    roles = quorum_rule(review).roles
    asked = [entry for entry in entries if entry.is_asked]
    by_seat = {(entry.user.pk, entry.role): entry for entry in asked}
    people = {entry.user.pk: entry.user for entry in asked}
    is_open = review.status == GateReview.Status.OPEN
    return {
        "asked_roles": [Stakeholder.Role(role).label for role in roles],
        "lines": [
            Line(
                user,
                [(Stakeholder.Role(role).label, by_seat.get((key, role))) for role in roles],
            )
            for key, user in people.items()
        ],
        "bystanders": _bystanders(
            entry for entry in entries if not entry.is_asked and entry.user.pk not in people
        ),
        "lacks": lacks_of(review, authors=stored_authors(review)) if is_open else [],
    }


def _bystanders(entries: Iterable[Eligibility]) -> list[Bystander]:
    held: dict[int, list[str]] = {}
    users = {}
    for entry in entries:
        users[entry.user.pk] = entry.user
        held.setdefault(entry.user.pk, []).append(Stakeholder.Role(entry.role).label)
    return [Bystander(users[key], roles) for key, roles in held.items()]
