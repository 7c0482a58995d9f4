"""The rule that people used before any model: whoever said yes before is called first."""

from typing import Any

import numpy as np
import pandas as pd


class RuleBaseline:
    """Rank by one column in an order that people set, and learn nothing but each group's rate.

    `order` lists the values of `column` from most to least promising. The score of a group is the
    share of positives among its training rows, forced to keep the order. It is a yardstick and is
    never saved as a model, so it needs no more of scikit-learn than `fit` and `predict_proba`.
    """

    def __init__(
        self,
        column: str = "poutcome",
        order: tuple[str, ...] = ("success", "failure", "nonexistent"),
    ) -> None:
        self.column = column
        self.order = order

    def fit(self, inputs: pd.DataFrame, target: np.ndarray) -> "RuleBaseline":
        """Learn each group's rate; `inputs` has the column, `target` is 0/1, shape (rows,)."""
        self.classes_ = np.array([0, 1])
        groups = self._groups(inputs)
        overall = float(np.mean(target))
        rates = np.array([_rate(target[groups == group], overall) for group in range(self._width)])
        self.rates_ = np.minimum.accumulate(rates)
        return self

    def predict_proba(self, inputs: pd.DataFrame) -> np.ndarray:
        """Return float64 of shape (rows, 2): the chance of 0 and of 1."""
        scores = self.rates_[self._groups(inputs)]
        return np.column_stack([1 - scores, scores])

    @property
    def _width(self) -> int:
        return len(self.order) + 1

    def _groups(self, inputs: pd.DataFrame) -> np.ndarray:
        ranks = {value: rank for rank, value in enumerate(self.order)}
        values: list[Any] = inputs[self.column].tolist()
        return np.array([ranks.get(value, len(self.order)) for value in values], dtype=np.int64)


def _rate(outcomes: np.ndarray, overall: float) -> float:
    """Return the share of positives, drawn a little towards the overall rate in small groups."""
    return float((outcomes.sum() + 10 * overall) / (len(outcomes) + 10))
