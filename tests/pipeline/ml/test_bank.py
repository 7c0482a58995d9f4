import gzip
import hashlib

import numpy as np
import pytest

from pipeline.ml import bank
from pipeline.ml.problems import DataProblem
from pipeline.ml.splits import Block, rows_of, temporal_split

DIGEST = "74adfc578bf77a7ff4bb1ba4a9f8709d9e3c6907342959c2c8416847e0afb4d8"


def test_the_fixture_is_the_published_file(bank_file, calls):
    assert hashlib.sha256(gzip.decompress(bank_file)).hexdigest() == DIGEST
    assert len(calls) == 41_188


def test_years_follow_from_the_order_of_months(calls):
    periods = calls[bank.PERIOD]
    assert (periods.iloc[0], periods.iloc[-1]) == ("2008-05", "2010-11")
    assert periods.is_monotonic_increasing
    assert {"2008-09", "2009-01", "2009-02", "2010-01", "2010-02"}.isdisjoint(set(periods))


def test_an_unknown_month_is_named(calls):
    rows = calls.head(3).assign(month=["may", "mai", "may"])
    with pytest.raises(DataProblem) as caught:
        bank.with_periods(rows)
    assert (caught.value.code, caught.value.details["row"]) == ("unknown_month", 2)


def test_event_times_keep_the_order_and_the_month(calls):
    times = bank.event_times(calls)
    assert times.is_monotonic_increasing
    assert str(times.tz) == "UTC"
    assert (times.strftime("%Y-%m").to_numpy() == calls[bank.PERIOD].to_numpy(dtype=object)).all()


def test_the_blocks_hold_every_row_once(calls):
    split = temporal_split(calls[bank.PERIOD], bank.BLOCKS)
    traffic = rows_of(calls[bank.PERIOD], bank.TRAFFIC)
    parts = np.concatenate([split.train, split.validation, split.test, traffic])
    assert sorted(parts) == list(range(len(calls)))
    windows = np.concatenate([rows_of(calls[bank.PERIOD], window) for window in bank.WINDOWS])
    assert np.array_equal(windows, traffic)


def test_a_retraining_learns_from_the_traffic_before_the_last_half_year():
    assert bank.RETRAINING.train == Block("2009-06", "2010-05")
    assert bank.RETRAINING.test == bank.WINDOWS[-1]


def test_no_feature_is_known_only_after_the_call():
    assert set(bank.LEAKS).isdisjoint(bank.FEATURES.inputs)
    assert "euribor3m" in bank.FEATURES.context
    assert "euribor3m" not in bank.FEATURES.used
