"""The risk tier of a project, from four answers between 0 (harmless) and 4 (grave)."""

from collections.abc import Mapping
from dataclasses import dataclass

from projects.rules.readiness_policy import TIERS, ReadinessPolicy, ScorecardLine
from projects.rules.scope_terms import Content, number, text

#: Questions of the assessment, by the field that holds the answer.
ANSWERS = ("tier_exposure", "tier_purpose", "tier_autonomy", "tier_reversibility")


@dataclass(frozen=True, slots=True)
class TierVerdict:
    """The tier that the answers give, the one that counts, and why.

    `computed` is empty while an answer is missing; the project's present tier counts then.
    """

    answers: Mapping[str, int | None]
    computed: str
    chosen: str
    reason: str

    @property
    def is_overridden(self) -> bool:
        return bool(self.computed) and self.chosen != self.computed

    @property
    def is_lowered(self) -> bool:
        """Return whether the document claims a lower tier than its answers give."""
        return self.is_overridden and TIERS.index(self.chosen) < TIERS.index(self.computed)


def decide(content: Content, policy: ReadinessPolicy, *, present: str) -> TierVerdict:
    """Return the tier of a document whose project now has the tier `present`."""
    answers = {name: _answer(content, name) for name in ANSWERS}
    given = [value for value in answers.values() if value is not None]
    if len(given) < len(ANSWERS):
        missing = len(ANSWERS) - len(given)
        return TierVerdict(
            answers,
            "",
            present,
            f"{missing} of {len(ANSWERS)} questions on the tier {'is' if missing == 1 else 'are'} "
            f"not answered, so the project's present tier counts: {present}.",
        )
    line = next(line for line in policy.tier_scorecard if line.fits(given))
    because = _because(line, given)
    wanted = text(content, "tier_override")
    if wanted in TIERS and wanted != line.tier:
        because = f"{because} It is overridden: {wanted}."
        return TierVerdict(answers, line.tier, wanted, because)
    return TierVerdict(answers, line.tier, line.tier, because)


def _because(line: ScorecardLine, given: list[int]) -> str:
    largest, total = max(given), sum(given)
    if line.largest_at_least is not None:
        rule = f"the gravest answer is {largest}, at least {line.largest_at_least}"
    elif line.sum_at_least is not None:
        rule = f"the answers add up to {total}, at least {line.sum_at_least}"
    else:
        rule = f"the gravest answer is {largest} and the sum is {total}, below every higher line"
    return f"The tier is {line.tier}: {rule}."


def _answer(content: Content, name: str) -> int | None:
    value = number(content, name)
    return None if value is None else int(value)
