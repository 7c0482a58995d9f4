"""Checks: what each one misses, and in which words it says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.rules.checks import (
    ApprovalFact,
    DatasetFact,
    EvidenceFact,
    FindingFact,
    WaiverFact,
    WorkFact,
)
from governance.rules.families.evidence import CARD_SECTIONS
from governance.rules.requirements import (
    judge_requirement,
)
from tests.governance.check_facts import (
    GOOD,
    NOW,
    criterion,
    outcomes,
    rule,
    scope,
    with_attributes,
)


@pytest.mark.parametrize(
    ("check", "changes", "outcome", "words"),
    [
        ("scope_ready", {"blockers": ["No baseline."]}, "fail", "No baseline."),
        ("scope_ready", {"readiness_score": 74}, "fail", "74; this tier needs 75"),
        ("run_finished", {"run_status": "RUNNING"}, "fail", "RUNNING"),
        ("commit_recorded", {"commit_dirty": True}, "fail", "without being committed"),
        ("commit_recorded", {"commit": ""}, "missing", "no commit"),
        ("signature_present", {"signature": False}, "missing", "no signature"),
        ("dataset_logged", {"dataset_refs": []}, "missing", "no registered dataset"),
        ("format_safe", {"format_problem": "A pickle."}, "fail", "A pickle."),
        (
            "datasheet_complete",
            {"datasheet": {"motivation": " "}},
            "missing",
            "motivation, composition",
        ),
        ("leaks_excluded", {"leaks": ["age"]}, "fail", "The scope uses age"),
        ("leaks_excluded", {"leaks": []}, "fail", "does not mark it"),
        ("policy_parses", {"parses": False}, "fail", "no policy"),
        ("seed_recorded", {"seed": None}, "missing", "log the parameter seed"),
        ("monitoring_live", {"monitors": []}, "missing", "No active monitor"),
        (
            "monitoring_live",
            {"monitors": [{"ref": "monitor:1", "last_report_at": None}]},
            "missing",
            "has not reported",
        ),
        (
            "monitoring_live",
            {"monitors": [{"ref": "monitor:1", "last_report_at": "2026-10-01T00:00:00+00:00"}]},
            "stale",
            "53 days old; 30 at most",
        ),
        ("time_boxes_closed", {"open_time_boxes": ["Spike 3"]}, "fail", "Still open: Spike 3."),
        ("decision_recorded", {"decision": " "}, "missing", "No decision"),
        ("decision_recorded", {"decision_matrix": False}, "missing", "holds no scores"),
    ],
)
def test_each_check_says_what_it_misses(check, changes, outcome, words):
    (one,) = judge_requirement(rule(check), with_attributes(**changes))
    assert one.outcome == outcome
    assert words in one.message


def test_a_dirty_commit_passes_where_the_policy_allows_it():
    assert outcomes("commit_recorded", with_attributes(commit_dirty=True), allow_dirty=True) == [
        "pass"
    ]


def test_changed_files_are_a_mismatch():
    changed = replace(GOOD, bindings={"model_files": "e" * 64})
    assert outcomes("files_unchanged", changed) == ["mismatch"]


def test_data_that_did_not_pass_its_gate_is_named():
    refused = DatasetFact("dataset_version:2", "extra v1", is_approved=False, reason="open.")
    (one,) = judge_requirement(
        rule("dataset_approved"), replace(GOOD, datasets=(*GOOD.datasets, refused))
    )
    assert (one.outcome, one.message) == ("fail", "extra v1: open.")


@pytest.mark.parametrize(
    ("severity", "asked", "outcome"),
    [
        ("medium", "high", "pass"),
        ("high", "high", "fail"),
        ("critical", "high", "fail"),
        ("low", "low", "fail"),
    ],
)
def test_findings_count_from_the_severity_that_the_policy_names(severity, asked, outcome):
    context = replace(GOOD, findings=(FindingFact("Leak", severity, "resolved"),))
    assert outcomes("no_open_findings", context, severity=asked) == [outcome]


def test_evidence_grows_old():
    assert outcomes("evidence_present", GOOD, kind="model_card", max_age_days=5) == ["pass"]
    assert outcomes("evidence_present", GOOD, kind="model_card", max_age_days=4) == ["stale"]


def test_any_of_several_kinds_of_evidence_will_do():
    kinds = ["champion_comparison", "model_card"]
    assert outcomes("evidence_present", GOOD, any_of=kinds) == ["pass"]
    assert outcomes("evidence_present", GOOD, any_of=kinds[:1]) == ["missing"]


def test_with_a_champion_the_comparison_must_be_with_this_champion():
    context = replace(GOOD, champion="calls v1", champion_version=1)
    assert outcomes("champion_compared", context) == ["missing"]
    for against, outcome in ((1, "pass"), (2, "stale")):
        fact = EvidenceFact("champion_comparison", "C", NOW, {"champion_version": against})
        assert outcomes("champion_compared", replace(context, evidence=(fact,))) == [outcome]


def test_each_criterion_of_the_gate_gets_a_result_of_its_own():
    context = replace(
        GOOD,
        scope=scope(
            criterion("auc"),
            criterion("lift", metric_key="test_lift", threshold=2.0),
            criterion("other", gates=["data"]),
        ),
    )
    found = judge_requirement(rule("criteria_met"), context)
    assert [(one.key, one.outcome) for one in found] == [
        ("key.auc", "pass"),
        ("key.lift", "missing"),
    ]
    assert found[0].detail["compared"]["value"] == 0.8
    assert found[0].detail["compared"]["threshold"] == 0.7


@pytest.mark.parametrize(("value", "outcome"), [(0.7, "pass"), (0.6999, "fail")])
def test_a_criterion_compares_with_the_locked_threshold(value, outcome):
    assert outcomes("criteria_met", replace(GOOD, metrics={"test_auc": value})) == [outcome]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_metric_that_is_not_finite_is_an_error_and_never_a_pass(value):
    (one,) = judge_requirement(rule("criteria_met"), replace(GOOD, metrics={"test_auc": value}))
    assert (one.outcome, one.is_blocking) == ("error", True)
    assert one.detail["compared"]["value"] is None


def test_criteria_locked_after_the_run_began_fail_even_if_all_are_met():
    late = replace(GOOD, scope=replace(GOOD.scope, locked_at=NOW - timedelta(days=1)))
    found = {one.key: one for one in judge_requirement(rule("criteria_met"), late)}
    assert found["key.locked"].outcome == "fail"
    assert "train again" in found["key.locked"].message
    assert found["key.auc"].outcome == "pass"


def test_a_scope_that_locks_no_criterion_for_the_gate_is_missing():
    assert outcomes("criteria_met", replace(GOOD, scope=scope())) == ["missing"]
    assert outcomes("criteria_met", GOOD, gate="staging") == ["missing"]


def test_a_should_informs_and_a_kill_waits_for_its_date():
    weak = replace(GOOD, metrics={"test_auc": 0.5})
    should = replace(weak, scope=scope(criterion(level="should")))
    early = replace(weak, scope=scope(criterion(level="kill", by_date="2026-11-24")))
    due = replace(weak, scope=scope(criterion(level="kill", by_date="2026-11-23")))
    found = [judge_requirement(rule("criteria_met"), one)[0] for one in (should, early, due)]
    assert [one.is_blocking for one in found] == [False, False, True]
    assert "from 2026-11-24 on" in found[1].message


def test_evidence_has_the_age_that_the_policy_gives_its_kind():
    context = replace(GOOD, evidence_ages={"model_card": 4})
    for check, params in (("evidence_present", {"kind": "model_card"}), ("card_complete", {})):
        assert outcomes(check, context, **params) == ["stale"]
        assert outcomes(check, context, max_age_days=5, **params) == ["pass"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(True, "pass"), (False, "fail"), (None, "missing"), ("true", "missing"), (1, "missing")],
)
def test_only_evidence_that_says_true_has_passed(said, outcome):
    tested = EvidenceFact("load_test", "Newer test", NOW + timedelta(1), {"passed": said})
    context = replace(GOOD, evidence=(*GOOD.evidence, tested))
    assert outcomes("evidence_passed", context, kind="load_test") == [outcome]


def test_a_card_lacks_what_is_blank_wherever_its_sections_stand():
    blank = {**dict.fromkeys(CARD_SECTIONS, "said"), "limits": "  "}
    card = EvidenceFact("model_card", "Card", NOW, {"sections": blank})
    (one,) = judge_requirement(rule("card_complete"), replace(GOOD, evidence=(card,)))
    assert (one.outcome, one.message) == ("missing", "The model card lacks: limits.")
    assert outcomes("card_complete", replace(GOOD, evidence=(card,)), sections=["details"]) == [
        "pass"
    ]


def test_another_gate_must_have_approved_what_stands_here_now():
    assert outcomes("gate_passed", GOOD, passed="staging") == ["missing"]
    changed = replace(GOOD, bindings={**GOOD.bindings, "model_files": "0" * 64})
    (one,) = judge_requirement(rule("gate_passed"), changed)
    assert one.outcome == "stale"
    assert one.detail["compared"]["moved"] == ["model_files"]


def test_evidence_that_came_after_an_approval_does_not_undo_it():
    bound = {**GOOD.approvals["validation"].bound, "evidence": "1" * 64}
    approval = ApprovalFact("validation", "gate_review:3", bound)
    parts = ("evidence", "evidence:load_test", "card")
    moved = {**GOOD.bindings, **dict.fromkeys(parts, "2" * 64)}
    context = replace(GOOD, approvals={"validation": approval}, bindings=moved)
    assert outcomes("gate_passed", context) == ["pass"]


def test_waivers_are_counted_by_requirement():
    waivers = tuple(WaiverFact(f"waiver:{n}", key) for n, key in enumerate(["a", "b", "a"]))
    context = replace(GOOD, waivers=waivers)
    assert outcomes("waivers_within", context, most=2) == ["pass"]
    assert outcomes("waivers_within", context, most=1) == ["fail"]
    assert outcomes("waivers_within", context) == ["fail"]


def test_a_sprint_needs_its_approaches_and_its_baseline():
    few = with_attributes(approaches_tried=1, baseline_run=False)
    assert outcomes("approaches_tried", few) == ["fail", "fail"]
    assert outcomes("approaches_tried", few, least=1) == ["pass", "fail"]
    assert outcomes("approaches_tried", with_attributes(baseline_run=None)) == ["pass", "missing"]


def done(status="done", outcome="pass", bound="b" * 64):
    work = WorkFact("check_run:1", status, "It says.", bound, result={"outcome": outcome})
    return replace(GOOD, work={"key": work})


@pytest.mark.parametrize("check", ["script_passes", "reproducible"])
@pytest.mark.parametrize(
    ("context", "outcome"),
    [
        (replace(GOOD, work={}), "missing"),
        (done(), "pass"),
        (done(outcome="fail"), "fail"),
        (done(outcome="missing"), "missing"),
        (done(outcome="waived"), "error"),
        (done(status="queued"), "missing"),
        (done(status="running"), "missing"),
        (done(status="cancelled"), "missing"),
        (done(status="failed"), "error"),
        (done(bound="c" * 64), "stale"),
    ],
)
def test_work_counts_when_it_is_done_for_what_the_review_binds(check, context, outcome):
    assert outcomes(check, context) == [outcome]


@pytest.mark.parametrize(
    ("producer", "said", "outcome"),
    [(2, True, "pass"), (2, False, "fail"), (1, True, "fail"), (None, True, "fail")],
)
def test_a_reproduction_by_somebody_else_stands_in_for_one_here(producer, said, outcome):
    vouched = EvidenceFact(
        "reproduction", "Done again", NOW, {"passed": said}, "evidence:9", produced_by=producer
    )
    context = replace(GOOD, work={}, evidence=(*GOOD.evidence, vouched))
    (one,) = judge_requirement(rule("reproducible"), context)
    assert one.outcome == outcome
    assert one.detail["source"][0]["ref"] == "evidence:9"


def test_an_authors_word_neither_helps_nor_hurts_a_run_done_again_here():
    own = EvidenceFact("reproduction", "Mine", NOW, {"passed": True}, "evidence:9", produced_by=1)
    for outcome in ("pass", "fail"):
        context = replace(done(outcome=outcome), evidence=(*GOOD.evidence, own))
        assert outcomes("reproducible", context) == [outcome]
