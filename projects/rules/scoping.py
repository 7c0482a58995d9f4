"""Judge a scoping document: what blocks it, what it scores, and which way it leans.

Content, people and policy come in as values; the answer lists every lost point with its reason,
so that the score reads as a list of things to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from projects.rules import blockers, checks, estimates, gauges, placeholders, score, tier
from projects.rules.estimates import EstimateVerdict, MoneyVerdict
from projects.rules.readiness_policy import FULL_SCORE, ReadinessPolicy
from projects.rules.scope_terms import Blocker, Circumstances, Content, LostPoints, Sign
from projects.rules.tier import TierVerdict

__all__ = [
    "Blocker",
    "Circumstances",
    "EstimateVerdict",
    "Gauge",
    "LostPoints",
    "MoneyVerdict",
    "Readiness",
    "SectionScore",
    "Sign",
    "TierVerdict",
    "assess",
]

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
class SectionScore:
    """What one section of the document earned of its points, and what it lost."""

    key: str
    title: str
    earned: float
    points: float
    lost: tuple[LostPoints, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """The whole verdict on one document."""

    score: int
    threshold: int
    blockers: tuple[Blocker, ...]
    lost: tuple[LostPoints, ...]
    sections: tuple[SectionScore, ...]
    under_scoped: Gauge
    over_scoped: Gauge
    tier: TierVerdict
    estimate: EstimateVerdict
    money: MoneyVerdict
    policy_version: int
    policy_digest: str

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
    """Judge a document's content under its circumstances, by the tier that its answers give."""
    policy = circumstances.policy
    left, content = placeholders.left_in(content), placeholders.written(content)
    verdict = tier.decide(content, policy, present=circumstances.tier)
    around = replace(circumstances, tier=verdict.chosen)
    defects = checks.defects(content, around)
    lost = tuple(score.lost_points(content, defects, around))
    return Readiness(
        # Rounded down: a document a hair below its threshold is below it.
        score=int(FULL_SCORE - sum(item.points for item in lost) + _ROUNDING),
        threshold=policy.thresholds[verdict.chosen],
        blockers=(*blockers.find(defects, around), *left),
        lost=lost,
        sections=tuple(_sections(lost, policy)),
        under_scoped=Gauge("under_scoped", tuple(gauges.under_scoped(content, around))),
        over_scoped=Gauge("over_scoped", tuple(gauges.over_scoped(content, around))),
        tier=verdict,
        estimate=estimates.estimate(content, around),
        money=estimates.money(content, around),
        policy_version=policy.version,
        policy_digest=policy.digest,
    )


def _sections(lost: Iterable[LostPoints], policy: ReadinessPolicy) -> Iterable[SectionScore]:
    for key, section in policy.sections.items():
        gone = tuple(item for item in lost if item.section == key)
        earned = round(section.points - sum(item.points for item in gone), 2)
        yield SectionScore(key, section.title, earned, section.points, gone)
