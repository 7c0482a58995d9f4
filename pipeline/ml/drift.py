"""Measure how far the rows of a window have moved from the training rows, feature by feature."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, kstwo

from pipeline.ml.problems import DataProblem
from pipeline.ml.profile import (
    VERSION,
    bin_counts,
    category_counts,
    reference_profile,
    watched_features,
)
from pipeline.ml.tables import Column

__all__ = ["DriftResult", "chi2", "ks", "measure_drift", "psi", "reference_profile"]

# An empty bin counts as this share: large enough that one new category is not infinite drift.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class DriftResult:
    """One feature of one window against the training rows.

    `psi` is the population stability index over bins or categories, missing values being one of
    them. `test` is `ks` (numbers: `statistic` is the largest gap between the distributions) or
    `chi2` (categories); `p_value` is that of the test. Rates are shares of rows.
    """

    feature: str
    type: str
    psi: float
    test: str
    statistic: float
    p_value: float
    missing_rate: float
    reference_missing_rate: float
    rows: int

    def as_row(self) -> dict[str, Any]:
        """Return the fields by name, for JSON and tables."""
        return asdict(self)


def measure_drift(
    frame: pd.DataFrame, profile: Mapping[str, Any], features: Iterable[str] | None = None
) -> list[DriftResult]:
    """Return a result per feature, the one that moved most first.

    `profile` is what `pipeline.ml.profile.reference_profile` returned, also after a round trip
    through JSON. `features` defaults to all that the profile holds.

    Raises:
        DataProblem: `no_rows`, `missing_column`, `non_numeric_value`, `unknown_profile`.
    """
    if profile.get("version") != VERSION:
        raise DataProblem(
            "unknown_profile", "The reference profile is missing or of another version; renew it."
        )
    if not len(frame):
        raise DataProblem("no_rows", "The window holds no rows; drift cannot be measured.")
    names = watched_features(profile) if features is None else list(features)
    results = [_measure(frame, name, profile) for name in names]
    return sorted(results, key=lambda result: (-result.psi, result.feature))


def psi(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two count arrays over the same bins.

    It is never negative, and zero for equal shares; 0.1 is usually called some and 0.2 much.
    """
    if not reference.sum() or not current.sum():
        return 0.0
    expected = np.maximum(reference / reference.sum(), LEAST_SHARE)
    actual = np.maximum(current / current.sum(), LEAST_SHARE)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def ks(reference: Mapping[str, Any], ordered: np.ndarray) -> tuple[float, float]:
    """Return the two-sample Kolmogorov-Smirnov statistic and its asymptotic p-value.

    `ordered` is sorted float64 without missing ones. The gap is looked for at the stored grid
    points and just before them; where the grid holds every distinct value of the training rows it
    is exact, else it is too small by at most 1/512.
    """
    grid = np.asarray(reference["grid"], dtype=np.float64)
    if not len(grid) or not len(ordered):
        return 0.0, 1.0
    total = int(reference["up_to"][-1])
    gaps = []
    for key in ("up_to", "below"):
        reached = np.searchsorted(ordered, grid, side="right" if key == "up_to" else "left")
        expected = np.asarray(reference[key], dtype=np.float64) / total
        gaps.append(np.abs(expected - reached / len(ordered)).max())
    statistic = float(max(gaps))
    pooled = round(total * len(ordered) / (total + len(ordered)))
    return statistic, float(np.clip(kstwo.sf(statistic, max(pooled, 1)), 0, 1))


def chi2(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Return Pearson's statistic and p-value for two count arrays over the same categories."""
    table = np.vstack([reference, current])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] <= 1 or not table.sum(axis=1).all():
        return 0.0, 1.0
    result = chi2_contingency(table, correction=False)
    return float(result.statistic), float(result.pvalue)


def _measure(frame: pd.DataFrame, name: str, profile: Mapping[str, Any]) -> DriftResult:
    if name not in frame.columns or name not in profile["features"]:
        where = "window" if name not in frame.columns else "reference profile"
        raise DataProblem(
            "missing_column",
            f"Column {name!r} is watched but is missing from the {where}.",
            details={"columns": [name]},
        )
    reference = profile["features"][name]
    column = frame[name]
    missing = int(column.isna().sum())
    numeric = reference["type"] == "number"
    counts, (statistic, p_value) = (
        _number_drift(column, reference) if numeric else _category_drift(column, reference)
    )
    expected, actual = counts
    return DriftResult(
        feature=name,
        type=reference["type"],
        psi=psi(np.append(expected, reference["missing"]), np.append(actual, missing)),
        test="ks" if numeric else "chi2",
        statistic=statistic,
        p_value=p_value,
        missing_rate=missing / len(frame),
        reference_missing_rate=reference["missing"] / profile["rows"],
        rows=len(frame),
    )


Counts = tuple[np.ndarray, np.ndarray]


def _number_drift(
    column: Column, reference: Mapping[str, Any]
) -> tuple[Counts, tuple[float, float]]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    present = column.notna().to_numpy()
    if np.isnan(values[present]).any():
        raise DataProblem(
            "non_numeric_value",
            f"Column {column.name!r} must hold numbers, as it did in the training rows.",
            details={"column": str(column.name)},
        )
    ordered = np.sort(values[present])
    current = bin_counts(ordered, np.asarray(reference["cuts"], dtype=np.float64))
    return (np.asarray(reference["counts"]), current), ks(reference, ordered)


def _category_drift(
    column: Column, reference: Mapping[str, Any]
) -> tuple[Counts, tuple[float, float]]:
    counts = category_counts(column)
    known = counts.reindex(reference["values"], fill_value=0).to_numpy(dtype=np.int64)
    current = np.append(known, counts.sum() - known.sum())
    expected = np.append(np.asarray(reference["counts"], dtype=np.int64), reference["other"])
    return (expected, current), chi2(expected, current)
