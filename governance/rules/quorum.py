"""Whether enough different people in the right roles have agreed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.rules.policy import QuorumRule

APPROVING = frozenset({"approved", "approved_with_conditions"})
BLOCKING = frozenset({"changes_requested", "rejected"})
#: How many roles of one gate a person may fill, by tier; at low risk any number.
ROLES_OF_ONE_PERSON: Mapping[str, int] = {"medium": 2, "high": 1}
#: At medium risk more than one role is never filled by one person alone.
_PEOPLE_AT_MEDIUM = 2


@dataclass(frozen=True, slots=True)
class Vote:
    """One counted sign-off: who, in which role, with which outcome."""

    person: int
    role: str
    outcome: str


@dataclass(frozen=True, slots=True)
class QuorumState:
    """What the votes amount to under a rule."""

    missing_roles: tuple[str, ...]
    missing_people: int
    blocked_by: tuple[Vote, ...]

    @property
    def is_blocked(self) -> bool:
        return bool(self.blocked_by)

    @property
    def is_met(self) -> bool:
        return not self.missing_roles and self.missing_people == 0 and not self.is_blocked

    @property
    def is_rejected(self) -> bool:
        return any(vote.outcome == "rejected" for vote in self.blocked_by)

    @property
    def sentences(self) -> list[str]:
        """Return what is still missing, for people."""
        found = [
            f"The {role_words(vote.role)} {_BLOCK_WORDS[vote.outcome]}." for vote in self.blocked_by
        ]
        found += [f"A sign-off as {role_words(role)} is missing." for role in self.missing_roles]
        if self.missing_people and not self.missing_roles:
            more = "one more person" if self.missing_people == 1 else f"{self.missing_people} more"
            found.append(f"The sign-off of {more} is missing: it takes different people.")
        return found


_BLOCK_WORDS = {"changes_requested": "asked for changes", "rejected": "rejected it"}


def role_words(role: str) -> str:
    """Return a role as people say it."""
    return role.replace("_", " ")


def people_needed(rule: QuorumRule, tier: str) -> int:
    """Return by how many different people the rule has to be signed at a tier."""
    if tier == "medium" and len(rule.roles) > 1:
        return max(rule.people, _PEOPLE_AT_MEDIUM)
    return rule.people


def judge_quorum(rule: QuorumRule, votes: Sequence[Vote], *, tier: str) -> QuorumState:
    """Count the votes, given in the order in which they were cast.

    Only the newest vote of a person in a role counts. A block is lifted by an approval of the
    same role cast after it, by the same person or by another holder.
    """
    newest: dict[tuple[int, str], tuple[int, Vote]] = {}
    for position, vote in enumerate(votes):
        if vote.role in rule.roles:
            newest[(vote.person, vote.role)] = (position, vote)
    standing = sorted(newest.values(), key=lambda item: item[0])
    approvals = [vote for _, vote in standing if vote.outcome in APPROVING]
    missing = _uncovered(rule.roles, approvals, ROLES_OF_ONE_PERSON.get(tier))
    people = {vote.person for vote in approvals}
    return QuorumState(
        missing_roles=tuple(missing),
        missing_people=max(0, people_needed(rule, tier) - len(people)),
        blocked_by=tuple(_blocks(standing)),
    )


def _blocks(standing: Sequence[tuple[int, Vote]]) -> list[Vote]:
    lifted = {vote.role: place for place, vote in standing if vote.outcome in APPROVING}
    return [
        vote
        for place, vote in standing
        if vote.outcome in BLOCKING and lifted.get(vote.role, -1) < place
    ]


def _uncovered(
    roles: Sequence[str], approvals: Sequence[Vote], roles_of_one: int | None
) -> list[str]:
    if roles_of_one is None:
        signed = {vote.role for vote in approvals}
        return [role for role in roles if role not in signed]
    holders = {
        role: [
            (vote.person, chair)
            for vote in approvals
            if vote.role == role
            for chair in range(roles_of_one)
        ]
        for role in dict.fromkeys(roles)
    }
    taken: dict[_Chair, str] = {}
    return [role for role in holders if not _seat(role, holders, taken, set())]


#: One of the roles that a person may fill.
_Chair = tuple[int, int]


def _seat(
    role: str,
    holders: Mapping[str, Sequence[_Chair]],
    taken: dict[_Chair, str],
    tried: set[_Chair],
) -> bool:
    """Find a chair for the role, moving others to another role of theirs where that helps."""
    for chair in holders[role]:
        if chair in tried:
            continue
        tried.add(chair)
        if chair not in taken or _seat(taken[chair], holders, taken, tried):
            taken[chair] = role
            return True
    return False
