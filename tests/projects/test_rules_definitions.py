"""Ready and done by kind: each rule alone, with what it says when it is not met."""

from dataclasses import replace

import pytest

from projects.rules.definitions import (
    GIVEN_UP,
    ItemNow,
    Known,
    KnownRun,
    Sibling,
    done_checks,
    open_reasons,
    ready_checks,
)

METRICS = frozenset({"validation_roc_auc"})
BASELINE = KnownRun("base", "FINISHED", METRICS, is_eligible=True, launched_by="sam")
OWN = KnownRun("own", "FINISHED", METRICS, is_eligible=True, launched_by="sam")
KNOWN = Known(
    criteria=frozenset({"test_roc_auc"}),
    approaches=frozenset({"Gradient boosting"}),
    released=frozenset({"dataset_version:3"}),
    passed_gates=frozenset({"validation"}),
    runs={"base": BASELINE, "own": OWN},
    own_runs=("own",),
    siblings=(Sibling("Rules", "by month", METRICS),),
    readers=frozenset({"mia"}),
)
COMPLETE = {
    "hypothesis": {
        "metric_key": "test_roc_auc",
        "expected_effect": "0.02 more",
        "dataset_ref": "dataset_version:3",
        "criterion_key": "test_roc_auc",
        "effect": "0.03 more",
        "effect_uncertainty": "0.02 to 0.04",
        "changes_to_scope": "None.",
    },
    "experiment": {
        "split": "By  month",
        "metrics": ["validation_roc_auc"],
        "seed_policy": "seed 0",
        "compute_budget_hours": 0,
        "baseline_run": "base",
        "time_box_hours": 8,
        "comparison": "0.04 more",
        "error_analysis": "Misses May.",
        "second_reader": "mia",
    },
    "spike": {
        "question": "Which key?",
        "method": "Join a month.",
        "time_box_hours": 8,
        "evidence": "3 % missing",
        "next_steps": "A story.",
    },
    "data": {"source": "Export", "quality_checks": "None bad", "dataset_ref": "dataset_version:3"},
    "review": {"gate": "validation", "approvers": ["vera"]},
    "finding": {"severity": "high"},
    "story": {
        "flavour": "model",
        "acceptance_criteria": "500 a week",
        "approach": "gradient  boosting",
        "interface": "18 in, 1 out",
        "tests": "42",
        "model_signature": "v3",
        "model_card": "card.md",
        "retrained_by": "mia",
    },
    "task": {},
    "bug": {},
    "epic": {},
}


def item(kind, **changes):
    return ItemNow(kind, {**COMPLETE[kind], **changes}, assignee="sam")


def reasons(kind, known=KNOWN, *, outcome="", **changes):
    """Return the reasons of both definitions."""
    one = item(kind, **changes)
    return open_reasons(ready_checks(one, known)), open_reasons(done_checks(one, known, outcome))


@pytest.mark.parametrize("kind", COMPLETE)
def test_complete_item_is_ready_and_done(kind):
    assert reasons(kind) == ([], [])


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, values in COMPLETE.items() for name in values if name != "flavour"],
)
def test_each_missing_field_is_told_once(kind, name):
    ready, done = reasons(kind, **{name: None})
    said = [reason for reason in ready + done if reason.endswith(": not filled in yet.")]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        ("hypothesis", "dataset_ref", "dataset_version:9", "dataset_version:9 is not passed"),
        ("hypothesis", "criterion_key", "f1", "no criterion f1"),
        ("experiment", "baseline_run", "gone", "no run gone"),
        ("experiment", "split", "at random", "“Rules” splits “by month”"),
        ("experiment", "metrics", ["f1"], "compared on validation_roc_auc"),
        ("story", "approach", "magic", "no approach “magic”"),
    ],
)
def test_what_does_not_fit_the_project_is_not_ready(kind, name, value, words):
    ready, _ = reasons(kind, **{name: value})
    assert len(ready) == 1
    assert words in ready[0]


def test_unfinished_baseline_is_no_baseline():
    known = replace(KNOWN, runs={"base": replace(BASELINE, status="FAILED"), "own": OWN})
    ready, _ = reasons("experiment", known)
    assert ready == ["The baseline run base is FAILED, not FINISHED."]


def test_experiment_that_makes_the_baseline_needs_none():
    changes = {"makes_baseline": True, "baseline_run": None, "comparison": None}
    assert reasons("experiment", **changes) == ([], [])


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (replace(OWN, status="RUNNING"), "still going on"),
        (replace(OWN, status="FAILED"), "No FINISHED run"),
        (replace(OWN, is_eligible=False), "passed its gate"),
        (replace(OWN, metrics=frozenset()), "No finished run has validation_roc_auc"),
    ],
)
def test_experiment_is_done_by_finished_runs_on_released_data(own, words):
    _, done = reasons("experiment", replace(KNOWN, runs={"base": BASELINE, "own": own}))
    assert [reason for reason in done if words in reason]


def test_hypothesis_needs_a_finished_run():
    _, done = reasons("hypothesis", replace(KNOWN, own_runs=()))
    assert done == ["No FINISHED run is linked."]


def test_baseline_without_the_metric_cannot_be_compared_with():
    known = replace(KNOWN, runs={"base": replace(BASELINE, metrics=frozenset()), "own": OWN})
    _, done = reasons("experiment", known)
    assert done == ["The baseline run has no validation_roc_auc."]


@pytest.mark.parametrize(
    ("reader", "words"),
    [("sam", "someone else"), ("rita", "has not commented")],
)
def test_second_reader_is_someone_else_who_commented(reader, words):
    _, done = reasons(
        "experiment", replace(KNOWN, readers=frozenset({"sam"})), second_reader=reader
    )
    assert len(done) == 1
    assert words in done[0]


def test_second_reader_did_not_launch_a_run_of_somebody_elses_item():
    known = replace(KNOWN, runs={"base": BASELINE, "own": replace(OWN, launched_by="mia")})
    _, done = reasons("experiment", known)
    assert "mia did the work" in done[0]


def test_run_without_a_commit_only_warns():
    known = replace(KNOWN, runs={"base": BASELINE, "own": replace(OWN, has_commit=False)})
    checks = done_checks(item("experiment"), known)
    assert not open_reasons(checks)
    assert [check.code for check in checks if check.reason] == ["commit_logged"]


def test_model_is_trained_again_by_another():
    assert "another person" in reasons("story", retrained_by="sam")[1][0]


def test_data_story_waits_for_access():
    values = {
        "flavour": "data",
        "data_owner": "Dora",
        "lawful_basis": "consent",
        "access": "requested",
    }
    assert reasons("story", **values)[0] == ["Access is requested, not granted."]


def test_deployment_story_waits_for_its_gate():
    values = {"flavour": "deployment", "gate": "deployment", "rollback_plan": "alias back"}
    assert reasons("story", **values)[0] == ["The gate deployment has no approval that stands."]


def test_review_is_approved_by_its_gate_and_rejected_without():
    closed = replace(KNOWN, passed_gates=frozenset())
    assert reasons("review", closed, outcome="approved")[1]
    assert not reasons("review", closed, outcome="rejected")[1]


def test_open_dependency_warns_at_the_start_and_stops_the_end():
    known = replace(KNOWN, open_dependencies=("Join",))
    ready, done = reasons("task", known)
    assert (ready, done) == ([], ["Not finished: “Join”."])
    warned = [check for check in ready_checks(item("task"), known) if check.reason]
    assert [check.only_warns for check in warned] == [True]


def test_epic_ends_after_its_children():
    assert reasons("epic", replace(KNOWN, open_children=("Join",)))[1] == ["Open: “Join”."]


@pytest.mark.parametrize("outcome", sorted(GIVEN_UP))
def test_nothing_is_asked_of_what_was_given_up(outcome):
    assert not done_checks(ItemNow("experiment", {}), Known(), outcome)
