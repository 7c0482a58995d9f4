"""A past review as values, and what a replay makes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.rules import requirements
from governance.rules.checks import CheckContext
from governance.rules.recorded import Trace
from governance.rules.separation import SigningFacts

APPROVED, REJECTED, UNDECIDED = "approved", "rejected", "undecided"
NOT_ASKED, UNKNOWN = "not_asked", "unknown"
DECISIONS = (APPROVED, REJECTED, UNDECIDED, NOT_ASKED, UNKNOWN)


@dataclass(frozen=True, slots=True)
class PastResult:
    """One result of the evaluation that counted."""

    key: str
    title: str
    check: str
    outcome: str
    message: str
    is_blocking: bool

    @property
    def rule(self) -> str:
        return self.key.partition(".")[0]

    @property
    def holds(self) -> bool:
        return self.outcome in requirements.HOLDING or not self.is_blocking


@dataclass(frozen=True, slots=True)
class PastSignOff:
    """A sign-off on what the review bound; `counted` is None where the record does not say."""

    facts: SigningFacts
    outcome: str
    name: str
    counted: bool | None
    signed_at: datetime | None = None
    held_the_role: bool = True
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class PastReview:
    """A review as it stood when it was decided, or last evaluated; `context` is asked at need."""

    pk: int
    gate: str
    tier: str
    subject_kind: str
    label: str
    project: str
    decision: str
    at: datetime
    requested_at: datetime
    results: Sequence[PastResult] = ()
    sign_offs: Sequence[PastSignOff] = ()
    waived: frozenset[str] = frozenset()
    context: Callable[[Trace], CheckContext] | None = None

    @property
    def waited(self) -> timedelta:
        return self.at - self.requested_at


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement of the draft on one review: what it comes to, and how that is known.

    `source` is `recorded`, `judged` or `unknown`; `was` is the outcome on record, empty where it
    was not asked then.
    """

    key: str
    title: str
    outcome: str
    was: str
    source: str
    message: str
    is_blocking: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the draft makes of a past review, and why."""

    past: PastReview
    decision: str
    reasons: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    missing_roles: tuple[str, ...] = ()
    missing_people: int = 0
    unknown: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        return self.decision not in {self.past.decision, UNKNOWN}
