"""Judge a scoping document: what blocks it, what it scores, and which way it leans.

Content, people and policy come in as values; the answer lists every lost point with its reason,
so that the score reads as a list of things to do.
"""

from dataclasses import dataclass

from projects.rules import blockers, gauges, score
from projects.rules.readiness_policy import FULL_SCORE
from projects.rules.scope_terms import Blocker, Circumstances, Content, LostPoints, Sign

__all__ = ["Blocker", "Circumstances", "Gauge", "LostPoints", "Readiness", "Sign", "assess"]

#: Keeps sums of thirds that should be whole from falling one point short.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much a document leans one way, from 0 to 100; advice, never a block."""

    name: str
    signs: tuple[Sign, ...]

    @property
    def score(self) -> int:
        return sum(sign.points for sign in self.signs)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The whole verdict on one document."""

    score: int
    threshold: int
    blockers: tuple[Blocker, ...]
    lost: tuple[LostPoints, ...]
    under_scoped: Gauge
    over_scoped: Gauge
    policy_version: int

    @property
    def is_submittable(self) -> bool:
        return not self.blockers and self.score >= self.threshold

    @property
    def reasons(self) -> list[str]:
        """Return every sentence that stands between the document and its submission."""
        sentences = [blocker.sentence for blocker in self.blockers]
        if self.score < self.threshold:
            sentences.append(
                f"The readiness score is {self.score}; this tier needs {self.threshold}."
            )
        return sentences


def assess(content: Content, circumstances: Circumstances) -> Readiness:
    """Judge a document's content under its circumstances."""
    lost = tuple(score.lost_points(content, circumstances))
    return Readiness(
        # Rounded down: a document a hair below its threshold is below it.
        score=int(FULL_SCORE - sum(item.points for item in lost) + _ROUNDING),
        threshold=circumstances.policy.thresholds[circumstances.tier],
        blockers=tuple(blockers.find(content, circumstances)),
        lost=lost,
        under_scoped=Gauge("under_scoped", tuple(gauges.under_scoped(content, circumstances))),
        over_scoped=Gauge("over_scoped", tuple(gauges.over_scoped(content, circumstances))),
        policy_version=circumstances.policy.version,
    )
