"""The published weights, thresholds and limits by which readiness is judged, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIERS = ("low", "medium", "high")
FULL_SCORE = 100
#: Of the policy file; a file of another schema is refused.
SCHEMA = 2


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
class Section:
    """One section of a document with the points of its items."""

    title: str
    points: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReadinessPolicy:
    """One version of the readiness policy; `digest` is the SHA-256 of its file."""

    version: int
    digest: str
    thresholds: Mapping[str, int]
    sign_off_roles: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, Section]
    tier_scorecard: tuple[ScorecardLine, ...]
    limits: Mapping[str, float]
    under_scoped: Mapping[str, int]
    over_scoped: Mapping[str, int]

    @property
    def name(self) -> str:
        """Return what a submission records about the policy that judged it."""
        return f"readiness {self.version} sha256:{self.digest}"

    def limit(self, name: str) -> float:
        return self.limits[name]


_PARTS = (
    "version",
    "thresholds",
    "sign_off_roles",
    "sections",
    "tier_scorecard",
    "limits",
    "gauges",
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
    gauges = data["gauges"]
    policy = ReadinessPolicy(
        version=int(data["version"]),
        digest=digest,
        thresholds=dict(data["thresholds"]),
        sign_off_roles={tier: tuple(roles) for tier, roles in data["sign_off_roles"].items()},
        sections={
            key: Section(part["title"], dict(part["points"]))
            for key, part in data["sections"].items()
        },
        tier_scorecard=tuple(ScorecardLine(**line) for line in data["tier_scorecard"]),
        limits=dict(data["limits"]),
        under_scoped=dict(gauges["under_scoped"]),
        over_scoped=dict(gauges["over_scoped"]),
    )
    _check(policy)
    return policy


def _check(policy: ReadinessPolicy) -> None:
    for name, table in (("thresholds", policy.thresholds), ("roles", policy.sign_off_roles)):
        if set(table) != set(TIERS):
            raise ValueError(f"The readiness policy's {name} must name the tiers {TIERS}.")
    for name, total in (
        ("points", sum(sum(part.points.values()) for part in policy.sections.values())),
        ("gauge under_scoped", sum(policy.under_scoped.values())),
        ("gauge over_scoped", sum(policy.over_scoped.values())),
    ):
        if total != FULL_SCORE:
            raise ValueError(f"The readiness policy's {name} add up to {total}, not {FULL_SCORE}.")
    last = policy.tier_scorecard[-1]
    if last.largest_at_least is not None or last.sum_at_least is not None:
        raise ValueError(
            "The readiness policy's tier_scorecard must end with a line that fits all."
        )
