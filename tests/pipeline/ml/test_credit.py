"""German credit: its columns, the cost of its errors, and how its protected groups fare."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.ml import credit, training

RAW = (Path(__file__).resolve().parents[3] / "fixtures" / "german.data").read_bytes()


@pytest.fixture(scope="module")
def frame():
    return credit.read(RAW)


def test_the_fixture_is_the_published_file():
    digest = "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871"
    assert hashlib.sha256(RAW).hexdigest() == digest


def test_the_header_names_every_column(frame):
    assert tuple(frame.columns) == credit.COLUMNS
    assert len(frame) == 1_000
    assert (frame[credit.TARGET] == int(credit.POSITIVE)).sum() == 300


def test_no_protected_column_is_learned_from():
    assert not set(credit.PROTECTED) & set(credit.FEATURES.used)
    assert set(credit.PROTECTED) <= set(credit.FEATURES.inputs)


def test_a_missed_bad_credit_costs_five_refused_good_ones():
    target = np.array([1, 0, 0, 0])
    assert credit.cost_per_100(target, np.array([0.1, 0.1, 0.1, 0.1])) == 125.0
    assert credit.cost_per_100(target, np.array([0.9, 0.9, 0.1, 0.1])) == 25.0
    assert credit.cost_per_100(target, np.array([0.9, 0.1, 0.1, 0.1])) == 0.0


def test_the_limit_is_where_both_errors_cost_the_same():
    target = np.array([0, 0])
    assert credit.cost_per_100(target, np.array([1 / 6, 1 / 6 - 1e-9])) == 50.0


def test_every_applicant_is_in_one_group_of_each_kind(frame):
    groups = credit.slices(frame)
    assert (groups["sex=female"] ^ groups["sex=male"]).all()
    assert (groups["age=young"] ^ groups["age=older"]).all()
    assert groups["sex=female"].sum() == 310


def test_a_group_with_one_outcome_is_not_ranked():
    people = pd.DataFrame({"personal_status": ["A92", "A92", "A93", "A93"], "age": [30] * 4})
    found = credit.slice_auc(people, np.array([1, 1, 0, 1]), np.array([0.4, 0.5, 0.2, 0.9]))
    assert found == {"sex=male": 1.0, "age=older": 1.0}


def test_an_unordered_table_is_tested_on_a_holdout_that_criteria_can_name(frame):
    plan = training.TrainingPlan(
        features=credit.FEATURES,
        target=credit.TARGET,
        positive=credit.POSITIVE,
        blocks=None,
        is_unordered=True,
        grid={},
    )
    trained = training.train(frame, plan, training.LOGISTIC)
    assert trained.params["split"] == "holdout"
    assert {"validation_roc_auc", "test_roc_auc"} <= set(trained.metrics)
    assert trained.metrics["test_rows"] == 200
    assert trained.metrics["test_roc_auc"] > 0.7
