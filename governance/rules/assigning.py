"""Whom to ask for a sign-off, among those who may give it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may sign, and how many open reviews already wait for them."""

    person: int
    load: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is asked, and why they and not another."""

    person: int
    reason: str


def choose(candidates: Sequence[Candidate], *, asked_here: Collection[int]) -> Choice | None:
    """Choose the only candidate, or the one with the fewest reviews to sign; None without any.

    Somebody whom the same review asks in another role comes last, since a quorum counts people;
    of equals the first given is taken.
    """
    if not candidates:
        return None
    if len(candidates) == 1:
        return Choice(candidates[0].person, "The only one who may sign in this role.")
    chosen = min(candidates, key=lambda one: (one.person in asked_here, one.load))
    waiting = {0: "no review", 1: "one review"}.get(chosen.load, f"{chosen.load} reviews")
    return Choice(
        chosen.person,
        f"One of {len(candidates)} who may sign; {waiting} waited for them, the fewest.",
    )
