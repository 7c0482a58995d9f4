"""The published needs, weights, thresholds and limits by which readiness is judged, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TIERS = ("low", "medium", "high")
FULL_SCORE = 100
#: Of the policy file; a file of another schema is refused.
SCHEMA = 2

#: Needs of a field by the tiers at which a submitted document has to have it.
NEEDS: Mapping[str, frozenset[str]] = {
    "M": frozenset(TIERS),
    "T2": frozenset({"medium", "high"}),
    "T3": frozenset({"high"}),
    "O": frozenset(),
}
#: What a broken rule does: stop the submission where its field is needed, at every tier, or
#: only cost points.
BLOCKS, ALWAYS, COSTS = "blocks", "always", "costs"
EFFECTS = frozenset({BLOCKS, ALWAYS, COSTS})


@dataclass(frozen=True, slots=True)
class ScorecardLine:
    """One line of the tier scorecard; without a condition it fits every set of answers."""

    tier: str
    largest_at_least: int | None = None
    sum_at_least: int | None = None

    def fits(self, answers: Sequence[int]) -> bool:
        largest = self.largest_at_least is None or max(answers) >= self.largest_at_least
        total = self.sum_at_least is None or sum(answers) >= self.sum_at_least
        return largest and total


@dataclass(frozen=True, slots=True)
class Item:
    """Something that earns points: its fields, and the rules that lower it.

    Without `absent` and `weak` every rule about its fields halves it.
    """

    points: float
    fields: Sequence[str]
    absent: Sequence[str] = ()
    weak: Sequence[str] | None = None
    share: str = ""

    @property
    def listens_to_all(self) -> bool:
        return not self.absent and self.weak is None


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a document with the items that earn its points."""

    title: str
    items: Mapping[str, Item]

    @property
    def points(self) -> float:
        return float(sum(item.points for item in self.items.values()))


@dataclass(frozen=True, slots=True)
class ReadinessPolicy:
    """One version of the readiness policy; `digest` is the SHA-256 of its file."""

    version: int
    digest: str
    thresholds: Mapping[str, int]
    sign_off_roles: Mapping[str, tuple[str, ...]]
    tier_scorecard: tuple[ScorecardLine, ...]
    needs: Mapping[str, str]
    rules: Mapping[str, str]
    sections: Mapping[str, Section]
    limits: Mapping[str, float]
    lists: Mapping[str, tuple[str, ...]]
    under_scoped: Mapping[str, int]
    over_scoped: Mapping[str, int]
    custom_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what a submission records about the policy that judged it."""
        return f"readiness {self.version} sha256:{self.digest}"

    def limit(self, name: str) -> float:
        return self.limits[name]

    def is_needed(self, name: str, tier: str) -> bool:
        """Return whether a document of the tier needs the field; unnamed ones are optional."""
        return tier in NEEDS[self.needs.get(name, "O")]


_PARTS = (
    "version",
    "thresholds",
    "sign_off_roles",
    "tier_scorecard",
    "needs",
    "rules",
    "sections",
    "limits",
    "lists",
    "gauges",
    "custom_fields",
)


#: What the rules ask the policy for.
_LIMITS = frozenset(
    {
        "problem_statement_chars", "short_text_chars", "use_chars", "vulnerable_purpose_min",
        "prior_art_min", "approaches_min", "approaches_max", "weights_sum", "risks_min",
        "risk_categories_min", "risk_needs_treatment", "risk_blocks_untreated",
        "risk_needs_acceptance", "estimate_spread", "research_share", "research_weeks_max",
        "discovery_sprints_max", "working_days_a_week", "person_day_cost", "life_years",
        "hours_per_day", "sprint_ready_blocks",
    }
)  # fmt: skip
_LISTS = frozenset(
    {"activities", "milestones", "feasibility", "research_kinds", "placeholders", "jargon"}
)


def parse_policy(data: Mapping[str, Any], *, digest: str = "") -> ReadinessPolicy:
    """Return the policy held in parsed YAML.

    Raises:
        ValueError: the file does not hold what a policy needs; the message says which part.
    """
    if data.get("schema") != SCHEMA:
        raise ValueError(
            f"The readiness policy is of schema {data.get('schema')}; schema {SCHEMA} is read here."
        )
    missing = [key for key in _PARTS if not data.get(key)]
    if missing:
        raise ValueError(f"The readiness policy lacks {', '.join(missing)}.")
    try:
        policy = _policy(data, digest)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"The readiness policy is not of its shape: {error}.") from error
    _check_names(policy)
    _check_tables(policy)
    _check_sums(policy)
    return policy


def _policy(data: Mapping[str, Any], digest: str) -> ReadinessPolicy:
    gauges = data["gauges"]
    return ReadinessPolicy(
        version=int(data["version"]),
        digest=digest,
        thresholds=dict(data["thresholds"]),
        sign_off_roles=_tuples(data["sign_off_roles"]),
        tier_scorecard=tuple(ScorecardLine(**line) for line in data["tier_scorecard"]),
        needs=dict(data["needs"]),
        rules=dict(data["rules"]),
        sections={key: _section(part) for key, part in data["sections"].items()},
        limits=dict(data["limits"]),
        lists=_tuples(data["lists"]),
        under_scoped=dict(gauges["under_scoped"]),
        over_scoped=dict(gauges["over_scoped"]),
        custom_fields=dict(data["custom_fields"]),
    )


def _section(part: Mapping[str, Any]) -> Section:
    return Section(part["title"], {name: Item(**item) for name, item in part["items"].items()})


def _tuples(table: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in table.items()}


def _check_names(policy: ReadinessPolicy) -> None:
    for part, found, wanted in (
        ("limits", set(policy.limits), _LIMITS),
        ("lists", set(policy.lists), _LISTS),
    ):
        if missing := wanted - found:
            raise ValueError(f"The readiness policy's {part} lack {', '.join(sorted(missing))}.")


def _check_tables(policy: ReadinessPolicy) -> None:
    for name, table in (("thresholds", policy.thresholds), ("roles", policy.sign_off_roles)):
        if set(table) != set(TIERS):
            raise ValueError(f"The readiness policy's {name} must name the tiers {TIERS}.")
    for name, values, known in (
        ("needs", policy.needs.values(), set(NEEDS)),
        ("rules", policy.rules.values(), EFFECTS),
        ("tier_scorecard", [line.tier for line in policy.tier_scorecard], set(TIERS)),
    ):
        if strange := sorted(set(map(str, values)) - set(known)):
            raise ValueError(
                f"The readiness policy's {name} say {', '.join(strange)}; they may say "
                f"{', '.join(sorted(known))}."
            )
    last = policy.tier_scorecard[-1]
    if last.largest_at_least is not None or last.sum_at_least is not None:
        raise ValueError(
            "The readiness policy's tier_scorecard must end with a line that fits all."
        )


def _check_sums(policy: ReadinessPolicy) -> None:
    for name, total in (
        ("sections", sum(section.points for section in policy.sections.values())),
        ("gauge under_scoped", sum(policy.under_scoped.values())),
        ("gauge over_scoped", sum(policy.over_scoped.values())),
    ):
        if total != FULL_SCORE:
            raise ValueError(f"The readiness policy's {name} add up to {total}, not {FULL_SCORE}.")
