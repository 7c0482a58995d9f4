"""What must hold on a project's side before a sprint of a kind may start; gates are governance's.

Research is kept by the calendar: a research spike counts with its working days from first to last
day, whoever works in it. All of them together stay within a share of the expected effort of the
scope, or end within a fixed number of weeks: what the scope's own sprint plan is judged by as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

DISCOVERY, RESEARCH, EXPERIMENT = "discovery", "research_spike", "experiment"
BUILD, RELEASE, MONITOR = "build", "release", "monitor"

#: Kinds that a failed kill criterion holds up until somebody has decided.
INVESTING = frozenset({EXPERIMENT, BUILD})
#: Kinds that work on a version of a model.
ON_A_VERSION = frozenset({RELEASE, MONITOR})

Limits = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ApproachFacts:
    """An approach of a scope: its place in the ranking and its time box."""

    name: str
    rank: int
    time_box_days: int | None


@dataclass(frozen=True, slots=True)
class ScopeFacts:
    """A version of the scope as a sprint looks at it."""

    label: str
    approaches: Sequence[ApproachFacts] = ()
    unanswered: int = 0
    expected_days: float = 0.0


@dataclass(frozen=True, slots=True)
class KillFacts:
    """Kill criteria that failed when a sprint ended, and what was decided since, if anything.

    `rescoped_at` is when the scope that is approved now was approved.
    """

    sprint: str
    failed: Sequence[str]
    decision: str = ""
    decided_at: datetime | None = None
    rescoped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SprintFacts:
    """A planned sprint and its project; `latest` may be a draft, `approved` is the agreed scope."""

    kind: str
    has_problem_statement: bool = False
    sponsors: Sequence[str] = ()
    leads: Sequence[str] = ()
    other_discoveries: int = 0
    research_days: int = 0
    latest: ScopeFacts | None = None
    approved: ScopeFacts | None = None
    model_ref: str = ""
    killed: KillFacts | None = None


def objections(facts: SprintFacts, limits: Limits) -> list[str]:
    """Return everything that is missing for the sprint to start, one sentence each."""
    found: list[str] = []
    if facts.kind == DISCOVERY:
        found += _against_discovery(facts, limits)
    if facts.kind == RESEARCH:
        found += _against_research(facts, limits)
    if facts.kind == BUILD and facts.approved is not None:
        found += _against_build(facts.approved)
    if facts.kind in ON_A_VERSION and not facts.model_ref:
        found.append(
            f"A {facts.kind} sprint works on one model version; name it, such as model_version:3."
        )
    if facts.kind in INVESTING and facts.killed is not None:
        found += _against_kill(facts.killed)
    return found


def _against_discovery(facts: SprintFacts, limits: Limits) -> list[str]:
    found = []
    if not facts.has_problem_statement:
        found.append(
            "No version of the scope states the problem; "
            f"{_who(facts.leads, 'the lead')} writes it first."
        )
    if not facts.sponsors:
        found.append("The project has no sponsor; the lead gives somebody the role business owner.")
    most = int(limits["discovery_sprints_max"])
    if facts.other_discoveries >= most:
        found.append(
            f"The project has had its {most} discovery sprints; "
            "write down what is known and plan research, or pause."
        )
    return found


def _against_research(facts: SprintFacts, limits: Limits) -> list[str]:
    scope = facts.latest
    if scope is None:
        return [
            (
                "Research needs a scope with approaches and time boxes, at least as a draft; "
                f"{_who(facts.leads, 'the lead')} writes it first."
            )
        ]
    found = []
    if not scope.approaches:
        found.append(f"{scope.label} names no approach to look into.")
    unboxed = [one.name for one in scope.approaches if not one.time_box_days]
    if unboxed:
        found.append(f"{scope.label} gives no time box for {_listed(unboxed)}.")
    if scope.unanswered:
        found.append(
            f"The tier of {scope.label} is not answered: {scope.unanswered} questions are open."
        )
    return [*found, *_over_research(facts.research_days, scope, limits)]


def _over_research(days: int, scope: ScopeFacts, limits: Limits) -> list[str]:
    most, because = research_cap(scope.expected_days, limits)
    if days <= most:
        return []
    return [
        (
            f"Research would take {days} working days in all and may take {most:g} ({because}); "
            "shorten the sprint, or decide on what is known."
        )
    ]


def research_cap(expected_days: float, limits: Limits) -> tuple[float, str]:
    """Return the working days that all research may take, and what sets them."""
    weeks, share = limits["research_weeks_max"], limits["research_share"]
    by_weeks = weeks * limits["working_days_a_week"]
    by_share = round(share * expected_days, 1)
    if by_share > by_weeks:
        return by_share, f"{share:.0%} of the {expected_days:.0f} expected days"
    return by_weeks, f"{weeks:g} weeks"


def _against_build(scope: ScopeFacts) -> list[str]:
    first = [one.name for one in scope.approaches if one.rank == 1]
    if len(first) == 1:
        return []
    if not first:
        return [f"No approach of {scope.label} is chosen; give the one to build rank 1."]
    return [f"{scope.label} ranks {_listed(first)} first; choose one of them."]


def _against_kill(killed: KillFacts) -> list[str]:
    what = f"Kill criteria failed when {killed.sprint} ended ({_listed(killed.failed)})"
    if not killed.decision:
        return [f"{what}; record a meeting that decides to go on, to re-scope or to stop."]
    if killed.decision == "stop":
        return [f"{what}, and it was decided to stop."]
    if killed.decision == "rescope" and not _is_later(killed.rescoped_at, killed.decided_at):
        return [f"{what}, and it was decided to re-scope; a new version of the scope is needed."]
    return []


def _is_later(moment: datetime | None, than: datetime | None) -> bool:
    return moment is not None and than is not None and moment > than


def _who(names: Sequence[str], otherwise: str) -> str:
    return _listed(names) if names else otherwise


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
