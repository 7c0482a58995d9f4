"""The check of criteria: what it reads of the subject, and what it stores of each result."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.rules.checks import EvidenceFact
from projects.rules.criteria import EVALUATOR
from tests.governance.check_facts import (
    GOOD,
    NOW,
    STARTED,
    criterion,
    judge_requirement,
    rule,
    scope,
    with_attributes,
)


def judged(context):
    return {one.key: one for one in judge_requirement(rule("criteria_met"), context)}


def with_criterion(context=GOOD, **changes):
    return replace(context, scope=scope(criterion(**changes)))


def attested(at, **data):
    evidence = EvidenceFact("attestation", "Word given", at, {"criterion": "auc", **data})
    return replace(GOOD, evidence=(evidence,), scope=scope(criterion(source="attestation")))


def test_every_result_stores_what_was_compared_with_what_and_by_whom():
    context = replace(
        with_attributes(
            run_id="r1",
            criterion_facts={"dataset_digest": "d" * 64},
        ),
        metrics={"test_auc": 0.9, "test_auc_low": 0.75},
        scope=scope(criterion(confidence_key="test_auc_low")),
    )
    detail = judged(context)["key.auc"].detail
    compared = detail["compared"]
    assert (compared["value"], compared["compared"], compared["threshold"]) == (0.9, 0.75, 0.7)
    assert (compared["run_id"], compared["dataset_digest"]) == ("r1", "d" * 64)
    assert compared["evaluator"] == EVALUATOR
    sources = [(source["ref"], source["digest"]) for source in detail["source"]]
    assert sources == [("run:r1", "9" * 64), ("dataset_version:1", "d" * 64)]
    assert detail["evaluated_at"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"holds": True}, "pass"),
        ({"holds": False}, "fail"),
        ({"value": 0.8}, "pass"),
        ({"value": float("nan")}, "error"),
        ({}, "missing"),
    ],
)
def test_somebodys_word_counts_as_far_as_it_goes(data, outcome):
    assert judged(attested(NOW, **data))["key.auc"].outcome == outcome


def test_word_given_before_the_run_is_stale():
    before = attested(STARTED - timedelta(days=1), holds=True)
    assert judged(before)["key.auc"].outcome == "stale"


def test_newest_word_counts():
    first, second = (
        EvidenceFact("attestation", "", NOW - timedelta(hours=age), {"criterion": "auc", **data})
        for age, data in ((2, {"holds": True}), (1, {"holds": False}))
    )
    context = replace(attested(NOW), evidence=(second, first))
    assert judged(context)["key.auc"].outcome == "fail"


def test_numbers_of_a_run_that_moved_since_it_was_bound_are_stale():
    moved = replace(GOOD, bound={"run": "a" * 64}, bindings={"run": "b" * 64})
    assert judged(moved)["key.auc"].outcome == "stale"
    added = replace(GOOD, bound={}, bindings={"run": "b" * 64})
    assert judged(added)["key.auc"].outcome == "pass"


def test_report_that_should_have_a_successor_is_stale():
    def reported(days):
        end = NOW - timedelta(days=days)
        report = {
            "numbers": {"roc_auc": 0.8},
            "window_start": (end - timedelta(days=30)).isoformat(),
            "window_end": end.isoformat(),
        }
        context = with_attributes(criterion_facts={"monitoring": report})
        return with_criterion(context, source="monitoring", metric_key="roc_auc")

    assert judged(reported(59))["key.auc"].outcome == "pass"
    assert judged(reported(61))["key.auc"].outcome == "stale"


def test_other_data_is_a_mismatch():
    wanted = with_criterion(dataset_ref="dataset_version:9")
    assert judged(wanted)["key.auc"].outcome == "mismatch"
    assert judged(with_criterion(dataset_ref="dataset_version:1"))["key.auc"].outcome == "pass"


def test_champion_is_compared_by_what_it_was_approved_with():
    gain = with_criterion(baseline="champion", min_absolute_change=0.05)
    assert judged(gain)["key.auc"].outcome == "missing"
    weak = replace(gain, champion_metrics={"test_auc": 0.7})
    assert judged(weak)["key.auc"].outcome == "pass"
    assert judged(replace(gain, champion_metrics={"test_auc": 0.79}))["key.auc"].outcome == "fail"


def test_kill_by_sprint_blocks_once_that_sprint_has_ended():
    kill = replace(with_criterion(level="kill", by_sprint=2), metrics={"test_auc": 0.1})
    early = judged(replace(kill, sprints_ended=1))["key.auc"]
    assert (early.outcome, early.is_blocking) == ("fail", False)
    assert "the end of sprint 2" in early.message
    assert judged(replace(kill, sprints_ended=2))["key.auc"].is_blocking


def test_criteria_that_only_inform_decide_nothing_and_block():
    should = judged(with_criterion(level="should"))
    assert should["key.auc"].outcome == "pass"
    assert not should["key.gate.deciding"].holds
    both = replace(GOOD, scope=scope(criterion(), criterion("nice", level="should", threshold=2)))
    assert [one.holds for one in judge_requirement(rule("criteria_met"), both)] == [True, True]
