"""Explore a table before anybody models it: what it holds, how it moves, what may be a leak."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pipeline.ml.eda_plots import (
    correlation_picture,
    distributions_picture,
    leak_picture,
    missing_picture,
    rate_picture,
)
from pipeline.ml.metrics import roc_auc
from pipeline.ml.profile import bin_cuts, missing_mask, profile_table
from pipeline.ml.tables import Column, is_number, require_binary_target, target_array
from projects.charts.pictures import Picture

# A single column that ranks the outcome this well on its own is more often a leak than a gift.
SUSPICIOUS_AUC = 0.75
# A number whose variance lies this much between the periods tells the date of a row.
CALENDAR_SHARE = 0.9
SHOWN_DISTRIBUTIONS = 6


@dataclass(frozen=True)
class Exploration:
    """What to explore: the target, its positive value, a period column if the rows have one.

    `known_leaks` are columns that the datasheet marks as unknown when a prediction is made.
    """

    target: str
    positive: str
    period: str = ""
    known_leaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class EdaReport:
    """The report: sentences that matter first, tables as plain JSON, and pictures by name."""

    findings: list[str]
    summary: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    pictures: dict[str, Picture] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the pictures' bytes, ready for JSON."""
        shown = {
            name: {"title": picture.title, "description": picture.description}
            for name, picture in self.pictures.items()
        }
        return {
            "findings": self.findings,
            "summary": self.summary,
            "tables": self.tables,
            "pictures": shown,
        }


def explore(frame: pd.DataFrame, exploration: Exploration) -> EdaReport:
    """Return the exploratory report of a table with a binary target.

    Raises:
        DataProblem: `target_not_binary`.
    """
    require_binary_target(frame, exploration.target, exploration.positive)
    target = target_array(frame, exploration.target, exploration.positive)
    columns = [
        str(name) for name in frame.columns if name not in {exploration.target, exploration.period}
    ]
    calendar = (
        calendar_columns(frame[columns], frame[exploration.period]) if exploration.period else []
    )
    leaks = leak_table(frame[columns], target, exploration.known_leaks, calendar)
    missing = missing_table(frame[columns])
    correlations = correlation_table(frame[columns], target, exploration.target)
    tables = {"leaks": leaks, "missing": missing}
    pictures = {
        "leaks": leak_picture(leaks, SUSPICIOUS_AUC),
        "missing": missing_picture(missing),
        "correlations": correlation_picture(*correlations),
        "distributions": distributions_picture(frame, _interesting(leaks), target),
    }
    if exploration.period:
        tables["target_rate"] = rate_table(frame[exploration.period], target)
        pictures["target_rate"] = rate_picture(tables["target_rate"])
    summary = {
        "rows": len(frame),
        "positive_rate": float(target.mean()),
        "duplicate_rows": int(frame.duplicated().sum()),
        "profile": profile_table(frame),
    }
    return EdaReport(_findings(tables, summary), summary, tables, pictures)


def rate_table(periods: Column, target: np.ndarray) -> list[dict[str, Any]]:
    """Return rows and positive rate of each period in order; `target` is 0/1, shape (rows,)."""
    groups = pd.Series(target).groupby(periods.to_numpy(dtype=object))
    return [
        {"period": str(period), "rows": len(group), "rate": round(float(group.mean()), 4)}
        for period, group in groups
    ]


def missing_table(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the share of missing cells per column, most first; "unknown" counts as missing."""
    rows = []
    for name in frame.columns:
        masked, empty = missing_mask(frame[name]), frame[name].isna().to_numpy()
        share = round(float(masked.mean()), 4)
        unknown = int(masked.sum() - empty.sum())
        rows.append(
            {"column": str(name), "share": share, "empty": int(empty.sum()), "unknown": unknown}
        )
    return sorted(rows, key=lambda row: (-row["share"], row["column"]))


def calendar_columns(frame: pd.DataFrame, periods: Column) -> list[str]:
    """Return the numeric columns that hardly vary within a period but do between periods."""
    groups = periods.to_numpy(dtype=object)
    found = []
    for name in frame.columns:
        if not is_number(frame[name]):
            continue
        values = frame[name].astype("float64")
        means = values.groupby(groups).transform("mean")
        if float(means.var()) >= CALENDAR_SHARE * float(values.var()) > 0:
            found.append(str(name))
    return found


def leak_table(
    frame: pd.DataFrame,
    target: np.ndarray,
    known_leaks: Iterable[str] = (),
    calendar: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return how well each column alone ranks the outcome, best first, and which look like leaks.

    The ranking is by the rate of positives in tenths of a number or in each category, so a column
    that helps at both ends is seen too. 0.5 is chance, 1 is certainty. A column that only tells
    the date is no leak, but is marked.
    """
    known, dated = set(known_leaks), set(calendar)
    rows = []
    for name in frame.columns:
        auc = round(univariate_auc(frame[name], target), 4)
        rows.append(
            {
                "column": str(name),
                "auc": auc,
                "suspicious": name in known or (auc >= SUSPICIOUS_AUC and name not in dated),
                "declared_unknown": name in known,
                "tells_the_date": name in dated,
            }
        )
    return sorted(rows, key=lambda row: (-row["auc"], row["column"]))


def univariate_auc(column: Column, target: np.ndarray) -> float:
    """Return the ROC AUC of a column alone; every other row sets the rates, the rest is ranked."""
    groups = _buckets(column)
    learn = np.arange(len(target)) % 2 == 0
    prior = target[learn].mean()
    width = int(groups.max()) + 1
    hits = np.bincount(groups[learn], weights=target[learn], minlength=width)
    counts = np.bincount(groups[learn], minlength=width)
    rates = (hits + 10 * prior) / (counts + 10)
    judged = target[~learn]
    if not 0 < judged.sum() < len(judged):
        return 0.5
    return max(roc_auc(judged, rates[groups[~learn]]), 0.5)


def correlation_table(
    frame: pd.DataFrame, target: np.ndarray, target_name: str
) -> tuple[list[str], np.ndarray]:
    """Return names and rank correlations, shape (n, n), of the numeric columns and the target."""
    names = [str(name) for name in frame.columns if is_number(frame[name])]
    ranks = [rankdata(frame[name].fillna(frame[name].median()).to_numpy()) for name in names]
    with np.errstate(invalid="ignore"):
        matrix = np.corrcoef(np.vstack([*ranks, target.astype(np.float64)]))
    return [*names, target_name], np.nan_to_num(np.atleast_2d(matrix))


def _buckets(column: Column) -> np.ndarray:
    """Return the bin or category of each row, int64 of shape (rows,); missing is one of them."""
    if not is_number(column):
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.int64)
    values = column.to_numpy(dtype=np.float64)
    cuts = bin_cuts(*np.unique(values[~np.isnan(values)], return_counts=True))
    bins = np.searchsorted(cuts, values, side="left")
    return np.asarray(np.where(np.isnan(values), len(cuts) + 1, bins), dtype=np.int64)


def _interesting(leaks: list[dict[str, Any]]) -> list[str]:
    return [row["column"] for row in leaks if not row["tells_the_date"]][:SHOWN_DISTRIBUTIONS]


def _findings(tables: dict[str, list[dict[str, Any]]], summary: dict[str, Any]) -> list[str]:
    found = [_leak_sentence(row) for row in tables["leaks"] if row["suspicious"]]
    rates = tables.get("target_rate", [])
    if len(rates) > 1:
        low, high = (pick(rates, key=lambda row: row["rate"]) for pick in (min, max))
        found.append(
            f"The rate of positives moves between {low['rate']:.1%} ({low['period']}) and "
            f"{high['rate']:.1%} ({high['period']}): split by time, not at random."
        )
    dated = [row["column"] for row in tables["leaks"] if row["tells_the_date"]]
    if dated:
        found.append(
            f"These numbers hardly vary within a period, so they tell when, not who: "
            f"{', '.join(dated)}. A random split lets a model look up each period's rate by them."
        )
    gaps = [f"{row['column']} {row['share']:.1%}" for row in tables["missing"] if row["share"] > 0]
    if gaps:
        found.append(f"Missing or unknown: {', '.join(gaps)}.")
    if summary["duplicate_rows"]:
        found.append(f"{summary['duplicate_rows']:,} rows repeat an earlier row exactly.")
    return found


def _leak_sentence(row: dict[str, Any]) -> str:
    if row["auc"] >= SUSPICIOUS_AUC:
        known = " and the datasheet says so" if row["declared_unknown"] else ""
        return (
            f"{row['column']} alone ranks the outcome with ROC AUC {row['auc']:.3f}; such a column "
            f"is usually known only afterwards{known}. Leave it out unless proven otherwise."
        )
    return (
        f"{row['column']} is declared unknown at prediction time (ROC AUC alone {row['auc']:.3f}); "
        "leave it out."
    )
