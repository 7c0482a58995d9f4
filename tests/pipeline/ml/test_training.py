import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.ml import bank, store
from pipeline.ml.evaluation import compare, is_better, latency_p95_ms, positive_scores
from pipeline.ml.features import FeatureSet, model_inputs
from pipeline.ml.parallel import fan_out
from pipeline.ml.problems import DataProblem
from pipeline.ml.training import APPROACHES, BOOSTING, LOGISTIC, RULE, TrainingPlan, train

GRID = {"learning_rate": [0.05, 0.1], "max_leaf_nodes": [4, 8]}


@pytest.mark.parametrize("approach", APPROACHES)
def test_an_approach_trains_quickly_on_a_small_table(small, plan, approach):
    steps = []
    quick = dataclasses.replace(plan, grid=GRID if approach == BOOSTING else None)
    trained = train(small, quick, approach, lambda percent, message: steps.append(percent))
    assert trained.metrics["test_roc_auc"] > (0.7 if approach != RULE else 0.4)
    assert {"validation_roc_auc", "test_calibration_error", "latency_p95_ms"} <= set(
        trained.metrics
    )
    assert all(np.isfinite(value) for value in trained.metrics.values())
    assert trained.params["test_months"] == "2024-09 to 2024-10"
    assert trained.is_savable == (approach != RULE)
    assert steps == sorted(steps)
    assert steps[-1] == 100


def test_the_same_plan_gives_the_same_model(small, plan):
    first, second = (train(small, plan, LOGISTIC) for _ in range(2))
    assert np.array_equal(first.scores, second.scores)
    timed = "latency_p95_ms"
    assert {k: v for k, v in first.metrics.items() if k != timed} == {
        k: v for k, v in second.metrics.items() if k != timed
    }


def test_a_random_split_can_meet_no_test_criterion(small, plan):
    trained = train(small, dataclasses.replace(plan, blocks=None), LOGISTIC)
    assert trained.params["split"] == "random"
    assert "random_roc_auc" in trained.metrics
    assert not any(name.startswith(("test_", "validation_")) for name in trained.metrics)


def test_tuning_reports_each_trial_and_takes_the_best(small, plan):
    trained = train(small, dataclasses.replace(plan, grid=GRID), BOOSTING)
    assert {trial["resource"] for trial in trained.trials} >= {10, 30}
    assert trained.params["learning_rate"] in GRID["learning_rate"]


def test_a_grid_without_rounds_is_halved_by_rows(small, plan):
    trained = train(small, dataclasses.replace(plan, grid={"C": [0.01, 0.1, 1.0]}), LOGISTIC)
    assert trained.params["C"] in {0.01, 0.1, 1.0}
    assert trained.trials


def test_fixed_parameters_are_kept(small, plan):
    trained = train(small, dataclasses.replace(plan, params={"C": 0.5}), LOGISTIC)
    assert trained.params["C"] == 0.5


def test_a_report_that_raises_stops_the_training(small, plan):
    class Cancelled(Exception):
        pass

    def cancel(percent: int, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        train(small, plan, LOGISTIC, cancel)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda frame: frame.drop(columns="income"), "missing_column"),
        (lambda frame: frame.drop(columns="period"), "missing_column"),
        (lambda frame: frame.assign(income="many"), "non_numeric_value"),
        (lambda frame: frame[frame["period"] < "2024-09"], "empty_block"),
    ],
)
def test_rows_that_do_not_fit_the_plan_are_refused(small, plan, change, code):
    with pytest.raises(DataProblem) as caught:
        train(change(small), plan, LOGISTIC)
    assert caught.value.code == code


def test_an_unknown_approach_is_refused(small, plan):
    with pytest.raises(DataProblem) as caught:
        train(small, plan, "deep_magic")
    assert caught.value.code == "unknown_approach"


@pytest.mark.parametrize("approach", [LOGISTIC, BOOSTING])
def test_a_model_survives_the_store_and_odd_rows(small, plan, approach, tmp_path):
    trained = train(small, dataclasses.replace(plan, grid={}), approach)
    store.save_model(trained.estimator, tmp_path)
    loaded = store.load_model(tmp_path)
    assert np.array_equal(positive_scores(loaded, trained.inputs), trained.scores)
    odd = trained.inputs.head(3).assign(kind=["new", None, "a"], income=[np.nan, 1e9, -1e9])
    assert np.isfinite(positive_scores(loaded, odd)).all()


def test_context_is_read_but_changes_no_score(small, plan):
    trained = train(small, plan, LOGISTIC)
    assert "watched" in trained.inputs.columns
    other = trained.inputs.assign(watched=99.0)
    assert np.array_equal(positive_scores(trained.estimator, other), trained.scores)


class Sneaky:
    """A type that nobody listed."""


def test_types_that_are_not_listed_are_neither_saved_nor_loaded(tmp_path):
    import skops.io

    with pytest.raises(DataProblem) as saving:
        store.save_model(Sneaky(), tmp_path)
    (tmp_path / store.MODEL_FILE).write_bytes(skops.io.dumps(Sneaky()))
    with pytest.raises(DataProblem) as loading:
        store.load_model(tmp_path)
    assert saving.value.code == loading.value.code == "untrusted_types"
    assert any(name.endswith("Sneaky") for name in loading.value.details["types"])


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "model_file_missing"),
        ({"model.skops": b"no zip"}, "unreadable_model"),
        ({"MLmodel": b"flavors: {python_function: {}}"}, "model_format"),
        ({"MLmodel": b"flavors: {sklearn: {pickled_model: m.pkl}}"}, "model_format"),
        (
            {
                "MLmodel": b"flavors: {sklearn: {pickled_model: ../m.skops, "
                b"serialization_format: skops}}"
            },
            "model_format",
        ),
    ],
)
def test_directories_without_a_fit_model_are_refused(tmp_path, files, code):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataProblem) as caught:
        store.load_model(tmp_path)
    assert caught.value.code == code


def test_features_survive_an_envelope():
    assert FeatureSet.from_dict(bank.FEATURES.as_dict()) == bank.FEATURES
    assert "euribor3m" not in bank.WITH_EURIBOR.context


def test_inputs_are_wide_numbers_and_plain_texts():
    frame = pd.DataFrame({"n": [1, 2], "c": ["a", None], "w": ["x", "y"]})
    inputs = model_inputs(frame, FeatureSet(("n",), ("c",), ("w",)))
    assert inputs["n"].dtype == np.float64
    assert inputs["c"].tolist() == ["a", None]
    assert list(inputs.columns) == ["n", "c", "w"]


def test_latency_is_measured_on_single_rows(small, plan):
    seen = []

    class Counting:
        def predict_proba(self, inputs):
            seen.append(len(inputs))
            return np.zeros((len(inputs), 2))

    assert latency_p95_ms(Counting(), small) >= 0
    assert set(seen) == {1}


def test_without_a_scheduler_work_stays_here(monkeypatch):
    monkeypatch.delenv("DASK_SCHEDULER", raising=False)
    with fan_out():
        pass


@pytest.fixture(scope="module")
def champion(calls):
    plan = TrainingPlan(bank.FEATURES, bank.TARGET, bank.POSITIVE, bank.BLOCKS)
    return train(calls, plan, LOGISTIC)


def test_the_champion_meets_what_the_scope_asks_for(champion):
    assert champion.metrics["validation_roc_auc"] >= 0.55
    assert champion.metrics["test_roc_auc"] >= 0.58
    assert champion.metrics["test_lift_top_decile"] >= 1.5
    assert champion.metrics["test_calibration_error"] <= 0.08


def test_the_rule_of_today_does_not(calls):
    plan = TrainingPlan(bank.FEATURES, bank.TARGET, bank.POSITIVE, bank.BLOCKS)
    rule = train(calls, plan, RULE)
    assert rule.metrics["validation_roc_auc"] < 0.55
    assert rule.metrics["test_roc_auc"] < 0.58


@pytest.mark.slow
def test_a_random_split_promises_what_time_does_not_keep(calls):
    plan = TrainingPlan(bank.EVERYTHING, bank.TARGET, bank.POSITIVE, None)
    promised = train(calls, plan, LOGISTIC).metrics["random_roc_auc"]
    later = train(calls, dataclasses.replace(plan, blocks=bank.BLOCKS), LOGISTIC)
    assert 0.78 < promised < 0.81
    assert later.metrics["test_roc_auc"] < 0.62


def test_a_candidate_of_the_next_year_beats_the_champion(calls, champion):
    plan = TrainingPlan(bank.FEATURES, bank.TARGET, bank.POSITIVE, bank.RETRAINING)
    candidate = train(calls, plan, LOGISTIC)
    old = positive_scores(champion.estimator, candidate.inputs)
    comparisons = compare(candidate.target, old, candidate.scores)
    assert is_better(comparisons)
    by_name = {one.metric: one for one in comparisons}
    assert by_name["calibration_error"].champion > 0.2
    assert by_name["calibration_error"].challenger < 0.08
    assert by_name["roc_auc"].winner == "challenger"
