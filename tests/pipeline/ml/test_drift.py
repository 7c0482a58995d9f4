import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp

from pipeline.ml import bank
from pipeline.ml.drift import LEAST_SHARE, chi2, ks, measure_drift, psi
from pipeline.ml.problems import DataProblem
from pipeline.ml.profile import profile_table, reference_profile
from pipeline.ml.splits import Block, rows_of

counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12)
numbers = st.lists(st.integers(-20, 20).map(float), min_size=3, max_size=80)


def profile_of(frame: pd.DataFrame):
    return json.loads(json.dumps(reference_profile(frame)))


@given(counts, counts)
def test_psi_is_never_negative(reference, current):
    size = min(len(reference), len(current))
    assert psi(np.array(reference[:size]), np.array(current[:size])) >= 0


@given(counts, st.integers(1, 9))
def test_psi_of_equal_shares_is_zero(reference, times):
    assert psi(np.array(reference), np.array(reference) * times) == pytest.approx(0, abs=1e-12)


def test_psi_by_hand():
    expected, actual = [0.5, 0.5], [0.9, 0.1]
    by_hand = sum((b - a) * np.log(b / a) for a, b in zip(expected, actual, strict=True))
    assert psi(np.array([50, 50]), np.array([90, 10])) == pytest.approx(by_hand)


def test_an_empty_bin_is_much_drift_but_not_infinite():
    expected = (1 - LEAST_SHARE) * np.log(1 / LEAST_SHARE) * 2
    assert psi(np.array([10, 0]), np.array([0, 10])) == pytest.approx(expected)


@given(numbers, numbers)
def test_ks_agrees_with_scipy(reference, current):
    stored = profile_of(pd.DataFrame({"x": reference}))["features"]["x"]
    statistic, p_value = ks(stored, np.sort(current))
    theirs = ks_2samp(reference, current, method="asymp")
    assert statistic == pytest.approx(theirs.statistic)
    assert p_value == pytest.approx(theirs.pvalue, abs=1e-9)


def test_ks_on_a_coarse_grid_stays_close_to_scipy():
    random = np.random.default_rng(2)
    reference, current = random.normal(0, 1, 20_000), random.normal(0.1, 1, 5_000)
    stored = profile_of(pd.DataFrame({"x": reference}))["features"]["x"]
    assert len(stored["grid"]) == 512
    statistic, _ = ks(stored, np.sort(current))
    assert statistic == pytest.approx(ks_2samp(reference, current).statistic, abs=0.005)


@given(counts, counts)
def test_chi2_agrees_with_scipy(reference, current):
    size = min(len(reference), len(current))
    first, second = np.array(reference[:size]) + 1, np.array(current[:size]) + 1
    theirs = chi2_contingency(np.vstack([first, second]), correction=False)
    assert chi2(first, second) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_the_same_rows_have_not_drifted(small):
    profile = profile_of(small.drop(columns="period"))
    for result in measure_drift(small, profile):
        assert result.psi == pytest.approx(0, abs=1e-12)
        assert result.statistic == pytest.approx(0, abs=1e-12)
        assert result.p_value == pytest.approx(1)


def test_psi_of_a_frame_agrees_with_a_naive_count(small):
    half = len(small) // 2
    early, late = small.iloc[:half], small.iloc[half:].assign(income=lambda f: f["income"] + 4)
    profile = profile_of(early[["income"]])
    edges = [-np.inf, *profile["features"]["income"]["cuts"], np.inf]
    naive = 0.0
    for low, high in pairwise(edges):
        a, b = (
            max(((f > low) & (f <= high)).mean(), LEAST_SHARE) for f in (early.income, late.income)
        )
        naive += (b - a) * np.log(b / a)
    assert measure_drift(late, profile)[0].psi == pytest.approx(naive)


def test_the_feature_that_moved_most_comes_first(small):
    profile = profile_of(small[["income", "kind", "watched"]])
    moved = small.assign(kind="new", income=small["income"] + 1)
    results = measure_drift(moved, profile)
    assert [result.feature for result in results] == ["kind", "income", "watched"]
    assert results[0].psi > 1


def test_missing_values_drift_and_are_counted(small):
    profile = profile_of(small[["income", "kind"]])
    gone = small.assign(income=np.where(np.arange(len(small)) % 2, np.nan, small["income"]))
    by_name = {result.feature: result for result in measure_drift(gone, profile)}
    assert by_name["income"].missing_rate == 0.5
    assert by_name["income"].reference_missing_rate == 0
    assert by_name["income"].psi > 0.5
    assert by_name["kind"].psi == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("usual", [0.0, 999.0])
def test_a_column_that_is_nearly_constant_can_drift(usual):
    before = pd.DataFrame({"x": [usual] * 980 + [5.0] * 20})
    after = pd.DataFrame({"x": [usual] * 500 + [5.0] * 500})
    assert measure_drift(after, profile_of(before))[0].psi > 0.5


def test_euribor_is_named_first_when_the_bank_s_world_changes(calls):
    rows = calls[list(bank.FEATURES.inputs)]
    profile = profile_of(rows.iloc[rows_of(calls.period, Block("2008-05", "2009-04"))])
    later = rows.iloc[rows_of(calls.period, bank.WINDOWS[0])]
    results = {result.feature: result.psi for result in measure_drift(later, profile)}
    assert next(iter(results)) == "euribor3m"
    assert results["euribor3m"] > 6
    assert results["age"] < results["contact"]
    assert results["housing"] < 0.1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (pd.DataFrame({"x": []}), "no_rows"),
        (pd.DataFrame({"other": [1.0]}), "missing_column"),
        (pd.DataFrame({"x": ["many"]}), "non_numeric_value"),
    ],
)
def test_a_window_that_cannot_be_measured_is_refused(frame, code):
    profile = profile_of(pd.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(DataProblem) as caught:
        measure_drift(frame, profile)
    assert caught.value.code == code


def test_a_profile_of_another_version_is_refused(small):
    with pytest.raises(DataProblem) as caught:
        measure_drift(small, {})
    assert caught.value.code == "unknown_profile"


def test_a_reference_needs_rows_and_its_columns(small):
    for frame, columns, code in (
        (small.iloc[:0], None, "no_rows"),
        (small, ["absent"], "missing_column"),
    ):
        with pytest.raises(DataProblem) as caught:
            reference_profile(frame, columns)
        assert caught.value.code == code


def test_a_profile_describes_columns_in_plain_json(calls):
    described = json.loads(json.dumps(profile_table(calls)))
    assert described["rows"] == 41_188
    columns = described["columns"]
    assert columns["age"]["quantiles"]["median"] == 38
    assert columns["default"]["unknown"] == 8_597
    assert columns["default"]["missing"] == 0
    assert columns["y"]["top"][0] == {"value": "no", "count": 36_548}


def test_a_profile_takes_empty_and_boolean_columns():
    frame = pd.DataFrame({"gone": [np.nan, np.nan], "flag": [True, False]})
    described = json.loads(json.dumps(profile_table(frame)))["columns"]
    assert described["gone"]["missing"] == 2
    assert described["flag"]["type"] == "category"
