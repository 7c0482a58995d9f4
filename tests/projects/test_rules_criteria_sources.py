"""The whole criterion: sources, slices, bounds, seeds, test uses, levels and dates."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules import criteria as rules
from projects.rules.criteria import CriterionSpec, judge, judge_all, spec_of
from projects.rules.criterion_facts import CriterionFacts
from tests.projects.strategies import facts, rows

RECALL = CriterionSpec("recall", "test_recall", greater_is_better=True, threshold=0.5)


@pytest.mark.parametrize(
    ("source", "key", "found", "state"),
    [
        ("param", "depth", {"params": {"depth": "4"}}, "pass"),
        ("param", "depth", {"params": {"depth": "0.1"}}, "fail"),
        ("param", "depth", {"params": {"depth": "deep"}}, "error"),
        ("param", "depth", {"params": {"depth": "nan"}}, "error"),
        ("param", "depth", {"metrics": {"depth": 4}}, "missing"),
        ("tag", "reviewed", {"tags": {"reviewed": "true"}}, "pass"),
        ("tag", "reviewed", {"tags": {"reviewed": "false"}}, "fail"),
        ("artifact", "plots/roc.svg", {"artifacts": {"plots/roc.svg": 812}}, "pass"),
        ("artifact", "plots/roc.svg", {"artifacts": {"plots/roc.svg": 0}}, "missing"),
        ("artifact", "plots/roc.svg", {"artifacts": {}}, "missing"),
        ("dataset", "row_count", {"dataset": {"row_count": 900}}, "pass"),
        ("monitoring", "psi", {"monitoring": {"psi": 0.7}}, "pass"),
        ("attestation", "", {"attestations": {"recall": True}}, "pass"),
        ("attestation", "", {"attestations": {"recall": False}}, "fail"),
        ("attestation", "", {"attestations": {"other": True}}, "missing"),
        ("attestation", "", {"attestations": {"recall": "yes"}}, "error"),
    ],
)
def test_each_source_is_looked_up_in_its_own_place(source, key, found, state):
    criterion = replace(RECALL, source=source, metric_key=key)
    result = judge(criterion, CriterionFacts(**found))
    assert (result.state, result.is_pass) == (state, state == "pass")


def test_slice_is_a_metric_of_its_own():
    north = replace(RECALL, slice="region=north")
    metrics = {"test_recall": 0.9, "test_recall/region/north": 0.4}
    result = judge(north, CriterionFacts(metrics=metrics))
    assert (result.state, result.value) == ("fail", 0.4)
    assert judge(north, CriterionFacts(metrics={"test_recall": 0.9})).state == "missing"


def test_worst_slice_decides_and_no_slice_is_missing():
    every = replace(RECALL, slice="all_slices:region")
    metrics = {"test_recall/region/north": 0.8, "test_recall/region/south": 0.3}
    result = judge(every, CriterionFacts(metrics=metrics))
    assert (result.state, result.value) == ("fail", 0.3)
    assert "test_recall/region/south" in result.sentence
    assert judge(every, CriterionFacts(metrics={"test_recall": 0.9})).state == "missing"


def test_gap_to_the_whole_is_measured_within_the_same_run():
    gap = replace(
        RECALL,
        threshold=None,
        max_absolute_drop=0.08,
        baseline="same_run:test_recall",
        slice="all_slices:region",
    )
    metrics = {"test_recall": 0.7, "test_recall/region/north": 0.65}
    assert judge(gap, CriterionFacts(metrics=metrics)).is_pass
    worse = {**metrics, "test_recall/region/south": 0.6}
    assert judge(gap, CriterionFacts(metrics=worse)).state == "fail"
    without = {"test_recall/region/north": 0.65}
    assert judge(gap, CriterionFacts(metrics=without)).state == "missing"


def test_champion_is_the_model_that_serves_now():
    gain = replace(RECALL, threshold=None, min_absolute_change=0.0, baseline="champion")
    own = {"test_recall": 0.6}
    assert judge(gain, CriterionFacts(metrics=own, champion={"test_recall": 0.5})).is_pass
    assert judge(gain, CriterionFacts(metrics=own, champion={"test_recall": 0.7})).state == "fail"
    assert judge(gain, CriterionFacts(metrics=own)).state == "missing"
    row = {"champion": {"test_recall": 0.5}}
    assert judge(gain, CriterionFacts(metrics=own, baselines=row)).is_pass


def test_confidence_bound_is_compared_and_never_helps():
    bounded = replace(RECALL, confidence_key="test_recall_ci_low")
    low = {"test_recall": 0.6, "test_recall_ci_low": 0.45}
    result = judge(bounded, CriterionFacts(metrics=low))
    assert (result.state, result.value, result.compared) == ("fail", 0.6, 0.45)
    high = {"test_recall": 0.45, "test_recall_ci_low": 0.6}
    assert judge(bounded, CriterionFacts(metrics=high)).state == "fail"
    assert judge(bounded, CriterionFacts(metrics={"test_recall": 0.6})).state == "missing"


@pytest.mark.parametrize(
    ("aggregate", "state", "value"),
    [("last", "pass", 0.6), ("best", "pass", 0.7), ("mean", "fail", 0.5), ("min", "fail", 0.2)],
)
def test_seeds_are_taken_together_as_the_criterion_says(aggregate, state, value):
    runs = [{"test_recall": number} for number in (0.7, 0.2, 0.6)]
    over = replace(RECALL, aggregate=aggregate, min_runs=3, threshold=0.55)
    result = judge(over, CriterionFacts(metrics=runs[-1], seed_runs=runs))
    assert (result.state, result.value) == (state, pytest.approx(value))


def test_worst_of_a_metric_that_shall_fall_is_the_largest():
    runs = [{"ms": 80.0}, {"ms": 120.0}]
    latency = CriterionSpec("fast", "ms", greater_is_better=False, threshold=100, aggregate="min")
    assert judge(latency, CriterionFacts(metrics=runs[0], seed_runs=runs)).value == 120.0


def test_too_few_seeds_are_missing():
    over = replace(RECALL, min_runs=2)
    runs = [{"test_recall": 0.9}, {"other": 1.0}]
    result = judge(over, CriterionFacts(metrics=runs[0], seed_runs=runs))
    assert result.state == "missing"
    assert "1 seeds" in result.sentence


@pytest.mark.parametrize(("uses", "state"), [(3, "pass"), (4, "fail"), (None, "missing")])
def test_tuning_on_the_test_data_fails(uses, state):
    limited = replace(RECALL, test_use_limit=3)
    found = CriterionFacts(metrics={"test_recall": 0.9}, test_uses=uses)
    assert judge(limited, found).state == state


def test_other_data_than_the_agreed_is_a_mismatch():
    tied = replace(RECALL, dataset_ref="dataset_version:1")
    own = {"test_recall": 0.9}
    fits = CriterionFacts(metrics=own, dataset_refs=frozenset({"dataset_version:1"}))
    assert judge(tied, fits).is_pass
    for refs in (frozenset({"dataset_version:2"}), frozenset()):
        assert judge(tied, replace(fits, dataset_refs=refs)).state == "mismatch"


def test_numbers_older_than_the_subject_are_stale():
    old = CriterionFacts(metrics={"test_recall": 0.9}, stale={"metric": "the run has moved."})
    assert judge(RECALL, old).state == "stale"
    assert judge(RECALL, replace(old, stale={"*": "the run has moved."})).state == "stale"
    assert judge(RECALL, replace(old, stale={"monitoring": "a year old."})).is_pass


@pytest.mark.parametrize(
    ("changes", "found", "blocking"),
    [
        ({}, {}, True),
        ({"level": "guardrail"}, {}, True),
        ({"level": "should"}, {}, False),
        ({"is_blocking": False}, {}, False),
        ({"level": "kill", "by_date": "2026-05-01"}, {"today": date(2026, 4, 30)}, False),
        ({"level": "kill", "by_date": "2026-05-01"}, {"today": date(2026, 5, 1)}, True),
        ({"level": "kill", "by_date": date(2026, 5, 1)}, {}, True),
        ({"level": "kill", "by_sprint": 3}, {"sprints_ended": 2}, False),
        ({"level": "kill", "by_sprint": 3}, {"sprints_ended": 3}, True),
        ({"level": "kill", "by_sprint": 3}, {}, True),
    ],
)
def test_level_and_date_decide_what_blocks(changes, found, blocking):
    result = judge(replace(RECALL, **changes), CriterionFacts(**found))
    assert (result.state, result.is_blocking) == ("missing", blocking)


def test_should_is_shown_and_blocks_nothing():
    should = replace(RECALL, key="nice", level="should", threshold=0.99)
    verdict = judge_all([RECALL, should], CriterionFacts(metrics={"test_recall": 0.9}))
    assert verdict.is_pass
    assert [result.state for result in verdict.results] == ["pass", "fail"]
    assert not judge_all([should], CriterionFacts(metrics={"test_recall": 1.0})).is_pass


@given(rows(), facts(), st.sampled_from([math.nan, math.inf, -math.inf, "0.9", True, [1], None]))
def test_no_number_never_passes_whatever_else_holds(row, found, value):
    broken = replace(
        found,
        metrics={**found.metrics, "m": value},
        seed_runs=[*found.seed_runs[:-1], {**found.metrics, "m": value}],
    )
    assert not judge(spec_of(row), broken).is_pass


@given(rows(), facts(), st.sampled_from([math.nan, math.inf, None]))
def test_a_broken_bound_never_passes(row, found, value):
    row["confidence_key"] = "m_bound"
    broken = {**found.metrics, "m_bound": value}
    seeds = [*found.seed_runs[:-1], broken]
    assert not judge(spec_of(row), replace(found, metrics=broken, seed_runs=seeds)).is_pass


@given(rows(), facts())
def test_stale_or_foreign_numbers_never_pass(row, found):
    assert judge(spec_of(row), replace(found, stale={"*": "old."})).state in {"stale", "mismatch"}
    assert judge(spec_of(row), replace(found, mismatch="not its run.")).state == "mismatch"


@given(rows(), facts())
def test_every_state_is_declared_and_every_result_says_why(row, found):
    result = judge(spec_of(row), found)
    assert result.state in rules.STATES
    assert result.sentence.endswith(".")
    assert result.is_pass == (result.state in rules.COUNTING)
