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
    on `test_...` can be met by it. `params` fixes hyperparameters of the estimator; `grid` replaces
    the standard grid when the approach is tuned.
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

    @property
    def test_role(self) -> str:
        """Prefix of the metrics on the last part."""
        return "test" if self.blocks else "random"


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
    inputs = model_inputs(frame, plan.features)
    target = target_array(frame, plan.target, plan.positive)
    split = split_rows(frame, plan, target)
    with fan_out():
        params, trials = _choose(approach, plan, (inputs, target, frame, split), report)
        metrics: dict[str, float] = {}
        if len(split.validation):
            report(60, "Fitting on the training rows, judging on validation")
            chosen = _fit(approach, plan, params, (inputs, target, split.train))
            metrics |= _judge(_role(plan, "validation"), chosen, (inputs, target, split.validation))
        report(75, "Fitting on all rows before the test, testing once")
        estimator = _fit(approach, plan, params, (inputs, target, split.development))
    scores = positive_scores(estimator, inputs.iloc[split.test])
    metrics |= evaluate(plan.test_role, target[split.test], scores)
    report(90, "Measuring latency")
    metrics["latency_p95_ms"] = latency_p95_ms(estimator, inputs.iloc[split.test])
    recorded = _record(
        plan, params, periods_of(split, _periods(frame, plan)) if plan.blocks else {}
    )
    report(100, f"Trained {approach}")
    return Trained(
        approach=approach,
        estimator=estimator,
        params={"approach": approach, **recorded},
        metrics=metrics,
        split=split,
        inputs=inputs.iloc[split.test],
        target=target[split.test],
        scores=scores,
        trials=trials,
    )


def split_rows(frame: pd.DataFrame, plan: TrainingPlan, target: np.ndarray) -> Split:
    """Return the plan's split of the frame's rows; `target` is 0/1, shape (rows,)."""
    if plan.blocks is None:
        return random_split(target, plan.seed)
    return temporal_split(_periods(frame, plan), plan.blocks)


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
    approach: str,
    plan: TrainingPlan,
    rows: tuple[pd.DataFrame, np.ndarray, pd.DataFrame, Split],
    report: Report,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    inputs, target, frame, split = rows
    fixed = {**DEFAULTS[approach], **plan.params}
    grid = plan.grid if plan.grid is not None else GRIDS.get(approach)
    if not grid:
        return fixed, []
    report(15, f"Tuning {approach} by successive halving")
    periods = _periods(frame, plan).iloc[split.train] if plan.blocks else None
    found = tune(
        build(approach, plan, fixed),
        grid,
        (inputs.iloc[split.train], target[split.train], periods),
        seed=plan.seed,
        n_jobs=plan.n_jobs,
    )
    return {**fixed, **found.params}, found.trials


def _fit(
    approach: str,
    plan: TrainingPlan,
    params: Mapping[str, Any],
    rows: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> Any:
    inputs, target, positions = rows
    return build(approach, plan, params).fit(inputs.iloc[positions], target[positions])


def _judge(
    role: str, estimator: Any, rows: tuple[pd.DataFrame, np.ndarray, np.ndarray]
) -> dict[str, float]:
    inputs, target, positions = rows
    return evaluate(role, target[positions], positive_scores(estimator, inputs.iloc[positions]))


def _role(plan: TrainingPlan, part: str) -> str:
    return part if plan.blocks else f"random_{part}"


def _periods(frame: pd.DataFrame, plan: TrainingPlan) -> Column:
    if plan.period not in frame.columns:
        raise DataProblem(
            "missing_column",
            f"A temporal split needs the column {plan.period!r} with YYYY-MM; derive it first.",
            details={"columns": [plan.period]},
        )
    return frame[plan.period]


def _record(
    plan: TrainingPlan, params: Mapping[str, Any], periods: Mapping[str, Any]
) -> dict[str, str | int | float]:
    """Return what a run logs as parameters: plain values only."""
    plain = {
        name: value if isinstance(value, str | int | float) else str(value)
        for name, value in params.items()
    }
    blocks = {f"{part}_months": str(Block(*ends)) for part, ends in periods.items()}
    return {
        **plain,
        "split": "temporal" if plan.blocks else "random",
        **blocks,
        "features": ",".join(plan.features.used),
        "context": ",".join(plan.features.context),
        "seed": plan.seed,
    }
