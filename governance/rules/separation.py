"""Who may not sign, as named predicates over authenticated facts.

Each predicate returns the reason for which the signer is refused, or an empty text. Those named
in `SWITCHABLE` hold where a gate of the policy lists them; the others always hold.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from governance.rules.quorum import ROLES_OF_ONE_PERSON

#: Roles that build; they request reviews of what they built.
BUILDING_ROLES = frozenset({"lead", "data_scientist", "data_engineer", "ml_engineer"})


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """What is known about somebody who wants to sign, and about what is to be signed.

    `holder_roles` are the roles of whom they decide for; `lines` the departments that a person
    answers to on the project; `traces` says of each part where it is recorded who made it.
    """

    person: int | None
    role: str
    tier: str
    requester: int | None
    authors: Mapping[str, frozenset[int]] = field(default_factory=dict)
    on_behalf_of: int | None = None
    held_roles: frozenset[str] = frozenset()
    holder_roles: frozenset[str] = frozenset()
    signed_roles: frozenset[str] = frozenset()
    delegators: frozenset[int] = frozenset()
    lines: Mapping[int, frozenset[str]] = field(default_factory=dict)
    traces: Mapping[str, str] = field(default_factory=dict)

    @property
    def people(self) -> frozenset[int]:
        """Return who stands behind the signature: the signer and whoever passed the right on."""
        return frozenset(who for who in (self.person, self.on_behalf_of) if who is not None)


Predicate = Callable[[SigningFacts], str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not sign: the rule's name, its sentence, and where the fact is recorded."""

    rule: str
    sentence: str
    source: str = ""


def judge(facts: SigningFacts, named: Iterable[str]) -> list[Refusal]:
    """Return every rule that refuses this person in this role; empty when they may sign."""
    rules = {**ALWAYS, **{name: SWITCHABLE[name] for name in named}}
    return [
        Refusal(name, sentence, facts.traces.get(PARTS.get(name, ""), ""))
        for name, rule in rules.items()
        if (sentence := rule(facts))
    ]


def refusals(facts: SigningFacts, named: Iterable[str]) -> list[str]:
    """Return every reason why this person may not sign in this role; empty when they may."""
    return list(dict.fromkeys(refusal.sentence for refusal in judge(facts, named)))


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
    return _too_many_roles(facts, "high", "one role")


def _two_roles_at_medium_tier(facts: SigningFacts) -> str:
    return _too_many_roles(facts, "medium", "two roles at most")


def _too_many_roles(facts: SigningFacts, tier: str, words: str) -> str:
    others = facts.signed_roles - {facts.role}
    if facts.tier != tier or len(others) < ROLES_OF_ONE_PERSON[tier]:
        return ""
    done = ", ".join(sorted(role.replace("_", " ") for role in others))
    return f"At {tier} risk one person fills {words}; this person signed as {done}."


def _builder_not_validator(facts: SigningFacts) -> str:
    building = BUILDING_ROLES & (facts.held_roles | facts.holder_roles)
    if facts.role != "validator" or not building:
        return ""
    held = ", ".join(sorted(role.replace("_", " ") for role in building))
    return f"Who builds on the project may not validate it; this person is {held} here."


def _other_reporting_line(facts: SigningFacts) -> str:
    if facts.role != "validator":
        return ""
    own = frozenset[str]().union(*(facts.lines.get(who, frozenset()) for who in facts.people))
    if not own:
        return "The validator's reporting line is not on record, so it cannot be shown to differ."
    # Evidence is left out: the validator's own report is some.
    parts = (people for part, people in facts.authors.items() if part != "evidence")
    makers = frozenset[int]().union(*parts) - facts.people
    if any(not facts.lines.get(who) for who in makers):
        return "The reporting line of somebody who did the work is not on record."
    shared = sorted(own & frozenset[str]().union(*(facts.lines[who] for who in makers)))
    if shared:
        return f"The validator answers to the same line as those who did the work: {shared[0]}."
    return ""


ALWAYS: Mapping[str, Predicate] = {
    "system_never_signs": _system_never,
    "auditor_never_signs": _auditor_never,
    "delegate_of_requester_not_approver": _delegate_of_requester,
    "one_role_at_high_tier": _one_role_at_high_tier,
    "two_roles_at_medium_tier": _two_roles_at_medium_tier,
}
_AUTHORS = {
    "scope_author_not_approver": ("scope", "wrote the scope"),
    "dataset_preparer_not_approver": ("dataset", "prepared the dataset"),
    "run_author_not_approver": ("run", "launched the training run"),
    "committer_not_approver": ("commit", "committed the code it was trained with"),
    "assignee_not_approver": ("assignee", "was assigned the experiment"),
    "registration_author_not_approver": ("registration", "registered the model version"),
    "deployer_not_approver": ("deployment", "deployed it"),
    "evidence_author_not_approver": ("evidence", "produced evidence for it"),
    "sprint_author_not_approver": ("sprint", "planned the sprint and its approaches"),
    "policy_author_not_approver": ("policy", "wrote the policy version"),
}
SWITCHABLE: Mapping[str, Predicate] = {
    "requester_not_approver": _requester_not_approver,
    **{name: _wrote(part, words) for name, (part, words) in _AUTHORS.items()},
    "builder_not_validator": _builder_not_validator,
    "other_reporting_line": _other_reporting_line,
}
#: The part whose makers a rule is about.
PARTS: Mapping[str, str] = {
    "requester_not_approver": "request",
    "delegate_of_requester_not_approver": "request",
    **{name: part for name, (part, _) in _AUTHORS.items()},
}
#: Makers that nobody has to know where no rule of the gate asks for them.
_ASKED_ONLY_BY_RULE = {"commit": "committer_not_approver"}


def unmapped_here(unmapped: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """Return the parts by unknown hands that count where these rules hold."""
    rules = set(named)
    return tuple(part for part in unmapped if _ASKED_ONLY_BY_RULE.get(part) in {None, *rules})


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
