"""In which of the six phases a project is, from what has happened in it."""

from collections.abc import Collection
from dataclasses import dataclass

PHASES = (
    "planning",
    "scoping",
    "experimentation",
    "development",
    "deployment",
    "evaluation",
)

DONE, CURRENT, BLOCKED, AHEAD = "done", "current", "blocked", "ahead"

_BEGUN = frozenset({"active", "closed"})
_WRITTEN = frozenset({"draft", "submitted", "rejected"})
_AGREED = frozenset({"approved", "superseded"})
#: A deployment that waits has never served; one that was refused or stopped has.
_WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """What the phase is computed from: statuses, not dates, so that nothing moves by itself.

    `sprints` holds kind and status, `gates` the gate and the review's status.
    """

    scopes: Collection[str] = ()
    sprints: Collection[tuple[str, str]] = ()
    gates: Collection[tuple[str, str]] = ()
    deployments: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One phase on the track of a project."""

    phase: str
    state: str


def phase_of(facts: PhaseFacts) -> str:
    """Return the furthest phase that something has reached."""
    begun = {kind for kind, status in facts.sprints if status in _BEGUN}
    validations = {status for gate, status in facts.gates if gate == "validation"}
    if "monitor" in begun or any(status != _WAITING for status in facts.deployments):
        return "evaluation"
    if "release" in begun or facts.deployments or "approved" in validations:
        return "deployment"
    if "build" in begun or validations:
        return "development"
    if "experiment" in begun or _AGREED & set(facts.scopes):
        return "experimentation"
    if "research_spike" in begun or _WRITTEN & set(facts.scopes):
        return "scoping"
    return "planning"


def track(phase: str, *, is_blocked: bool, is_closed: bool = False) -> tuple[Step, ...]:
    """Return the six phases with where the project stands; a closed project is through."""
    here = PHASES.index(phase)
    now = DONE if is_closed else BLOCKED if is_blocked else CURRENT
    states = [DONE] * here + [now] + [AHEAD] * (len(PHASES) - here - 1)
    return tuple(Step(name, state) for name, state in zip(PHASES, states, strict=True))
