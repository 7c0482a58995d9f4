"""Describe the columns of a table, and keep the shape of training data to measure drift against."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.ml.problems import DataProblem
from pipeline.ml.tables import Column, is_number

VERSION = 1
BINS = 10
FINEST_GRID = 512
TOP_VALUES = 10
MOST_CATEGORIES = 200
UNKNOWN_WORDS = frozenset({"unknown", "n/a", "na", "?", "none", "null"})
QUANTILES = {"minimum": 0.0, "p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


def profile_table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return rows, and per column type, missing values, cardinality, and quantiles or top values.

    Plain JSON values only. "unknown" and its like in a category count as missing, told apart as
    `unknown` from cells that are empty.
    """
    return {
        "rows": len(frame),
        "columns": {str(name): _column_profile(frame[name]) for name in frame.columns},
    }


def missing_mask(column: Column) -> np.ndarray:
    """Return bool of shape (rows,): the cell is empty, or a category that says it is unknown."""
    empty: np.ndarray = column.isna().to_numpy(dtype=bool)
    if is_number(column):
        return empty
    words = column.astype(str).str.strip().str.lower().isin(UNKNOWN_WORDS)
    return empty | words.to_numpy(dtype=bool)


def reference_profile(frame: pd.DataFrame, columns: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what `pipeline.ml.drift` needs to know of the training rows, as plain JSON.

    Per number: cuts between bins, counts per bin, and how many rows lie up to and below each of
    at most 512 points (exact up to 512 distinct values). Per category: counts by value. Without
    `columns` all are taken.
    """
    if not len(frame):
        raise DataProblem("no_rows", "A reference profile needs at least one row.")
    names = [str(name) for name in frame.columns] if columns is None else list(columns)
    return {
        "version": VERSION,
        "rows": len(frame),
        "features": {name: _reference(frame, name) for name in names},
    }


def bin_counts(ordered: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return int64 counts of shape (len(cuts) + 1,); a value equal to a cut falls below it.

    `ordered` is sorted float64: cuts are looked up in many values, not many values in cuts.
    """
    ends = np.searchsorted(ordered, cuts, side="right")
    return np.diff(np.concatenate([[0], ends, [len(ordered)]]))


def category_counts(column: Column) -> "pd.Series[int]":
    """Return how often each text occurs, most frequent first; missing cells are left out."""
    counts = column.value_counts()
    counts.index = pd.Index([str(value) for value in counts.index], dtype="object")
    return counts if counts.index.is_unique else counts.groupby(level=0, sort=False).sum()


def bin_cuts(distinct: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return cuts at the deciles, and on both sides of a value that fills a whole bin by itself.

    `distinct` are the sorted values and `counts` how often each occurs, both of shape (values,).

    Without the second part a column that is nearly always 0 or 999 would have one bin only, and
    could never be seen to drift.
    """
    if not len(distinct):
        return np.empty(0)
    shares = np.cumsum(counts) / counts.sum()
    deciles = np.searchsorted(shares, np.arange(1, BINS) / BINS - 1e-12)
    heavy = np.flatnonzero(counts / counts.sum() >= 1 / BINS)
    positions = np.unique(np.concatenate([deciles, heavy, heavy - 1]))
    inner = positions[(positions >= 0) & (positions < len(distinct) - 1)]
    return np.asarray(distinct[inner], dtype=np.float64)


def _column_profile(column: Column) -> dict[str, Any]:
    empty = int(column.isna().sum())
    described: dict[str, Any] = {
        "type": "number" if is_number(column) else "category",
        "missing": empty,
        "unknown": int(missing_mask(column).sum()) - empty,
        "distinct": int(column.nunique()),
        "top": [
            {"value": _plain(value), "count": int(count)}
            for value, count in column.value_counts().head(TOP_VALUES).items()
        ],
    }
    if described["type"] == "number" and empty < len(column):
        described["quantiles"] = _quantiles(column)
        described["mean"] = float(column.mean())
        described["deviation"] = float(column.std(ddof=0))
    return described


def _quantiles(column: Column) -> dict[str, float]:
    values = column.dropna().to_numpy(dtype=np.float64)
    shares = {**QUANTILES, "maximum": 1.0}
    return dict(zip(shares, np.quantile(values, list(shares.values())).tolist(), strict=True))


def _plain(value: Any) -> str | float | int:
    number = value.item() if isinstance(value, np.generic) else value
    return number if isinstance(number, int | float) else str(number)


def _reference(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    if name not in frame.columns:
        raise DataProblem(
            "missing_column",
            f"Column {name!r} is to be watched but is missing from the training rows.",
            details={"columns": [name]},
        )
    column = frame[name]
    return _number_reference(column) if is_number(column) else _category_reference(column)


def _number_reference(column: Column) -> dict[str, Any]:
    values = np.sort(column.dropna().to_numpy(dtype=np.float64))
    distinct, counts = np.unique(values, return_counts=True)
    cuts = bin_cuts(distinct, counts)
    points = _grid_points(len(distinct))
    up_to = np.cumsum(counts)
    return {
        "type": "number",
        "missing": int(column.isna().sum()),
        "cuts": cuts.tolist(),
        "counts": bin_counts(values, cuts).tolist(),
        "grid": distinct[points].tolist(),
        "up_to": up_to[points].tolist(),
        "below": (up_to - counts)[points].tolist(),
    }


def _grid_points(size: int) -> np.ndarray:
    """Return positions, int64, of at most 512 of `size` sorted values, evenly spread."""
    if size <= FINEST_GRID:
        return np.arange(size)
    positions: np.ndarray = np.linspace(0, size - 1, FINEST_GRID).round().astype(np.int64)
    return positions


def _category_reference(column: Column) -> dict[str, Any]:
    counts = category_counts(column)
    kept = counts.head(MOST_CATEGORIES)
    return {
        "type": "category",
        "missing": int(column.isna().sum()),
        "values": [str(value) for value in kept.index],
        "counts": [int(count) for count in kept],
        "other": int(counts.iloc[MOST_CATEGORIES:].sum()),
    }


def watched_features(profile: Mapping[str, Any]) -> list[str]:
    """Return the names of the features that a reference profile holds."""
    return list(profile["features"])
