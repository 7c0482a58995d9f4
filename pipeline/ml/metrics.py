"""Measures of scores against outcomes, in numpy, quick enough to be resampled hundreds of times.

Every function takes `target`, int64 0/1, and `scores`, float64 in [0, 1], both of shape (rows,),
already checked by `pipeline.ml.evaluation.checked`.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import rankdata

BINS = 10
TOP_SHARE = 0.1
SMALLEST = 1e-15

Metric = Callable[[np.ndarray, np.ndarray], float]


def roc_auc(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the chance that a positive row scores above a negative one; ties count half."""
    positives = int(target.sum())
    negatives = len(target) - positives
    rank_sum = float(rankdata(scores)[target == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the precision averaged over recall, with tied scores taken as one threshold."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(target[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    precision = hits[last_of_tie] / (last_of_tie + 1)
    recall_steps = np.diff(np.concatenate([[0], hits[last_of_tie]])) / hits[-1]
    return float((precision * recall_steps).sum())


def log_loss(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean negative log-likelihood; scores of exactly 0 or 1 are moved by 1e-15."""
    safe = np.clip(scores, SMALLEST, 1 - SMALLEST)
    return float(-np.where(target == 1, np.log(safe), np.log1p(-safe)).mean())


def brier(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean squared distance between score and outcome."""
    return float(((scores - target) ** 2).mean())


def calibration_error(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean gap between promised and observed share over ten groups of equal size."""
    groups = np.array_split(np.argsort(scores, kind="stable"), min(BINS, len(scores)))
    gaps = [abs(float(scores[rows].mean() - target[rows].mean())) * len(rows) for rows in groups]
    return sum(gaps) / len(scores)


def lift_top_decile(target: np.ndarray, scores: np.ndarray) -> float:
    """Return how many times the average rate is reached in the tenth of rows scored highest.

    Rows tied at the edge of the tenth count with their share, so file order decides nothing.
    """
    wanted = max(1, round(len(scores) * TOP_SHARE))
    edge = np.partition(scores, -wanted)[-wanted]
    above, tied = scores > edge, scores == edge
    hits = target[above].sum() + (wanted - above.sum()) * target[tied].mean()
    return float(hits / wanted / target.mean())


METRICS: Mapping[str, Metric] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "calibration_error": calibration_error,
    "lift_top_decile": lift_top_decile,
}
