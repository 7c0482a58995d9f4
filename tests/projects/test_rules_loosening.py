"""Loosening: named for every field that can loosen, and never missed by what is not flagged."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.criteria import CriterionSpec, judge, spec_of
from projects.rules.loosening import (
    LOOSENED,
    NEUTRAL,
    TIGHTENED,
    WORDS,
    compare_criteria,
    is_loosened,
    verdict_of,
)
from tests.projects.strategies import CONDITIONS, facts, rows

ROW: dict[str, Any] = {
    "key": "recall",
    "title": "Finds most of them",
    "level": "must",
    "source": "metric",
    "metric_key": "test_recall",
    "greater_is_better": True,
    "threshold": 0.5,
    "min_absolute_change": 0.05,
    "min_relative_change": 0.1,
    "max_absolute_drop": 0.05,
    "max_relative_drop": 0.1,
    "baseline": "rules",
    "dataset_role": "test",
    "dataset_ref": "dataset_version:1",
    "slice": "all_slices:region",
    "aggregate": "mean",
    "min_runs": 3,
    "confidence_key": "test_recall_ci_low",
    "test_use_limit": 5,
    "gates": ["validation", "release"],
    "is_blocking": True,
    "by_date": "2026-05-01",
    "by_sprint": 3,
    "rationale": "Because.",
}
LOWER = {**ROW, "greater_is_better": False}

LOOSER = [
    (ROW, {"threshold": 0.4}),
    (ROW, {"threshold": None}),
    (LOWER, {"threshold": 0.6}),
    (ROW, {"min_absolute_change": 0.04}),
    (ROW, {"min_absolute_change": None}),
    (ROW, {"min_relative_change": 0.09}),
    (ROW, {"min_relative_change": None}),
    (ROW, {"max_absolute_drop": 0.06}),
    (ROW, {"max_absolute_drop": None}),
    (ROW, {"max_relative_drop": 0.2}),
    (ROW, {"max_relative_drop": None}),
    (ROW, {"level": "should"}),
    (ROW, {"level": "kill"}),
    (ROW, {"is_blocking": False}),
    (ROW, {"gates": ["validation"]}),
    (ROW, {"gates": ["validation", "other"]}),
    (ROW, {"dataset_role": "validation"}),
    (ROW, {"dataset_ref": ""}),
    (ROW, {"dataset_ref": "dataset_version:2"}),
    (ROW, {"confidence_key": ""}),
    (ROW, {"confidence_key": "test_recall_ci_high"}),
    (ROW, {"min_runs": 2}),
    (ROW, {"aggregate": "best"}),
    (ROW, {"aggregate": "last"}),
    (ROW, {"test_use_limit": 6}),
    (ROW, {"test_use_limit": None}),
    (ROW, {"slice": ""}),
    (ROW, {"slice": "region=north"}),
    (ROW, {"by_date": "2026-05-02"}),
    (ROW, {"by_date": None}),
    (ROW, {"by_sprint": 4}),
    (ROW, {"metric_key": "test_precision"}),
    (ROW, {"source": "attestation"}),
    (ROW, {"greater_is_better": False}),
    (ROW, {"baseline": "champion"}),
]
HARDER = [
    (ROW, {"threshold": 0.6}),
    (LOWER, {"threshold": 0.4}),
    ({**ROW, "threshold": None}, {"threshold": 0.1}),
    (ROW, {"min_absolute_change": 0.06}),
    (ROW, {"max_absolute_drop": 0.01}),
    ({**ROW, "level": "should"}, {"level": "must"}),
    ({**ROW, "is_blocking": False}, {"is_blocking": True}),
    (ROW, {"gates": ["validation", "release", "data"]}),
    ({**ROW, "dataset_ref": ""}, {"dataset_ref": "dataset_version:1"}),
    ({**ROW, "confidence_key": ""}, {"confidence_key": "test_recall_ci_low"}),
    (ROW, {"min_runs": 4}),
    (ROW, {"aggregate": "min"}),
    (ROW, {"test_use_limit": 4}),
    (ROW, {"by_date": "2026-04-30"}),
    (ROW, {"by_sprint": 2}),
]
EQUAL = [
    (ROW, {"title": "Finds nearly all", "rationale": "It was always so."}),
    (ROW, {"level": "guardrail"}),
    (ROW, {"gates": ["release", "validation"]}),
]


@pytest.mark.parametrize(("row", "change"), LOOSER, ids=str)
def test_loosening_is_detected(row, change):
    changes = compare_criteria(row, {**row, **change})
    assert [one.field for one in changes] == list(change)
    assert verdict_of(changes) == LOOSENED
    assert is_loosened(row, {**row, **change})


@pytest.mark.parametrize(("row", "change"), HARDER, ids=str)
def test_tightening_is_no_loosening(row, change):
    assert verdict_of(compare_criteria(row, {**row, **change})) == TIGHTENED
    assert not is_loosened(row, {**row, **change})


@pytest.mark.parametrize(("row", "change"), EQUAL, ids=str)
def test_words_and_order_change_nothing(row, change):
    assert verdict_of(compare_criteria(row, {**row, **change})) == NEUTRAL


def test_every_field_that_can_loosen_is_tried():
    tried = {name for _, change in LOOSER for name in change}
    known = set(CriterionSpec.__dataclass_fields__) | {"gates"}
    assert tried == known - WORDS


def test_removing_loosens_and_adding_does_not():
    assert is_loosened(ROW, None)
    assert not is_loosened(None, ROW)


@pytest.mark.parametrize(
    ("row", "before", "after", "verdict"),
    [
        (ROW, 0.5, 0.4, LOOSENED),
        (ROW, 0.5, 0.6, TIGHTENED),
        (LOWER, 0.5, 0.6, LOOSENED),
        (LOWER, 0.5, 0.4, TIGHTENED),
        (ROW, None, 0.4, LOOSENED),
        (ROW, 0.5, None, NEUTRAL),
    ],
)
def test_a_moved_baseline_moves_what_is_measured_from_it(row, before, after, verdict):
    changes = compare_criteria(
        row,
        row,
        baselines_before={"rules": {"test_recall": before}},
        baselines_after={"rules": {"test_recall": after}},
    )
    assert [(one.field, one.verdict) for one in changes] == [("baseline_value", verdict)]


def test_a_baseline_that_nothing_is_measured_from_may_move():
    alone = {**ROW, **dict.fromkeys(CONDITIONS, None), "threshold": 0.5}
    moved = {"baselines_before": {"rules": {"test_recall": 0.5}}, "baselines_after": {}}
    assert compare_criteria(alone, alone, **moved) == []
    assert verdict_of(compare_criteria(alone, {**alone, "baseline": "champion"})) == NEUTRAL


COMPARABLE = (*CONDITIONS, "aggregate", "min_runs", "confidence_key", "test_use_limit",
              "dataset_ref", "baseline", "greater_is_better", "level")  # fmt: skip


@given(rows(), rows(), st.sets(st.sampled_from(COMPARABLE), min_size=1, max_size=3), facts())
def test_what_is_not_loosened_passes_nothing_new(before, other, names, found):
    after = {**before, **{name: other[name] for name in names}}
    if is_loosened(before, after):
        return
    if judge(spec_of(after), found).is_pass:
        assert judge(spec_of(before), found).is_pass


@given(rows(), facts(), st.floats(-50, 50), st.floats(-50, 50))
def test_a_baseline_that_is_not_loosened_passes_nothing_new(row, found, was, now):
    row = {**row, "baseline": "b"}
    before, after = {"b": {"m": was}}, {"b": {"m": now}}
    if is_loosened(row, row, baselines_before=before, baselines_after=after):
        return
    if judge(spec_of(row), replace(found, baselines=after)).is_pass:
        assert judge(spec_of(row), replace(found, baselines=before)).is_pass


@given(rows())
def test_the_same_criterion_is_not_loosened(row):
    assert compare_criteria(row, dict(row)) == []
