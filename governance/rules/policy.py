"""A policy as values: environments, and gates with their quorum, separation and requirements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.rules.carrying import RESET_ALL

if TYPE_CHECKING:
    from governance.rules.registry import NamedCheck

TIERS = ("low", "medium", "high")
MODES = ("enforce", "warn", "observe")
SUBJECTS = (
    "scoping_document",
    "dataset_version",
    "sprint",
    "model_version",
    "policy_version",
)
#: Auditors read everything and sign nothing, so no quorum may ask for one.
SIGNING_ROLES = frozenset(
    {
        "business_owner",
        "lead",
        "data_owner",
        "data_scientist",
        "data_engineer",
        "ml_engineer",
        "validator",
        "risk_officer",
        "privacy_officer",
        "subject_matter_expert",
        "operations",
        "executive",
    }
)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy, and under which key."""

    path: Path
    message: str

    @property
    def where(self) -> str:
        """Return the key as people write it, such as `gates.scope.sign_offs`."""
        return ".".join(str(step) for step in self.path) or "the policy"


class PolicyError(ValueError):
    """A policy cannot be used; `problems` says why, each with its key."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.where}: {p.message}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class QuorumRule:
    """Roles that must all have signed, by at least so many different people."""

    roles: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class SeparationRule:
    """A named rule on who may not sign, and the tiers at which it holds."""

    name: str
    tiers: tuple[str, ...] = TIERS


@dataclass(frozen=True, slots=True)
class RequirementRule:
    """One condition of a gate: a named check, its parameters, and the tiers that it holds at."""

    key: str
    check: str
    title: str
    params: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True
    waivable: bool = True
    tiers: tuple[str, ...] = TIERS


@dataclass(frozen=True, slots=True)
class CopyCondition:
    """Whose sign-offs survive a change of the named bound parts; of more, only if all are named.

    `evidence` names every kind of evidence but the card, `dataset` every data set. `roles` is None
    where everybody's survive.
    """

    changed: frozenset[str]
    roles: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class GateRules:
    """What it takes to pass one gate.

    `carry_over` says which sign-offs of an approved scope outlive a new version of it;
    `checklist_at` the tiers at which the gate can be passed but nothing waits for it.
    """

    name: str
    title: str
    subject: str
    sign_offs: Mapping[str, QuorumRule]
    separation_rules: tuple[SeparationRule, ...]
    requirements: tuple[RequirementRule, ...]
    carry_over: str = RESET_ALL
    copy_conditions: tuple[CopyCondition, ...] = ()
    decide_within_days: int | None = None
    validity_days: Mapping[str, int] = field(default_factory=dict)
    checklist_at: tuple[str, ...] = ()

    def requirement(self, key: str) -> RequirementRule | None:
        """Return the rule behind the key of a result, such as `criteria.recall`."""
        base = key.partition(".")[0]
        return next((rule for rule in self.requirements if rule.key == base), None)

    def quorum_at(self, tier: str) -> QuorumRule:
        """Return whose sign-offs a tier needs.

        At a tier that the gate does not cover these are the ones of the gravest that it covers;
        no review passes there, since `tiers.judge_cover` fails.
        """
        gravest = max(self.sign_offs, key=TIERS.index)
        return self.sign_offs.get(tier, self.sign_offs[gravest])

    def requirements_at(self, tier: str) -> list[RequirementRule]:
        """Return the requirements that hold at a tier, in the order of the policy."""
        return [rule for rule in self.requirements if tier in rule.tiers]

    def separation_at(self, tier: str) -> list[str]:
        """Return the names of the separation rules that hold at a tier."""
        return [rule.name for rule in self.separation_rules if tier in rule.tiers]


@dataclass(frozen=True, slots=True)
class EnvironmentRules:
    """Where model versions may be promoted to, behind which gate, how strictly."""

    name: str
    alias: str
    gate: str
    mode: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """A kind of evidence, and how old it may be at the decision."""

    kind: str
    title: str
    max_age_days: int | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who may promote past an open review, for how long, and by when that is reviewed."""

    roles: tuple[str, ...]
    max_hours: int = 72
    review_within_days: int = 5


@dataclass(frozen=True, slots=True)
class Script:
    """A check written as a Python program, signed as a part of the policy that holds it."""

    name: str
    source: str
    timeout_seconds: int = 60


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A whole policy; `validity_days` maps each tier whose approvals end to their length."""

    name: str
    title: str
    environments: tuple[EnvironmentRules, ...]
    gates: Mapping[str, GateRules]
    validity_days: Mapping[str, int]
    suspend_on_breach: bool
    renewal_days: int = 30
    retention_days: int | None = None
    evidence_types: Mapping[str, EvidenceType] = field(default_factory=dict)
    break_glass: BreakGlass | None = None
    scripts: Mapping[str, Script] = field(default_factory=dict)

    def validity_of(self, gate: str, tier: str) -> int | None:
        """Return how many days an approval at a gate lasts; None where it does not end."""
        return {**self.validity_days, **self.gates[gate].validity_days}.get(tier)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a policy may use: checks with their parameters, and separation rules.

    An open one leaves checks to be judged by whoever runs them: a policy that was published must
    stay readable after a check that it names is gone.
    """

    checks: Mapping[str, "NamedCheck"]
    separation: frozenset[str]
    is_open: bool = False
