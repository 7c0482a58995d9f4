"""The form of a decision matrix: a grid of names, weights, scores and evidence.

Its size follows the document, so its fields are cells by number rather than a Django form. What
was typed is shown again as it was typed, whatever is wrong with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.rules.decision_matrix import SCORES, Grid

#: A form may hold this many roles or criteria, so that no request grows without end.
MOST = 20
_SPARE = 2
SUGGESTED_CRITERIA = (
    "predictive quality",
    "complexity",
    "on-time delivery",
    "cost of ownership",
    "extensibility",
)
SUGGESTED_ROLES = ("data scientist", "ML engineer", "business owner")


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the form."""

    name: str
    label: str
    value: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class ScoreCells:
    """One approach's score on one criterion, and what says so."""

    approach: str
    score: Cell
    evidence: Cell


@dataclass(frozen=True, slots=True)
class CriterionCells:
    """Everything that is entered for one criterion."""

    name: Cell
    weights: tuple[Cell, ...]
    scores: tuple[ScoreCells, ...]


@dataclass
class MatrixForm:
    """What the form holds, and what is wrong with it, by the names of its fields."""

    approaches: Sequence[str]
    values: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    #: Where each row came from, so that a refusal finds its field.
    sources: dict[str, str] = field(default_factory=dict)

    choices = tuple(str(score) for score in SCORES)

    @property
    def roles(self) -> list[Cell]:
        return [self._cell(f"role-{j}", f"Role {j + 1}") for j in self._numbers("role")]

    @property
    def criteria(self) -> list[CriterionCells]:
        return [self._criterion(i) for i in self._numbers("criterion")]

    @property
    def weights(self) -> list[dict[str, Any]]:
        """Return the weights that were entered, as rows of a scope's content."""
        return list(self._weights())

    @property
    def scores(self) -> list[dict[str, Any]]:
        """Return the scores that were entered, as rows of a scope's content."""
        return list(self._scores())

    def blame(self, problems: Iterable[Mapping[str, str]]) -> list[str]:
        """Put each problem at the field it came from; return those that belong to none."""
        loose = []
        for problem in problems:
            name = self.sources.get(problem["field"]) or self.sources.get(
                problem["field"].partition(".")[0]
            )
            if name is None:
                loose.append(f"{problem['field']}: {problem['message']}")
            else:
                self.errors[name] = problem["message"]
        return loose

    def _weights(self) -> Iterator[dict[str, Any]]:
        number = 0
        for i in self._numbers("criterion"):
            for j in self._numbers("role"):
                name = f"weight-{i}-{j}"
                if not self._text(name):
                    continue
                self._locate(f"decision_weights[{number}]", name, role=f"role-{j}", i=i)
                number += 1
                yield {
                    "role": self._named(f"role-{j}", "Name the role that weighs this."),
                    "criterion": self._named(f"criterion-{i}", "Name the criterion."),
                    "weight": self._whole(name),
                }

    def _scores(self) -> Iterator[dict[str, Any]]:
        number = 0
        for i in self._numbers("criterion"):
            for k, approach in enumerate(self.approaches):
                name = f"score-{i}-{k}"
                if not self._text(name):
                    if self._text(f"evidence-{i}-{k}"):
                        self.errors[name] = "Give the score that this evidence speaks for."
                    continue
                self._locate(f"decision_scores[{number}]", name, evidence=f"evidence-{i}-{k}", i=i)
                number += 1
                yield {
                    "approach": approach,
                    "criterion": self._named(f"criterion-{i}", "Name the criterion."),
                    "score": self._whole(name),
                    "evidence": self._text(f"evidence-{i}-{k}"),
                }

    def _locate(self, row: str, name: str, *, i: int, **parts: str) -> None:
        self.sources[row] = name
        self.sources[f"{row}.criterion"] = f"criterion-{i}"
        self.sources |= {f"{row}.{part}": where for part, where in parts.items()}

    def _criterion(self, i: int) -> CriterionCells:
        called = self._text(f"criterion-{i}") or f"new criterion {i + 1}"
        return CriterionCells(
            self._cell(f"criterion-{i}", f"Criterion {i + 1}"),
            tuple(
                self._cell(f"weight-{i}-{j}", self._text(f"role-{j}") or f"Role {j + 1}")
                for j in self._numbers("role")
            ),
            tuple(
                ScoreCells(
                    approach,
                    self._cell(f"score-{i}-{k}", f"Score of {approach} on {called}"),
                    self._cell(f"evidence-{i}-{k}", f"Evidence for {approach} on {called}"),
                )
                for k, approach in enumerate(self.approaches)
            ),
        )

    def _cell(self, name: str, label: str) -> Cell:
        return Cell(name, label, self.values.get(name, ""), self.errors.get(name, ""))

    def _numbers(self, kind: str) -> list[int]:
        return [number for number in range(MOST) if f"{kind}-{number}" in self.values]

    def _text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def _named(self, name: str, otherwise: str) -> str:
        if not self._text(name):
            self.errors[name] = otherwise
        return self._text(name)

    def _whole(self, name: str) -> int:
        try:
            return int(self._text(name))
        except ValueError:
            self.errors[name] = "This must be a whole number."
            return 0


def form_of(grid: Grid) -> MatrixForm:
    """Return the form filled from a matrix, with room for more; suggestions where it is empty."""
    criteria = grid.criteria or SUGGESTED_CRITERIA
    roles = tuple(grid.weights) or SUGGESTED_ROLES
    values = {f"criterion-{i}": "" for i in range(min(MOST, len(criteria) + _SPARE))}
    values |= {f"role-{j}": "" for j in range(min(MOST, len(roles) + _SPARE))}
    values |= {f"role-{j}": role for j, role in enumerate(roles)}
    for i, criterion in enumerate(criteria):
        values[f"criterion-{i}"] = criterion
        for j, role in enumerate(roles):
            weight = grid.weights.get(role, {}).get(criterion)
            values[f"weight-{i}-{j}"] = "" if weight is None else str(weight)
        for k, approach in enumerate(grid.approaches):
            if (score := grid.scores.get((approach, criterion))) is not None:
                values[f"score-{i}-{k}"] = str(score.value)
                values[f"evidence-{i}-{k}"] = score.evidence
    return MatrixForm(grid.approaches, values)
