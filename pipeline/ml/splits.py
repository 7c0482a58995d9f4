"""Divide rows into training, validation and test: by time, or at random for comparison."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.model_selection import train_test_split

from pipeline.ml.problems import DataProblem
from pipeline.ml.tables import Column

TRAIN_SHARE, VALIDATION_SHARE = 0.6, 0.2
MONTHS = 12


@dataclass(frozen=True)
class Block:
    """Whole months from `first` to `last`, both included, written YYYY-MM."""

    first: str
    last: str

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Blocks:
    """Three blocks in the order of time; validation may be left out when nothing is chosen."""

    train: Block
    test: Block
    validation: Block | None = None


@dataclass(frozen=True)
class Split:
    """Row positions, each an int64 array of shape (rows of that part,); they never overlap."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def development(self) -> np.ndarray:
        """Positions that a model may be fitted on before it is tested: training and validation."""
        return np.concatenate([self.train, self.validation])


def temporal_split(periods: Column, blocks: Blocks) -> Split:
    """Return the rows of each block; `periods` holds YYYY-MM per row, shape (rows,).

    Raises:
        DataProblem: `blocks_out_of_order` if a later block does not start after an earlier one
            ends, `empty_block` if a block has no rows.
    """
    ordered = [block for block in (blocks.train, blocks.validation, blocks.test) if block]
    for earlier, later in pairwise(ordered):
        if later.first <= earlier.last:
            raise DataProblem(
                "blocks_out_of_order",
                f"Block {later} must start after block {earlier} ends, or the future leaks in.",
            )
    nothing = np.empty(0, dtype=np.int64)
    return Split(
        train=rows_of(periods, blocks.train),
        validation=rows_of(periods, blocks.validation) if blocks.validation else nothing,
        test=rows_of(periods, blocks.test),
    )


def rows_of(periods: Column, block: Block) -> np.ndarray:
    """Return the positions, int64, of the rows within a block; refuse an empty block."""
    names = periods.to_numpy(dtype=object)
    rows = np.flatnonzero((names >= block.first) & (names <= block.last))
    if not len(rows):
        raise DataProblem("empty_block", f"There are no rows from {block}; choose other months.")
    return rows


def random_split(target: np.ndarray, seed: int) -> Split:
    """Shuffle all rows into 60 % training, 20 % validation and 20 % test, stratified by target.

    It mixes the future into the training rows where these have an order in time: use it there
    only to show how misleading that is.
    """
    rows = np.arange(len(target), dtype=np.int64)
    train, rest = train_test_split(rows, train_size=TRAIN_SHARE, random_state=seed, stratify=target)
    validation, test = train_test_split(
        rest,
        train_size=VALIDATION_SHARE / (1 - TRAIN_SHARE),
        random_state=seed,
        stratify=target[rest],
    )
    return Split(train=np.sort(train), validation=np.sort(validation), test=np.sort(test))


def temporal_folds(periods: Column, folds: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return forward-chaining folds: each validates on later months than it trains on.

    The months are cut where the rows divide most evenly into `folds + 1` parts; rows of one month
    stay together. Too few months for that give fewer folds, but at least one.

    Raises:
        DataProblem: `too_few_periods` if all rows lie in one month.
    """
    names = periods.to_numpy(dtype=object)
    months, counts = np.unique(names.astype(str), return_counts=True)
    if len(months) <= 1:
        raise DataProblem("too_few_periods", "Tuning by time needs rows of at least two months.")
    ends = np.cumsum(counts) / len(names)
    wanted = np.arange(1, folds + 1) / (folds + 1)
    cuts = sorted({min(int(np.argmin(np.abs(ends - share))), len(months) - 2) for share in wanted})
    bounds = [*cuts, len(months) - 1]
    position = np.searchsorted(months, names.astype(str))
    return [
        (np.flatnonzero(position <= cut), np.flatnonzero((position > cut) & (position <= stop)))
        for cut, stop in pairwise(bounds)
    ]


def recent_blocks(last: str, *, train_months: int = 12, test_months: int = 6) -> Blocks:
    """Return the blocks of a retraining: `test_months` up to `last`, `train_months` before them."""
    return Blocks(
        train=Block(
            month_before(last, train_months + test_months - 1), month_before(last, test_months)
        ),
        test=Block(month_before(last, test_months - 1), last),
    )


def month_before(month: str, count: int) -> str:
    """Return the month `count` months before `month` (after it, if negative)."""
    year, number = (int(part) for part in month.split("-"))
    year, number = divmod(year * MONTHS + number - 1 - count, MONTHS)
    return f"{year:04d}-{number + 1:02d}"


def periods_of(split: Split, periods: Column) -> dict[str, tuple[str, str]]:
    """Return the first and last month of each part that has rows, for the record of a run."""
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return {
        name: (str(periods.iloc[rows].min()), str(periods.iloc[rows].max()))
        for name, rows in parts.items()
        if len(rows)
    }
