import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from pipeline.ml import metrics
from pipeline.ml.evaluation import (
    checked,
    compare,
    compare_slices,
    evaluate,
    is_better,
    slices_of,
)
from pipeline.ml.problems import DataProblem


@st.composite
def judged(draw):
    """Outcomes of both kinds and scores with many ties."""
    size = draw(st.integers(4, 60))
    target = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    target[:2] = [0, 1]
    grid = st.integers(1, 19).map(lambda step: step / 20)
    return np.array(target), np.array(draw(st.lists(grid, min_size=size, max_size=size)))


@given(judged())
def test_metrics_agree_with_scikit_learn(case):
    target, scores = case
    assert metrics.roc_auc(target, scores) == pytest.approx(sk.roc_auc_score(target, scores))
    assert metrics.average_precision(target, scores) == pytest.approx(
        sk.average_precision_score(target, scores)
    )
    assert metrics.log_loss(target, scores) == pytest.approx(sk.log_loss(target, scores))
    assert metrics.brier(target, scores) == pytest.approx(sk.brier_score_loss(target, scores))


@given(judged())
def test_calibration_error_and_lift_stay_in_their_bounds(case):
    target, scores = case
    assert 0 <= metrics.calibration_error(target, scores) <= 1
    assert 0 <= metrics.lift_top_decile(target, scores) <= 1 / target.mean() + 1e-9


@given(judged(), st.randoms())
def test_lift_does_not_depend_on_the_order_of_tied_rows(case, random):
    target, scores = case
    order = list(range(len(target)))
    random.shuffle(order)
    assert metrics.lift_top_decile(target[order], scores[order]) == pytest.approx(
        metrics.lift_top_decile(target, scores)
    )


def test_calibration_error_by_hand():
    target = np.array([0] * 5 + [1] * 5)
    assert metrics.calibration_error(target, target.astype(float)) == 0
    assert metrics.calibration_error(target, np.full(10, 0.5)) == 0.5


def test_lift_by_hand():
    target = np.array([1, 1] + [0] * 18)
    assert metrics.lift_top_decile(target, np.linspace(1, 0, 20)) == 10
    assert metrics.lift_top_decile(target, np.full(20, 0.3)) == 1


@pytest.mark.parametrize(
    ("target", "scores", "code"),
    [
        ([0, 1], [0.2, np.nan], "scores_not_finite"),
        ([0, 1], [0.2, np.inf], "scores_not_finite"),
        ([0, 1], [0.2, 1.2], "scores_not_probabilities"),
        ([0, 1, 1], [0.2, 0.3], "lengths_differ"),
        ([1, 1], [0.2, 0.3], "one_class"),
        ([], [], "one_class"),
    ],
)
def test_scores_that_cannot_be_judged_are_refused(target, scores, code):
    with pytest.raises(DataProblem) as caught:
        evaluate("test", np.array(target), np.array(scores))
    assert caught.value.code == code


def test_metrics_are_named_by_role_and_bounded_by_an_interval():
    random = np.random.default_rng(3)
    target = random.integers(0, 2, 500)
    scores = np.clip(target * 0.2 + random.uniform(0, 0.8, 500), 0, 1)
    found = evaluate("validation", target, scores)
    assert set(found) == {
        f"validation_{name}"
        for name in [*metrics.METRICS, "roc_auc_low", "roc_auc_high", "rows", "positive_rate"]
    }
    assert (
        found["validation_roc_auc_low"]
        < found["validation_roc_auc"]
        < found["validation_roc_auc_high"]
    )
    assert found == evaluate("validation", target, scores)


def test_a_clearly_better_challenger_wins_and_a_copy_does_not():
    random = np.random.default_rng(5)
    target = random.integers(0, 2, 800)
    guess = random.uniform(0, 1, 800)
    good = np.clip(0.3 + 0.4 * target + random.normal(0, 0.1, 800), 0, 1)
    assert is_better(compare(target, guess, good))
    assert not is_better(compare(target, good, guess))
    same = compare(target, good, good)
    assert {one.winner for one in same} == {"neither"}
    assert {one.difference for one in same} == {0.0}


def test_lower_is_better_where_it_is():
    target = np.array([0, 1] * 200)
    sure, unsure = np.where(target == 1, 0.9, 0.1), np.where(target == 1, 0.6, 0.4)
    by_name = {one.metric: one for one in compare(target, unsure, sure)}
    assert by_name["log_loss"].difference < 0
    assert by_name["log_loss"].winner == "challenger"


def test_checking_converts_types():
    target, scores = checked(np.array([False, True]), np.array([0, 1]))
    assert (target.dtype, scores.dtype) == (np.int64, np.float64)


def test_each_model_has_an_interval_of_its_own():
    random = np.random.default_rng(5)
    target = random.integers(0, 2, 400)
    scores = np.clip(0.3 + 0.4 * target + random.normal(0, 0.3, 400), 0, 1)
    for one in compare(target, random.uniform(0, 1, 400), scores):
        assert one.champion_low <= one.champion <= one.champion_high or one.metric != "roc_auc"
        assert one.challenger_low < one.challenger_high


def test_the_slice_that_got_worse_comes_first_and_small_ones_are_left_out():
    random = np.random.default_rng(5)
    target = random.integers(0, 2, 900)
    good = np.clip(0.3 + 0.4 * target + random.normal(0, 0.1, 900), 0, 1)
    group = np.array(["a", "b", "c"] * 300)
    harmed = np.where(group == "b", random.uniform(0, 1, 900), good)
    slices = {name: group == name for name in "abc"}
    slices["tiny"] = np.arange(900) < 20
    slices["one_sided"] = target == 1
    found = compare_slices(target, good, harmed, slices)
    assert [one.slice for one in found] == ["b", "a", "c"]
    assert [one.winner for one in found] == ["champion", "neither", "neither"]
    assert found[0].rows == 300
    assert found[0].positives == int(target[group == "b"].sum())


def test_slices_come_from_columns_with_few_values():
    frame = pd.DataFrame(
        {"job": ["a", "b", None, "a"], "age": range(4), "same": ["x"] * 4, "many": list("wxyz")}
    )
    found = slices_of(frame, ["job", "same"])
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "job=a": [True, False, False, True],
        "job=b": [False, True, False, False],
        "job=missing": [False, False, True, False],
    }
    wide = pd.DataFrame({"number": range(100)})
    assert slices_of(wide, ["number"]) == {}
