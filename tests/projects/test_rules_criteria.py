"""Criteria against metrics and baselines, without a database."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules import criteria as rules
from projects.rules.criteria import CriterionSpec, evaluate, evaluate_all

AUC = CriterionSpec("auc", "test_roc_auc", greater_is_better=True, threshold=0.6)
LATENCY = CriterionSpec("fast", "latency_p95_ms", greater_is_better=False, threshold=200.0)
BASELINES = {"rules": {"test_roc_auc": 0.55, "latency_p95_ms": 100.0}}

finite = st.floats(-1e6, 1e6, allow_nan=False)
steps = st.floats(0, 1e3, allow_nan=False)
shares = st.floats(0, 1, allow_nan=False)
#: What a client may log as a metric and what is no measured number.
nonsense = st.sampled_from([math.nan, math.inf, -math.inf, "0.9", True, [0.9], {}])


@pytest.mark.parametrize(
    ("criterion", "value", "state"),
    [
        (AUC, 0.61, "pass"),
        (AUC, 0.6, "pass"),
        (AUC, 0.59, "fail"),
        (LATENCY, 200, "pass"),
        (LATENCY, 200.5, "fail"),
    ],
)
def test_threshold_is_met_on_its_right_side(criterion, value, state):
    result = evaluate(criterion, {criterion.metric_key: value}, {})
    assert result.state == state
    assert criterion.metric_key in result.sentence


@pytest.mark.parametrize(
    ("condition", "value", "state", "limit"),
    [
        ({"min_absolute_change": 0.05}, 0.6, "pass", 0.6),
        ({"min_absolute_change": 0.05}, 0.59, "fail", 0.6),
        ({"min_relative_change": 0.1}, 0.606, "pass", 0.605),
        ({"min_relative_change": 0.1}, 0.6, "fail", 0.605),
        ({"max_absolute_drop": 0.05}, 0.5, "pass", 0.5),
        ({"max_absolute_drop": 0.05}, 0.49, "fail", 0.5),
        ({"max_relative_drop": 0.2}, 0.45, "pass", 0.44),
        ({"threshold": 0.7, "max_absolute_drop": 0.05}, 0.6, "fail", 0.7),
    ],
)
def test_changes_are_measured_from_the_baseline(condition, value, state, limit):
    criterion = replace(AUC, **{"threshold": None, "baseline": "rules", **condition})
    result = evaluate(criterion, {"test_roc_auc": value}, BASELINES)
    assert (result.state, result.limit) == (state, pytest.approx(limit))


def test_gain_of_a_metric_that_shall_fall_points_down():
    criterion = replace(LATENCY, threshold=None, baseline="rules", min_relative_change=0.1)
    assert evaluate(criterion, {"latency_p95_ms": 90}, BASELINES).is_pass
    assert not evaluate(criterion, {"latency_p95_ms": 95}, BASELINES).is_pass


def test_missing_metric_is_missing():
    result = evaluate(AUC, {"validation_roc_auc": 0.9}, {})
    assert (result.state, result.is_pass) == ("missing", False)


@pytest.mark.parametrize("baselines", [{}, {"rules": {}}, {"other": {"test_roc_auc": 0.5}}])
def test_missing_baseline_is_missing(baselines):
    criterion = replace(AUC, baseline="rules", min_absolute_change=0.01)
    assert evaluate(criterion, {"test_roc_auc": 0.9}, baselines).state == "missing"


def test_metric_of_another_data_role_is_a_mismatch():
    criterion = replace(AUC, metric_key="validation_roc_auc")
    assert evaluate(criterion, {"validation_roc_auc": 0.9}, {}).state == "mismatch"
    fitting = replace(criterion, dataset_role="validation")
    assert evaluate(fitting, {"validation_roc_auc": 0.9}, {}).is_pass


def test_metrics_that_belong_to_something_else_never_pass():
    result = evaluate(AUC, {"test_roc_auc": 0.9}, {}, mismatch="the run used another data set.")
    assert result.state == "mismatch"
    assert "another data set" in result.sentence


def test_criterion_without_a_condition_is_an_error():
    assert evaluate(replace(AUC, threshold=None), {"test_roc_auc": 0.9}, {}).state == "error"


def test_judging_nothing_is_no_pass():
    verdict = evaluate_all([], {"test_roc_auc": 0.9}, {})
    assert not verdict.is_pass
    assert verdict.reasons == ["No criterion was evaluated, and judging nothing is no pass."]


def test_one_miss_fails_the_set():
    verdict = evaluate_all([AUC, LATENCY], {"test_roc_auc": 0.9}, {})
    assert not verdict.is_pass
    assert len(verdict.reasons) == 1


@st.composite
def criteria(draw):
    conditions = {
        "threshold": draw(st.none() | finite),
        "min_absolute_change": draw(st.none() | steps),
        "min_relative_change": draw(st.none() | shares),
        "max_absolute_drop": draw(st.none() | steps),
        "max_relative_drop": draw(st.none() | shares),
    }
    return CriterionSpec("any", "m", draw(st.booleans()), baseline="b", **conditions)


@given(criteria(), nonsense)
def test_what_is_no_finite_number_never_passes(criterion, value):
    result = evaluate(criterion, {"m": value}, {"b": {"m": 1.0}})
    assert result.state == "error"


@given(criteria(), nonsense)
def test_nonsense_in_the_baseline_never_helps(criterion, value):
    result = evaluate(criterion, {"m": 1.0}, {"b": {"m": value}})
    changes = (
        criterion.min_absolute_change,
        criterion.min_relative_change,
        criterion.max_absolute_drop,
        criterion.max_relative_drop,
    )
    if any(change is not None for change in changes):
        assert result.state == "error"


@given(criteria(), st.sampled_from([{}, {"m": None}]))
def test_missing_never_passes(criterion, metrics):
    assert evaluate(criterion, metrics, {"b": {"m": 1.0}}).state == "missing"


@given(criteria(), finite, finite, st.data())
def test_loosening_a_criterion_never_turns_pass_into_fail(criterion, value, base, data):
    metrics, baselines = {"m": value}, {"b": {"m": base}}
    before = evaluate(criterion, metrics, baselines)
    name = data.draw(
        st.sampled_from(
            ["threshold", "min_absolute_change", "max_absolute_drop", "max_relative_drop"]
        )
    )
    current = getattr(criterion, name)
    if current is None or not before.is_pass:
        return
    step = data.draw(steps)
    stricter_is_more = criterion.greater_is_better if name == "threshold" else "min" in name
    looser = current - step if stricter_is_more else current + step
    assert evaluate(replace(criterion, **{name: looser}), metrics, baselines).is_pass


@given(criteria(), finite, steps, finite)
def test_better_metric_never_turns_pass_into_fail(criterion, value, step, base):
    baselines = {"b": {"m": base}}
    if not evaluate(criterion, {"m": value}, baselines).is_pass:
        return
    better = value + step if criterion.greater_is_better else value - step
    assert evaluate(criterion, {"m": better}, baselines).is_pass


@given(criteria(), st.one_of(finite, nonsense, st.none()))
def test_state_is_always_one_of_the_declared(criterion, value):
    result = evaluate(criterion, {"m": value}, {"b": {"m": 0.0}})
    assert result.state in rules.STATES
    assert result.sentence.endswith((".", "finite."))
