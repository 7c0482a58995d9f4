"""Train one approach on one split: judge on validation, refit on all before the test, test once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from pipeline.ml.baselines import RuleBaseline
from pipeline.ml.evaluation import evaluate, latency_p95_ms, positive_scores
from pipeline.ml.features import FeatureSet, coded_preparation, model_inputs, scaled_preparation
from pipeline.ml.parallel import fan_out
from pipeline.ml.problems import DataProblem
from pipeline.ml.splits import Block, Blocks, Split, periods_of, random_split, temporal_split
from pipeline.ml.tables import Column, target_array
from pipeline.ml.tuning import GRIDS, tune

Report = Callable[[int, str], None]

RULE = "rule_baseline"
LOGISTIC = "logistic_regression"
BOOSTING = "gradient_boosting"
APPROACHES = (RULE, LOGISTIC, BOOSTING)
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    RULE: {},
    LOGISTIC: {"C": 0.1},
    BOOSTING: {"learning_rate": 0.06, "max_leaf_nodes": 15, "max_iter": 100},
}


def quiet(percent: int, message: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class TrainingPlan:
    """All that decides a training besides the data: same plan, same rows, same model.

    `blocks` None means a random split, whose metrics are named `random_...` so that no criterion
    on `test_...` can be met by it, unless `is_unordered` says that the rows have no order in time:
    then the stratified hold-out is their honest test and is named so. `params` fixes
    hyperparameters of the estimator; `grid` replaces the standard grid when the approach is tuned.
    """

    features: FeatureSet
    target: str
    positive: str
    blocks: Blocks | None
    period: str = "period"
    seed: int = 7
    n_jobs: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, list[Any]] | None = None
    is_unordered: bool = False

    @property
    def test_role(self) -> str:
        """Prefix of the metrics on the last part."""
        return "test" if self.blocks or self.is_unordered else "random"

    @property
    def validation_role(self) -> str:
        """Prefix of the metrics on the part that chooses."""
        return "validation" if self.blocks or self.is_unordered else "random_validation"

    @property
    def split_name(self) -> str:
        """What a run records as its split."""
        if self.blocks:
            return "temporal"
        return "holdout" if self.is_unordered else "random"


@dataclass(frozen=True)
class Trained:
    """A trained approach with what a run records.

    `inputs` are the test rows as the model reads them; `target` and `scores` belong to them, both
    of shape (test rows,).
    """

    approach: str
    estimator: Any
    params: dict[str, str | int | float]
    metrics: dict[str, float]
    split: Split
    inputs: pd.DataFrame
    target: np.ndarray
    scores: np.ndarray
    trials: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_savable(self) -> bool:
        """Tell whether the estimator may be saved as a model; the rule may not."""
        return self.approach != RULE


@dataclass(frozen=True)
class _Rows:
    """The rows as a model reads them, 0/1 outcomes, YYYY-MM (None at random), and who is where."""

    inputs: pd.DataFrame
    target: np.ndarray
    periods: Column | None
    split: Split

    def part(self, positions: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        return self.inputs.iloc[positions], self.target[positions]


def train(
    frame: pd.DataFrame, plan: TrainingPlan, approach: str, report: Report = quiet
) -> Trained:
    """Train and judge one of `APPROACHES` on `frame`, which has target, features and period.

    `report(percent, message)` is called before each step and may raise to stop the training.

    Raises:
        DataProblem: `unknown_approach`, or what splitting, reading and judging the rows refuse.
    """
    if approach not in APPROACHES:
        raise DataProblem("unknown_approach", f"{approach!r} is none of {', '.join(APPROACHES)}.")
    report(5, f"Splitting {len(frame):,} rows")
    rows = _read(frame, plan)
    with fan_out():
        trained = _train(rows, plan, approach, report)
    report(100, f"Trained {approach}")
    return trained


def split_rows(frame: pd.DataFrame, plan: TrainingPlan, target: np.ndarray) -> Split:
    """Return the plan's split of the frame's rows; `target` is 0/1, shape (rows,)."""
    if plan.blocks is None:
        return random_split(target, plan.seed)
    return temporal_split(_periods(frame, plan), plan.blocks)


def _read(frame: pd.DataFrame, plan: TrainingPlan) -> _Rows:
    target = target_array(frame, plan.target, plan.positive)
    return _Rows(
        inputs=model_inputs(frame, plan.features),
        target=target,
        periods=_periods(frame, plan) if plan.blocks else None,
        split=split_rows(frame, plan, target),
    )


def _train(rows: _Rows, plan: TrainingPlan, approach: str, report: Report) -> Trained:
    split, metrics = rows.split, dict[str, float]()
    params, trials = _choose(approach, plan, rows, report)
    if len(split.validation):
        report(60, "Fitting on the training rows, judging on validation")
        chosen = build(approach, plan, params).fit(*rows.part(split.train))
        inputs, target = rows.part(split.validation)
        metrics |= evaluate(plan.validation_role, target, positive_scores(chosen, inputs))
    report(75, "Fitting on all rows before the test, testing once")
    estimator = build(approach, plan, params).fit(*rows.part(split.development))
    inputs, target = rows.part(split.test)
    scores = positive_scores(estimator, inputs)
    metrics |= evaluate(plan.test_role, target, scores)
    report(90, "Measuring latency")
    metrics["latency_p95_ms"] = latency_p95_ms(estimator, inputs)
    recorded = {"approach": approach, **_record(plan, params, rows)}
    return Trained(approach, estimator, recorded, metrics, split, inputs, target, scores, trials)


def build(approach: str, plan: TrainingPlan, params: Mapping[str, Any]) -> Any:
    """Return the unfitted estimator of an approach with these hyperparameters."""
    if approach == RULE:
        return RuleBaseline(**params)
    classifier: Any
    if approach == LOGISTIC:
        prepare = scaled_preparation(plan.features)
        classifier = LogisticRegression(max_iter=2000, **params)
    else:
        prepare = coded_preparation(plan.features)
        classifier = HistGradientBoostingClassifier(random_state=plan.seed, **params)
    return Pipeline([("prepare", prepare), ("classify", classifier)])


def _choose(
    approach: str, plan: TrainingPlan, rows: _Rows, report: Report
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the hyperparameters, tuned on the training rows if there is a grid, and the trials."""
    fixed = {**DEFAULTS[approach], **plan.params}
    grid = plan.grid if plan.grid is not None else GRIDS.get(approach)
    if not grid:
        return fixed, []
    report(15, f"Tuning {approach} by successive halving")
    inputs, target = rows.part(rows.split.train)
    periods = None if rows.periods is None else rows.periods.iloc[rows.split.train]
    unfitted = build(approach, plan, fixed)
    found = tune(unfitted, grid, (inputs, target, periods), seed=plan.seed, n_jobs=plan.n_jobs)
    return {**fixed, **found.params}, found.trials


def _periods(frame: pd.DataFrame, plan: TrainingPlan) -> Column:
    if plan.period not in frame.columns:
        raise DataProblem(
            "missing_column",
            f"A temporal split needs the column {plan.period!r} with YYYY-MM; derive it first.",
            details={"columns": [plan.period]},
        )
    return frame[plan.period]


def _record(
    plan: TrainingPlan, params: Mapping[str, Any], rows: _Rows
) -> dict[str, str | int | float]:
    """Return what a run logs as parameters: plain values only."""
    plain = {
        name: value if isinstance(value, str | int | float) else str(value)
        for name, value in params.items()
    }
    periods = {} if rows.periods is None else periods_of(rows.split, rows.periods)
    blocks = {f"{part}_months": str(Block(*ends)) for part, ends in periods.items()}
    return {
        **plain,
        "split": plan.split_name,
        **blocks,
        "features": ",".join(plan.features.used),
        "context": ",".join(plan.features.context),
        "seed": plan.seed,
    }
