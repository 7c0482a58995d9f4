from dataclasses import dataclass
from math import nan

import pytest

from pipeline.ml.metrics import METRICS
from pipeline.rules.monitoring import LOWER_IS_BETTER, Limits, breaches, is_enough, is_worse


@dataclass(frozen=True)
class Seen:
    feature: str
    psi: float = 0.0
    missing_rate: float = 0.0
    reference_missing_rate: float = 0.0


LIMITS = Limits(psi=0.2, performance={"roc_auc": 0.58, "calibration_error": 0.08})
FINE = {"roc_auc": 0.6, "calibration_error": 0.02}


def test_a_window_within_its_limits_breaches_nothing():
    assert breaches(LIMITS, [Seen("age", 0.2)], FINE) == []


def test_each_broken_limit_is_a_sentence_that_names_what_broke():
    seen = [Seen("contact", 0.7), Seen("age", 0.1), Seen("euribor3m", 8.1)]
    found = breaches(LIMITS, seen, {"roc_auc": 0.61, "calibration_error": 0.233})
    assert [(one.kind, one.name) for one in found] == [
        ("performance", "calibration_error"),
        ("drift", "euribor3m"),
        ("drift", "contact"),
    ]
    assert found[0].sentence == (
        "calibration_error on late labels is 0.233; the monitor asks for at most 0.08."
    )
    assert found[1].sentence == (
        "euribor3m has drifted: its population stability index is 8.10, the limit is 0.2."
    )


def test_labels_that_have_not_come_are_no_breach():
    assert breaches(LIMITS, [], {}) == []


def test_a_metric_that_is_not_a_number_is_a_breach():
    assert [one.name for one in breaches(LIMITS, [], {**FINE, "roc_auc": nan})] == ["roc_auc"]


def test_drift_that_is_not_a_number_is_a_breach():
    assert [one.name for one in breaches(LIMITS, [Seen("age", nan)], FINE)] == ["age"]


def test_cells_that_went_missing_are_a_breach():
    found = breaches(LIMITS, [Seen("age", 0.0, missing_rate=0.3)], FINE)
    assert [(one.kind, one.name) for one in found] == [("missing", "age")]
    assert "30.0%" in found[0].sentence
    assert breaches(LIMITS, [Seen("age", 0.0, 0.3, 0.25)], FINE) == []


@pytest.mark.parametrize(
    ("metric", "value", "limit", "worse"),
    [
        ("roc_auc", 0.59, 0.6, True),
        ("roc_auc", 0.6, 0.6, False),
        ("brier", 0.3, 0.2, True),
        ("brier", 0.1, 0.2, False),
    ],
)
def test_limits_know_the_good_side_of_a_metric(metric, value, limit, worse):
    assert is_worse(metric, value, limit) == worse


def test_every_metric_has_a_direction():
    assert {"log_loss", "brier", "calibration_error"} == LOWER_IS_BETTER & set(METRICS)


def test_a_window_needs_enough_rows():
    assert not is_enough(Limits(min_rows=200), 199)
    assert is_enough(Limits(min_rows=200), 200)
