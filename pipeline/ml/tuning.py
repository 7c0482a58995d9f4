"""Search hyperparameters by successive halving, validated on later months than trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
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
    """The best hyperparameters, and every trial with its score."""

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

    `estimator` is an unfitted pipeline of a preparation and a classifier; the grid names the
    classifier's parameters. Without periods the folds are random. A classifier without boosting
    rounds is given more rows at each step instead.
    """
    inputs, target, periods = rows
    prepare, classifier = estimator.steps[0][1], estimator.steps[-1][1]
    resource: dict[str, Any] = (
        {"resource": "max_iter", "min_resources": FEWEST_ROUNDS, "max_resources": MOST_ROUNDS}
        if "learning_rate" in grid
        else {"resource": "n_samples", "min_resources": "exhaust"}
    )
    folds = (
        temporal_folds(periods)
        if periods is not None
        else StratifiedKFold(3, shuffle=True, random_state=seed)
    )
    search = HalvingRandomSearchCV(
        classifier,
        {name: list(values) for name, values in grid.items()},
        n_candidates=min(CANDIDATES, prod(len(values) for values in grid.values())),
        factor=FACTOR,
        cv=folds,
        scoring="roc_auc",
        refit=False,
        random_state=seed,
        n_jobs=n_jobs,
        **resource,
    )
    # The preparation sees no outcome, so it is fitted once and not again for each trial and fold.
    search.fit(prepare.fit_transform(inputs), target)
    return Tuned(params=dict(search.best_params_), trials=_trials(search.cv_results_))


def _trials(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per candidate and round: its parameters, resource and mean score."""
    return [
        {
            **params,
            "iteration": int(results["iter"][number]),
            "resource": int(results["n_resources"][number]),
            "roc_auc": float(results["mean_test_score"][number]),
        }
        for number, params in enumerate(results["params"])
    ]
