"""The words in which a scoping document is judged, and small questions to its content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.rules.readiness_policy import ReadinessPolicy

Content = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a document: the tier, who could sign besides its authors, who is there."""

    tier: str
    policy: ReadinessPolicy
    eligible: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def required_roles(self) -> tuple[str, ...]:
        return self.policy.sign_off_roles[self.tier]


@dataclass(frozen=True, slots=True)
class Blocker:
    """A reason why the document cannot be submitted, whatever it scores."""

    code: str
    sentence: str
    field: str


@dataclass(frozen=True, slots=True)
class LostPoints:
    """Points that one item did not earn, and what would earn them."""

    section: str
    points: float
    reason: str
    field: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One rule of a gauge that fired."""

    rule: str
    points: int
    reason: str


def rows(content: Content, name: str) -> Sequence[Row]:
    """Return the child rows of a list, empty when it is missing."""
    return content.get(name) or ()


def text(content: Content, name: str) -> str:
    """Return a text with its outer white space removed, empty when it is missing."""
    return str(content.get(name) or "").strip()


def number(content: Content, name: str) -> float | None:
    """Return a number, None when it is missing."""
    value = content.get(name)
    return None if value is None or value == "" else float(value)


def expected_days(estimates: Sequence[Row]) -> float:
    """Return the expected effort of all phases by the three-point formula."""
    days = (
        row["optimistic_days"] + 4 * row["likely_days"] + row["pessimistic_days"]
        for row in estimates
    )
    return float(sum(days) / 6)


def spread(estimates: Sequence[Row]) -> float:
    """Return how far pessimism and optimism lie apart, as a share of the likely effort."""
    likely = sum(row["likely_days"] for row in estimates)
    if not likely:
        return 0.0
    return float(
        sum(row["pessimistic_days"] - row["optimistic_days"] for row in estimates) / likely
    )


def risk_score(risk: Row) -> int:
    """Return probability times impact."""
    return int(risk["probability"]) * int(risk["impact"])
