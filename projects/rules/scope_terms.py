"""The words in which a scoping document is judged, and small questions to its content."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from projects.rules.readiness_policy import ReadinessPolicy

Content = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a document: the tier, the people, the day, and the organisation's record.

    `eligible` counts who holds a role and did not write the document, `held` counts everybody.
    `overruns` are actual effort divided by estimated effort of closed projects.
    """

    tier: str
    policy: ReadinessPolicy
    eligible: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    overruns: Sequence[float] = ()
    today: date | None = None

    @property
    def required_roles(self) -> tuple[str, ...]:
        return self.policy.sign_off_roles[self.tier]

    def needs(self, name: str) -> bool:
        """Return whether a document of this tier needs the field."""
        return self.policy.is_needed(name, self.tier)


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with one field; `is_absence` when nothing is there at all."""

    code: str
    field: str
    sentence: str
    effect: str
    is_absence: bool = False


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
    """One rule of a gauge that fired, and the field it looked at."""

    rule: str
    points: int
    reason: str
    field: str


def rows(content: Content, name: str) -> Sequence[Row]:
    """Return the child rows of a list, empty when it is missing.

    Versions of an earlier schema held some lists as text; there are no rows to judge in it.
    """
    return [row for row in content.get(name) or () if isinstance(row, Mapping)]


def text(content: Content, name: str) -> str:
    """Return a text with its outer white space removed, empty when it is missing."""
    value = content.get(name)
    return "" if value is None else str(value).strip()


def lines(content: Content, name: str) -> list[str]:
    """Return the lines of a text that holds one thing a line."""
    return [line.strip() for line in text(content, name).splitlines() if line.strip()]


def is_present(content: Content, name: str) -> bool:
    """Return whether something is there; zero and false are something."""
    value = content.get(name)
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], (), {})


def number(content: Content, name: str) -> float | None:
    """Return a number, None when it is missing or cannot be read as one."""
    value = content.get(name)
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def amount(content: Content, name: str) -> float:
    """Return a number, zero when it is missing."""
    return number(content, name) or 0.0


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return ", ".join(name or "(no name)" for name in names)


def risk_score(risk: Row) -> int:
    """Return probability times impact."""
    return int(amount(risk, "probability") * amount(risk, "impact"))


def residual_score(risk: Row) -> int:
    """Return what is left after treatment; without an answer, nothing was reduced."""
    probability = number(risk, "residual_probability") or amount(risk, "probability")
    impact = number(risk, "residual_impact") or amount(risk, "impact")
    return int(probability * impact)
