"""Criteria as MLflow's MetricThreshold and back, by rules alone."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.criteria import CriterionSpec, judge, spec_of
from projects.rules.criterion_facts import CriterionFacts
from projects.rules.metric_thresholds import (
    criterion_row,
    export_thresholds,
    key_for,
    problems_of,
)

AUC = CriterionSpec("auc", "test_roc_auc", greater_is_better=True, threshold=0.6)
LATENCY = CriterionSpec("fast", "latency_p95_ms", greater_is_better=False, threshold=200.0)
BASELINES = {"rules": {"test_roc_auc": 0.55, "latency_p95_ms": 100.0}}

numbers = st.floats(-1e6, 1e6, allow_nan=False)
positive = st.floats(0, 1e6, exclude_min=True, allow_nan=False)


@st.composite
def arguments(draw):
    """Return what MLflow's constructor takes."""
    found = {
        "threshold": draw(st.none() | numbers),
        "min_absolute_change": draw(st.none() | positive),
        "min_relative_change": draw(st.none() | st.floats(0, 1)),
    }
    given_ones = {name: value for name, value in found.items() if value is not None}
    given_ones = given_ones or {"threshold": draw(numbers)}
    return {"greater_is_better": draw(st.booleans()), **given_ones}


def test_export_speaks_mlflows_words():
    gain = replace(AUC, min_absolute_change=0.05, min_relative_change=0.1, baseline="rules")
    drop = replace(LATENCY, threshold=None, max_relative_drop=0.5, baseline="rules")
    exported = export_thresholds([gain, drop], BASELINES)
    assert exported.thresholds == {
        "test_roc_auc": {
            "greater_is_better": True,
            "threshold": 0.6,
            "min_absolute_change": 0.05,
            "min_relative_change": 0.1,
        },
        "latency_p95_ms": {"greater_is_better": False, "threshold": 150.0},
    }
    assert (exported.baseline, exported.not_expressed) == ("rules", ())


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "attestation"},
        {"level": "should"},
        {"is_blocking": False},
        {"level": "kill", "by_sprint": 2},
        {"slice": "all_slices:region"},
        {"confidence_key": "low"},
        {"aggregate": "mean"},
        {"min_runs": 3},
        {"baseline": "same_run:test_recall", "min_absolute_change": 0.1},
        {"baseline": "champion", "max_absolute_drop": 0.1},
        {"baseline": "nothing", "max_relative_drop": 0.1},
        {"threshold": math.nan},
    ],
    ids=str,
)
def test_what_mlflow_cannot_say_is_left_out_by_name(changes):
    exported = export_thresholds([replace(AUC, **changes), LATENCY], BASELINES)
    assert list(exported.thresholds) == ["latency_p95_ms"]
    (note,) = exported.not_expressed
    assert (note.key, note.is_left_out) == ("auc", True)
    assert note.reason.endswith(".")


def test_what_is_lost_on_the_way_is_named():
    tied = replace(AUC, dataset_ref="dataset_version:1", test_use_limit=4)
    exported = export_thresholds([tied], {})
    assert exported.thresholds["test_roc_auc"]["threshold"] == 0.6
    assert [note.is_left_out for note in exported.not_expressed] == [False, False]


def test_two_criteria_on_one_metric_become_one_as_strict_as_both():
    exported = export_thresholds([AUC, replace(AUC, key="more", threshold=0.7)], {})
    assert exported.thresholds["test_roc_auc"]["threshold"] == 0.7
    low = export_thresholds([LATENCY, replace(LATENCY, key="more", threshold=100.0)], {})
    assert low.thresholds["latency_p95_ms"]["threshold"] == 100.0
    turned = replace(AUC, key="turned", greater_is_better=False)
    assert [note.key for note in export_thresholds([AUC, turned], {}).not_expressed] == ["turned"]


def test_changes_from_two_baselines_do_not_fit_one_evaluation():
    first = replace(AUC, min_absolute_change=0.1, baseline="rules")
    second = replace(LATENCY, min_absolute_change=5, baseline="champion")
    exported = export_thresholds([first, second], BASELINES)
    assert [note.key for note in exported.not_expressed] == ["fast"]


def test_named_slice_is_exported_under_its_own_metric():
    north = replace(AUC, slice="region=north")
    assert list(export_thresholds([north], {}).thresholds) == ["test_roc_auc/region/north"]


@pytest.mark.parametrize(
    ("given_one", "field"),
    [
        ({"threshold": "0.5", "greater_is_better": True}, "m.threshold"),
        ({"threshold": True, "greater_is_better": True}, "m.threshold"),
        ({"threshold": math.inf, "greater_is_better": True}, "m.threshold"),
        ({"min_absolute_change": 0, "greater_is_better": True}, "m.min_absolute_change"),
        ({"min_absolute_change": -1, "greater_is_better": True}, "m.min_absolute_change"),
        ({"min_relative_change": 1.1, "greater_is_better": True}, "m.min_relative_change"),
        ({"min_relative_change": math.nan, "greater_is_better": True}, "m.min_relative_change"),
        ({"threshold": 1}, "m.greater_is_better"),
        ({"threshold": 1, "greater_is_better": "yes"}, "m.greater_is_better"),
        ({"greater_is_better": True}, "m"),
        ({"threshold": 1, "higher_is_better": True, "greater_is_better": True},
         "m.higher_is_better"),
        ([0.5], "m"),
    ],
    ids=str,
)  # fmt: skip
def test_what_mlflows_constructor_refuses_is_named(given_one, field):
    assert [wrong.field for wrong in problems_of("m", given_one, has_baseline=True)] == [field]


def test_a_change_needs_a_baseline_and_a_metric_a_sound_name():
    change = {"min_absolute_change": 0.1, "greater_is_better": True}
    assert problems_of("m", change, has_baseline=False)
    assert not problems_of("m", change, has_baseline=True)
    for name in ("", " ", "a,b", "x" * 121):
        assert problems_of(name, {"threshold": 1, "greater_is_better": True}, has_baseline=True)


@given(st.dictionaries(st.sampled_from(["m", "test_auc", "a/b", "ms"]), arguments(), min_size=1))
def test_import_and_export_are_inverse(thresholds):
    rows = []
    for metric, one in thresholds.items():
        assert problems_of(metric, one, has_baseline=True) == []
        key = key_for(metric, [row["key"] for row in rows])
        rows.append(criterion_row(metric, one, baseline="b", key=key))
    exported = export_thresholds(map(spec_of, rows), {"b": {}})
    assert exported.thresholds == thresholds
    assert exported.not_expressed == ()


@given(arguments(), numbers, numbers)
def test_what_is_exported_judges_as_the_criterion_does(one, value, base):
    row = criterion_row("m", one, baseline="b", key="m")
    found = CriterionFacts(metrics={"m": value}, baselines={"b": {"m": base}})
    limits = [one["threshold"]] if "threshold" in one else []
    sign = 1 if one["greater_is_better"] else -1
    if "min_absolute_change" in one:
        limits.append(base + sign * one["min_absolute_change"])
    if "min_relative_change" in one:
        limits.append(base + sign * one["min_relative_change"] * abs(base))
    met = all(sign * value >= sign * limit - 1e-12 for limit in limits)
    assert judge(spec_of(row), found).is_pass == met
