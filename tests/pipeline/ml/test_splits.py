import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ml.problems import DataProblem
from pipeline.ml.splits import (
    Block,
    Blocks,
    month_before,
    periods_of,
    random_split,
    recent_blocks,
    rows_of,
    temporal_folds,
    temporal_split,
)

months = st.lists(st.integers(1, 12), min_size=2, max_size=120).filter(lambda m: len(set(m)) > 1)


def periods(numbers) -> pd.Series:
    return pd.Series([f"2024-{number:02d}" for number in numbers])


@given(months, st.integers(1, 5))
def test_no_fold_learns_from_the_future(numbers, folds):
    names = periods(numbers)
    found = temporal_folds(names, folds)
    assert 1 <= len(found) <= folds
    for train, test in found:
        assert len(train)
        assert len(test)
        assert names.iloc[train].max() < names.iloc[test].min()


@given(months, st.tuples(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6)))
def test_blocks_never_overlap_nor_leak_the_future(numbers, cut):
    start, first, second = cut
    names = periods(numbers)
    blocks = Blocks(
        train=Block("2024-01", month_before("2024-01", -start)),
        validation=Block(
            month_before("2024-01", -start - 1), month_before("2024-01", -start - 1 - first)
        ),
        test=Block(
            month_before("2024-01", -start - 2 - first),
            month_before("2024-01", -start - 2 - first - second),
        ),
    )
    parts = (blocks.train, blocks.validation, blocks.test)
    if not all(((names >= part.first) & (names <= part.last)).any() for part in parts):
        with pytest.raises(DataProblem):
            temporal_split(names, blocks)
        return
    split = temporal_split(names, blocks)
    assert not set(split.train) & set(split.validation)
    assert not set(split.development) & set(split.test)
    assert names.iloc[split.train].max() < names.iloc[split.validation].min()
    assert names.iloc[split.development].max() < names.iloc[split.test].min()


@pytest.mark.parametrize(
    "blocks",
    [
        Blocks(Block("2024-01", "2024-03"), Block("2024-03", "2024-04")),
        Blocks(Block("2024-03", "2024-04"), Block("2024-01", "2024-02")),
        Blocks(
            Block("2024-01", "2024-01"), Block("2024-03", "2024-03"), Block("2024-03", "2024-04")
        ),
    ],
)
def test_blocks_out_of_order_are_refused(blocks):
    with pytest.raises(DataProblem) as caught:
        temporal_split(periods(range(1, 6)), blocks)
    assert caught.value.code == "blocks_out_of_order"


def test_an_empty_block_is_refused():
    with pytest.raises(DataProblem) as caught:
        rows_of(periods([1, 2]), Block("2025-01", "2025-02"))
    assert caught.value.code == "empty_block"


def test_one_month_cannot_be_folded():
    with pytest.raises(DataProblem) as caught:
        temporal_folds(periods([3, 3, 3]))
    assert caught.value.code == "too_few_periods"


def test_a_random_split_takes_every_row_once_and_keeps_the_rate():
    target = np.array([0, 0, 0, 1] * 100)
    split = random_split(target, seed=1)
    rows = np.concatenate([split.train, split.validation, split.test])
    assert sorted(rows) == list(range(400))
    assert [len(split.train), len(split.validation), len(split.test)] == [240, 80, 80]
    assert target[split.test].mean() == pytest.approx(0.25)
    assert np.array_equal(split.train, random_split(target, seed=1).train)


def test_months_are_counted_across_years():
    assert month_before("2010-01", 1) == "2009-12"
    assert month_before("2009-12", -1) == "2010-01"
    assert recent_blocks("2010-03", train_months=2, test_months=3) == Blocks(
        train=Block("2009-11", "2009-12"), test=Block("2010-01", "2010-03")
    )


def test_the_months_of_each_part_are_recorded():
    names = periods([1, 2, 3])
    split = temporal_split(names, Blocks(Block("2024-01", "2024-02"), Block("2024-03", "2024-03")))
    assert periods_of(split, names) == {
        "train": ("2024-01", "2024-02"),
        "test": ("2024-03", "2024-03"),
    }
