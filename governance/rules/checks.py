"""What a check gets to see and what it answers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The outcome of one check; `part` tells several outcomes of one requirement apart."""

    outcome: str
    message: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""
    title: str = ""
    is_blocking: bool = True


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """One piece of evidence about the subject."""

    kind: str
    title: str
    produced_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FindingFact:
    """One finding about the subject that is not closed."""

    title: str
    severity: str
    status: str


@dataclass(frozen=True, slots=True)
class DatasetFact:
    """A dataset that the subject was made from, and whether its own review stands."""

    ref: str
    label: str
    is_approved: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScopeFact:
    """The approved scope as it was submitted, and when its criteria were locked."""

    label: str
    content: Mapping[str, Any]
    locked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Everything a check may look at; `bound` is what the review binds, `bindings` what is now.

    `champion_metrics` are the champion's as they were when it was approved.
    """

    now: datetime
    gate: str
    subject_kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)
    bound: Mapping[str, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    evidence: tuple[EvidenceFact, ...] = ()
    findings: tuple[FindingFact, ...] = ()
    datasets: tuple[DatasetFact, ...] = ()
    scope: ScopeFact | None = None
    champion: str = ""
    champion_version: int | None = None
    champion_metrics: Mapping[str, float] | None = None
    sprints_ended: int | None = None


def passed(message: str, **detail: Any) -> CheckOutcome:
    """Return the outcome `pass`."""
    return CheckOutcome("pass", message, detail)


def failed(message: str, **detail: Any) -> CheckOutcome:
    """Return the outcome `fail`."""
    return CheckOutcome("fail", message, detail)


def missing(message: str, **detail: Any) -> CheckOutcome:
    """Return the outcome `missing`: there is nothing to judge, which is never a pass."""
    return CheckOutcome("missing", message, detail)
