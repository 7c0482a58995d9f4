"""Who may not sign, as named predicates over authenticated facts.

Each predicate returns the reason for which the signer is refused, or an empty text. Those named
in `SWITCHABLE` hold where a gate of the policy lists them; the others always hold.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """What is known about somebody who wants to sign, and about what is to be signed."""

    person: int | None
    role: str
    tier: str
    requester: int | None
    authors: Mapping[str, frozenset[int]] = field(default_factory=dict)
    on_behalf_of: int | None = None
    held_roles: frozenset[str] = frozenset()
    signed_roles: frozenset[str] = frozenset()
    delegators: frozenset[int] = frozenset()

    @property
    def people(self) -> frozenset[int]:
        """Return who stands behind the signature: the signer and whoever passed the right on."""
        return frozenset(who for who in (self.person, self.on_behalf_of) if who is not None)


Predicate = Callable[[SigningFacts], str]


def refusals(facts: SigningFacts, named: Iterable[str]) -> list[str]:
    """Return every reason why this person may not sign in this role; empty when they may."""
    predicates = [*ALWAYS.values(), *(SWITCHABLE[name] for name in dict.fromkeys(named))]
    return list(dict.fromkeys(reason for rule in predicates if (reason := rule(facts))))


def _wrote(part: str, words: str) -> Predicate:
    def predicate(facts: SigningFacts) -> str:
        if not facts.people & facts.authors.get(part, frozenset()):
            return ""
        return f"Who {words} may not sign it off."

    return predicate


def _system_never(facts: SigningFacts) -> str:
    return "" if facts.person is not None else "Parts of the system sign nothing; people do."


def _auditor_never(facts: SigningFacts) -> str:
    if facts.role == "auditor" or "auditor" in facts.held_roles:
        return "An auditor reads everything and signs nothing."
    return ""


def _requester_not_approver(facts: SigningFacts) -> str:
    if facts.requester is not None and facts.requester in facts.people:
        return "Who requested the review may not sign it off."
    return ""


def _delegate_of_requester(facts: SigningFacts) -> str:
    if facts.requester is not None and facts.requester in facts.delegators:
        return "Who decides on behalf of the requester may not sign off the requester's review."
    return ""


def _one_role_at_high_tier(facts: SigningFacts) -> str:
    others = facts.signed_roles - {facts.role}
    if facts.tier == "high" and others:
        done = ", ".join(sorted(role.replace("_", " ") for role in others))
        return f"At high risk one person fills one role; this person signed as {done}."
    return ""


ALWAYS: Mapping[str, Predicate] = {
    "system_never_signs": _system_never,
    "auditor_never_signs": _auditor_never,
    "delegate_of_requester_not_approver": _delegate_of_requester,
    "one_role_at_high_tier": _one_role_at_high_tier,
}
SWITCHABLE: Mapping[str, Predicate] = {
    "requester_not_approver": _requester_not_approver,
    "scope_author_not_approver": _wrote("scope", "wrote the scope"),
    "dataset_preparer_not_approver": _wrote("dataset", "prepared the dataset"),
    "run_author_not_approver": _wrote("run", "launched the training run"),
    "registration_author_not_approver": _wrote("registration", "registered the model version"),
    "evidence_author_not_approver": _wrote("evidence", "produced evidence for it"),
    "policy_author_not_approver": _wrote("policy", "wrote the policy version"),
}


def unmapped_blocker(unmapped: Iterable[str]) -> str:
    """Return why work by unknown hands blocks a review, or an empty text when all are known.

    Separation cannot be computed for somebody who maps to no person, so nobody can be cleared.
    """
    names = sorted(set(unmapped))
    if not names:
        return ""
    return (
        f"Nobody here is known to stand behind: {', '.join(names)}. While that is so, no signer "
        "can be shown to be independent of the work."
    )
