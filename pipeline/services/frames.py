"""Rows as data frames: what a model reads, and which rows it learned from."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.ml.problems import DataProblem
from pipeline.models import ModelVersion
from pipeline.services.data import read_dataset
from pipeline.services.scoring import Column
from projects.errors import RuleViolated

if TYPE_CHECKING:
    import pandas as pd

PERIOD = "period"
_BLOCK = re.compile(r"(\d{4}-\d{2})(?: to (\d{4}-\d{2}))?")


def inputs_of(
    columns: Sequence[Column], values: Mapping[str, Sequence[Any]], count: int
) -> "pd.DataFrame":
    """Return the frame that a model reads: numbers as float64, all else as objects.

    A column that is optional and was not sent is missing in every row.
    """
    import pandas as pd

    frame = {}
    for column in columns:
        cells = values.get(column.name, [None] * count)
        dtype = "float64" if column.family == "number" else "object"
        frame[column.name] = pd.Series(list(cells), dtype=dtype)
    return pd.DataFrame(frame)


def with_periods(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the frame with a `period` column, YYYY-MM: its own, or from the order of its months.

    Raises:
        DataProblem: `missing_column`, there is nothing to tell the time of a row by.
    """
    from pipeline.ml import bank

    if PERIOD in frame.columns:
        return frame
    if "month" in frame.columns:
        return bank.with_periods(frame)
    raise DataProblem(
        "missing_column",
        "The rows have neither a period (YYYY-MM) nor a month, so they cannot be put in time.",
    )


def training_rows(version: ModelVersion) -> "pd.DataFrame":
    """Return the rows that the version learned from: of its run's dataset, the months it names.

    A run without months (a random split) learned from the whole dataset.

    Raises:
        RuleViolated: code `no_training_data`, the version has no run on a registered dataset.
    """
    dataset = version.run.dataset if version.run else None
    if version.run is None or dataset is None:
        raise RuleViolated(
            f"{version} has no run on a registered dataset, so there is nothing to compare with.",
            code="no_training_data",
        )
    frame = read_dataset(dataset)
    blocks = _blocks(version.run.params)
    if not blocks:
        return frame
    periods = with_periods(frame)[PERIOD]
    inside = periods.isin([])
    for first, last in blocks:
        inside |= (periods >= first) & (periods <= last)
    return frame[inside.to_numpy()]


def _blocks(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the first and last month of each block that the run says it was fitted on."""
    found = []
    for name in ("train_months", "validation_months"):
        match = _BLOCK.fullmatch(str(params.get(name, "")))
        if match:
            found.append((match[1], match[2] or match[1]))
    return found
