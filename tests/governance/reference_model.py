"""What a gate review may do, written from the rules that people are told, not from the code.

A sign-off counts when it was given on what is bound now, by somebody who holds the role now (or a
delegation of it from one who does), and who neither asked for the review nor did the work. Two
different people must approve, one in each role; a rejection by one who counts ends the review.
Nothing but a signature approves. A promotion moves on an approval that stands, or on break-glass
by two people while the review is undecided.
"""

from dataclasses import dataclass, field

ROLES = frozenset({"validator", "business_owner"})
UNDECIDED = frozenset({"open", "stale"})


@dataclass(frozen=True)
class Vote:
    """One sign-off: by whom, in which role, with which outcome, on which binding."""

    person: str
    role: str
    outcome: str
    binding: int
    holder: str = ""


@dataclass
class Reference:
    """The review, its promotion and the people, as far as the rules speak of them."""

    roles: dict[str, set[str]]
    authors: set[str]
    requester: str
    bound: int = 0
    now: int = 0
    status: str = "open"
    votes: list[Vote] = field(default_factory=list)
    delegations: set[tuple[str, str, str]] = field(default_factory=set)
    is_blocked: bool = False
    is_waived: bool = False
    glass: str = ""

    @property
    def has_moved(self) -> bool:
        return self.bound != self.now

    def holds(self, person: str, role: str) -> str | None:
        """Return on whose right a person signs in a role: their own, a holder's, or nobody's."""
        if role in self.roles.get(person, set()):
            return person
        for holder, to, passed in sorted(self.delegations):
            if (to, passed) == (person, role) and role in self.roles.get(holder, set()):
                return holder
        return None

    def is_independent(self, person: str) -> bool:
        return person not in self.authors and person != self.requester

    def may_sign(self, person: str, role: str) -> bool:
        """Return whether a signature must not be refused on anybody's account."""
        holder = self.holds(person, role)
        independent = holder is not None and self.is_independent(person)
        return independent and self.is_independent(str(holder)) and role in ROLES

    def counting(self) -> list[Vote]:
        """Return the latest vote of each person that counts now."""
        latest: dict[tuple[str, str], Vote] = {}
        for vote in self.votes:
            latest[vote.person, vote.role] = vote
        return [
            vote
            for vote in latest.values()
            if vote.binding == self.bound and self.may_sign(vote.person, vote.role)
        ]

    def has_quorum(self) -> bool:
        """Return whether two different people approve, one in each role, and nobody objects."""
        votes = self.counting()
        if any(vote.outcome != "approved" for vote in votes):
            return False
        of = {role: {vote.person for vote in votes if vote.role == role} for role in ROLES}
        people = set().union(*of.values())
        return all(of.values()) and len(people) > 1

    def may_be_approved(self) -> bool:
        blocked = self.is_blocked and not self.is_waived
        return self.has_quorum() and not self.has_moved and not blocked

    def may_move(self) -> bool:
        """Return whether a worker may carry the promotion out."""
        by_glass = self.glass == "active" and self.status in UNDECIDED
        return (self.status == "approved" or by_glass) and not self.has_moved
