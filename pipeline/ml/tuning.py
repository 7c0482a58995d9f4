"""Search hyperparameters by successive halving, validated on later months than trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  makes the next import work
from sklearn.model_selection import HalvingRandomSearchCV, StratifiedKFold

from pipeline.ml.splits import temporal_folds
from pipeline.ml.tables import Column

CANDIDATES = 9
FACTOR = 3
FEWEST_ROUNDS, MOST_ROUNDS = 10, 90
STEP = "classify__"
# Trees grow by rounds, so rounds are the resource: poor candidates are dropped after few of them.
GRIDS: Mapping[str, Mapping[str, list[Any]]] = {
    "gradient_boosting": {
        "learning_rate": [0.03, 0.06, 0.1],
        "max_leaf_nodes": [4, 8, 15, 31],
        "min_samples_leaf": [20, 60, 150],
        "l2_regularization": [0.0, 1.0, 10.0],
    }
}


@dataclass(frozen=True)
class Tuned:
    """The best hyperparameters, without pipeline prefixes, and every trial with its score."""

    params: dict[str, Any]
    trials: list[dict[str, Any]]


def tune(
    estimator: Any,
    grid: Mapping[str, list[Any]],
    rows: tuple[pd.DataFrame, np.ndarray, Column | None],
    *,
    seed: int,
    n_jobs: int = 1,
) -> Tuned:
    """Search `grid` for the best ROC AUC; `rows` are inputs, 0/1 target and YYYY-MM per row.

    Without periods the folds are random. An estimator without boosting rounds is given more
    rows at each step instead.
    """
    inputs, target, periods = rows
    by_rounds = "classify__max_iter" in estimator.get_params() and "learning_rate" in grid
    resource: dict[str, Any] = (
        {
            "resource": f"{STEP}max_iter",
            "min_resources": FEWEST_ROUNDS,
            "max_resources": MOST_ROUNDS,
        }
        if by_rounds
        else {"resource": "n_samples", "min_resources": "exhaust"}
    )
    folds = (
        temporal_folds(periods)
        if periods is not None
        else StratifiedKFold(3, shuffle=True, random_state=seed)
    )
    search = HalvingRandomSearchCV(
        estimator,
        {f"{STEP}{name}": list(values) for name, values in grid.items()},
        n_candidates=CANDIDATES,
        factor=FACTOR,
        cv=folds,
        scoring="roc_auc",
        refit=False,
        random_state=seed,
        n_jobs=n_jobs,
        **resource,
    )
    search.fit(inputs, target)
    best = {name.removeprefix(STEP): value for name, value in search.best_params_.items()}
    return Tuned(params=best, trials=_trials(search.cv_results_))


def _trials(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per candidate and round: its parameters, resource and mean score."""
    return [
        {
            **{name.removeprefix(STEP): value for name, value in params.items()},
            "iteration": int(results["iter"][number]),
            "resource": int(results["n_resources"][number]),
            "roc_auc": float(results["mean_test_score"][number]),
        }
        for number, params in enumerate(results["params"])
    ]
