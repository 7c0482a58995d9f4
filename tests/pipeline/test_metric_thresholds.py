"""What is exported is what MLflow's own constructor takes, and MLflow judges alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.rules.criteria import CriterionSpec, judge, spec_of
from projects.rules.criterion_facts import CriterionFacts
from projects.rules.metric_thresholds import criterion_row, export_thresholds, problems_of
from tests.factories import scope_content_of

mlflow_validation = pytest.importorskip("mlflow.models.evaluation.validation")
from mlflow.models import MetricThreshold  # noqa: E402 - after the skip

anything = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.floats(-2, 2), st.sampled_from(["1", [1]])
)


def test_the_shipped_scope_is_taken_by_mlflow():
    content = scope_content_of()
    exported = export_thresholds(map(spec_of, content["criteria"]), {})
    taken = {name: MetricThreshold(**one) for name, one in exported.thresholds.items()}
    assert taken["test_roc_auc"].threshold == 0.58
    assert taken["latency_p95_ms"].greater_is_better is False
    assert [note.key for note in exported.not_expressed] == ["shows-a-signal"]


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "threshold": anything,
            "min_absolute_change": anything,
            "min_relative_change": anything,
            "greater_is_better": anything,
        },
    )
)
def test_mlflow_takes_whatever_passes_here(arguments):
    if problems_of("m", arguments, has_baseline=True):
        return
    row = criterion_row("m", arguments, baseline="b", key="m")
    exported = export_thresholds([spec_of(row)], {"b": {"m": 1.0}})
    MetricThreshold(**exported.thresholds["m"])


@settings(max_examples=200)
@given(st.floats(-2, 2), st.floats(-2, 2).filter(lambda base: abs(base) > 1e-6))
def test_mlflow_and_the_criterion_agree(value, base):
    criterion = CriterionSpec(
        "c", "m", greater_is_better=True, threshold=0.25, min_absolute_change=0.5, baseline="b"
    )
    baselines = {"b": {"m": base}}
    exported = export_thresholds([criterion], baselines)
    thresholds = {name: MetricThreshold(**one) for name, one in exported.thresholds.items()}
    found = judge(criterion, CriterionFacts(metrics={"m": value}, baselines=baselines))
    if abs(value - max(0.25, base + 0.5)) < 1e-9:
        return
    try:
        mlflow_validation._validate(thresholds, {"m": value}, {"m": base})
    except mlflow_validation.ModelValidationFailedException:
        assert not found.is_pass
    else:
        assert found.is_pass
