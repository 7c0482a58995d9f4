"""The numbers that the pictures of a decision matrix show, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from projects.rules.decision_matrix import (
    FULL_WEIGHT,
    Flip,
    Ranking,
    Verdict,
    shares_at,
    total,
)
from projects.rules.decision_words import flip_sentence
from projects.rules.words import role_words

_STEPS = (0, 25, 50, 75, FULL_WEIGHT)


@dataclass(frozen=True, slots=True)
class Course:
    """How one role's totals move with the weight of one criterion."""

    role: str
    criterion: str
    weight: int
    flips: tuple[Flip, ...]
    table: tuple[dict[str, Any], ...]

    @property
    def title(self) -> str:
        return f"What the weight of {self.criterion} does to the choice of {role_words(self.role)}"

    @property
    def sentence(self) -> str:
        """Say at which weights the choice changes, or that it does not."""
        said = " ".join(flip_sentence(one) for one in self.flips)
        chooser = role_words(self.role)
        return said or f"No weight of {self.criterion} changes what the {chooser} chooses."


def totals_table(verdict: Verdict) -> list[dict[str, Any]]:
    """Return each ranked role's total for each approach."""
    return [_row(ranking, verdict.grid.approaches) for ranking in verdict.rankings]


def course_of(verdict: Verdict, role: str, criterion: str) -> Course:
    """Return the totals of one role at some weights of one criterion, the flips among them."""
    grid = verdict.grid
    flips = tuple(one for one in verdict.flips if (one.role, one.criterion) == (role, criterion))
    weight = grid.weights[role].get(criterion, 0)
    table = []
    for at in sorted({*map(Fraction, (*_STEPS, weight)), *(one.at for one in flips)}):
        shares = shares_at(grid.weights[role], grid.criteria, criterion, at)
        totals = {name: _rounded(total(grid, name, shares)) for name in grid.approaches}
        table.append({"weight": round(float(at), 2), **totals})
    return Course(role, criterion, weight, flips, tuple(table))


def _row(ranking: Ranking, names: Sequence[str]) -> dict[str, Any]:
    totals = {one.approach: _rounded(one.total) for one in ranking.standings}
    return {"role": ranking.role, **{name: totals[name] for name in names}}


def _rounded(value: Fraction) -> float:
    return round(float(value), 4)
