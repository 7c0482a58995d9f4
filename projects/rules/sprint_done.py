"""When a sprint is ready to start, and when it is done."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadyFacts:
    """What a planned sprint has; `unready` holds a sentence for each item that is not ready."""

    goal: str
    has_capacity: bool
    items: int
    over_commitment: Sequence[str] = ()
    unready: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DoneFacts:
    """What a running sprint has to show when it is to be closed."""

    has_review: bool
    has_retrospective: bool
    has_actions: bool
    no_actions_because: str = ""


def not_ready(facts: ReadyFacts) -> list[str]:
    """Return what the sprint lacks of the definition of ready, one sentence each."""
    found = []
    if not facts.goal.strip():
        found.append("The sprint has no goal.")
    if not facts.has_capacity:
        found.append("Nobody's capacity is stated; set it on the planning page.")
    if not facts.items:
        found.append("No work item is in the sprint.")
    return [*found, *facts.over_commitment, *facts.unready]


def not_done(facts: DoneFacts) -> list[str]:
    """Return what the sprint lacks of the definition of done, one sentence each.

    Unfinished items are no reason: closing moves them. Nor is a kill criterion that fails: closing
    judges and keeps it, and the next sprint that invests waits for a decision.
    """
    found = []
    if not facts.has_review:
        found.append("No review of the sprint is recorded; show what was done and record it.")
    if not facts.has_retrospective:
        found.append("No retrospective of the sprint is recorded.")
    elif not facts.has_actions and not facts.no_actions_because.strip():
        found.append("The retrospective has no action; record one, or say why there is none.")
    return found
