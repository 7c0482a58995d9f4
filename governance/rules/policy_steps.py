"""One step from a policy to another, and how steps are told: looser, stricter, or not at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that changed, as a sentence."""

    is_looser: bool
    sentence: str


def looser(sentence: str) -> Step:
    """Return a step by which something got looser."""
    return Step(is_looser=True, sentence=sentence)


def stricter(sentence: str) -> Step:
    """Return a step by which something got stricter."""
    return Step(is_looser=False, sentence=sentence)


def moved(was: float | None, now: float | None, sentence: str) -> Iterator[Step]:
    """Yield a step if a bound moved: the larger, the looser, and loosest where there is none."""
    before, after = (float("inf") if bound is None else bound for bound in (was, now))
    if after != before:
        yield Step(after > before, sentence)


def names(found: Iterable[str]) -> str:
    """Return names as people list them."""
    return ", ".join(sorted(name.replace("_", " ") for name in found))
