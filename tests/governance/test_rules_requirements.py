"""Requirements: each named check passes on what is right and on nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.checks import (
    ApprovalFact,
    CheckContext,
    CheckOutcome,
    DatasetFact,
    EvidenceFact,
    FindingFact,
    PromiseFact,
    ScopeFact,
    WaiverFact,
    WorkFact,
    passed,
)
from governance.rules.families import CHECKS
from governance.rules.families.data import DATASHEET_SECTIONS
from governance.rules.families.evidence import CARD_SECTIONS
from governance.rules.params import Whole
from governance.rules.policy import RequirementRule
from governance.rules.registry import NamedCheck
from governance.rules.requirements import (
    HOLDING,
    apply_waivers,
    judge_always,
    judge_requirement,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOCKED = NOW - timedelta(days=10)
STARTED = NOW - timedelta(days=2)


def criterion(key="auc", **changes):
    return {
        "key": key,
        "title": f"Criterion {key}",
        "level": "must",
        "metric_key": "test_auc",
        "greater_is_better": True,
        "threshold": 0.7,
        "dataset_role": "test",
        "gates": ["validation"],
        **changes,
    }


def scope(*criteria, **changes):
    content = {"criteria": list(criteria), "baselines": [], "feature_notes": [], **changes}
    return ScopeFact("scope v1", content, LOCKED)


GOOD = CheckContext(
    now=NOW,
    gate="validation",
    subject_kind="model_version",
    subject_ref="model_version:7",
    attributes=MappingProxyType(
        {
            "readiness_score": 80,
            "threshold": 75,
            "blockers": [],
            "run_status": "FINISHED",
            "run_started_at": STARTED.isoformat(),
            "commit": "a" * 40,
            "commit_dirty": False,
            "signature": True,
            "format_problem": "",
            "dataset_refs": ["dataset_version:1"],
            "datasheet": {**dict.fromkeys(DATASHEET_SECTIONS, "said"), "columns": {"age": {}}},
            "leaks": ["duration"],
            "parses": True,
            "run_id": "r1",
            "seed": "7",
            "monitors": [{"ref": "monitor:1", "name": "m", "last_report_at": STARTED.isoformat()}],
            "approaches_tried": 2,
            "baseline_run": True,
            "open_time_boxes": [],
            "decision": "Build the second one.",
            "decision_matrix": True,
        }
    ),
    metrics=MappingProxyType({"test_auc": 0.8}),
    bindings=MappingProxyType({"model_files": "f" * 64, "run": "9" * 64}),
    bound=MappingProxyType({"model_files": "f" * 64, "run": "9" * 64}),
    bindings_digest="b" * 64,
    authors=MappingProxyType({"run": frozenset({1})}),
    evidence=(
        EvidenceFact(
            "model_card",
            "Card",
            NOW - timedelta(days=5),
            dict.fromkeys(CARD_SECTIONS, "said"),
            "evidence:1",
            "e" * 64,
            1,
        ),
        EvidenceFact("load_test", "Load test", NOW, {"passed": True}, "evidence:2", "d" * 64, 1),
    ),
    approvals=MappingProxyType(
        {
            "validation": ApprovalFact(
                "validation", "gate_review:3", {"model_files": "f" * 64, "run": "9" * 64}
            )
        }
    ),
    work=MappingProxyType(
        {"key": WorkFact("check_run:1", "done", "Yes.", "b" * 64, result={"outcome": "pass"})}
    ),
    datasets=(DatasetFact("dataset_version:1", "bank v1", is_approved=True),),
    scope=scope(
        criterion(),
        feature_notes=[
            {"column": "duration", "is_known_at_prediction": False, "is_used": False},
            {"column": "age", "is_known_at_prediction": True, "is_used": True},
        ],
    ),
)
PARAMS = {
    "evidence_present": {"kind": "model_card"},
    "evidence_passed": {"kind": "load_test"},
    "no_open_findings": {"severity": "high"},
    "gate_passed": {"passed": "validation"},
    "script_passes": {"script": "parity"},
}


def rule(check, *, blocking=True, **params):
    return RequirementRule("key", check, "A title", params or PARAMS.get(check, {}), blocking)


def outcomes(check, context, **params):
    return [one.outcome for one in judge_requirement(rule(check, **params), context)]


def with_attributes(**changes):
    return replace(GOOD, attributes={**GOOD.attributes, **changes})


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_every_check_passes_on_what_is_right(check):
    assert set(outcomes(check, GOOD)) == {"pass"}


#: These find nothing to complain about when there is nothing.
CONTENT_WITH_NOTHING = {"no_open_findings", "champion_compared", "waivers_within"}


@pytest.mark.parametrize("check", sorted(set(CHECKS) - CONTENT_WITH_NOTHING))
def test_no_check_passes_on_nothing(check):
    empty = CheckContext(now=NOW, gate="validation", subject_kind="model_version")
    assert not set(outcomes(check, empty)) & HOLDING


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


def answering(answer, **more):
    """Return the outcomes of a check that answers so."""
    checks = {"own": NamedCheck("own", lambda params, context: answer(), **more)}
    return judge_requirement(rule("own"), GOOD, checks)


def test_a_check_that_breaks_blocks_with_a_clear_message():
    def broken():
        raise KeyError("auc")

    (one,) = answering(broken)
    assert one.outcome == "error"
    assert "The check own broke: KeyError" in one.message
    assert not one.holds


def test_a_check_that_answers_nothing_is_missing():
    (one,) = answering(list)
    assert one.outcome == "missing"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "pass",
        ["pass"],
        CheckOutcome("waived", "I waive it."),
        CheckOutcome("fine", "x"),
        passed("x", value=float("nan")),
        passed("x", value=object()),
    ],
)
def test_an_answer_that_no_check_may_give_is_an_error(answer):
    (one,) = answering(lambda: answer)
    assert (one.outcome, one.holds) == ("error", False)
    assert "The check own broke" in one.message


def test_a_check_that_is_gone_is_an_error_and_never_a_pass():
    (one,) = judge_requirement(rule("own"), GOOD, CHECKS)
    assert (one.outcome, one.holds) == ("error", False)
    assert "There is no check own" in one.message


def test_parameters_that_a_newer_check_does_not_take_are_an_error():
    (one,) = answering(lambda: passed("x"), params={"least": Whole("rows")}, needs=[("least",)])
    assert one.outcome == "error"
    assert "cannot use its parameters: params must say least" in one.message


def test_a_result_says_what_was_compared_where_it_was_read_when_and_by_which_version():
    (one,) = judge_requirement(rule("run_finished"), GOOD)
    assert one.detail == {
        "compared": {"value": "FINISHED", "operator": "=", "threshold": "FINISHED"},
        "source": [{"ref": "run:r1", "digest": "9" * 64, "label": ""}],
        "check_version": "check 1",
        "evaluated_at": NOW.isoformat(),
    }


@pytest.mark.parametrize("check", sorted(set(CHECKS) - {"waivers_within"}))
def test_every_check_says_where_it_looked(check):
    for one in judge_requirement(rule(check), GOOD):
        assert [source["ref"] for source in one.detail["source"]] != []
        assert one.detail["evaluated_at"] == NOW.isoformat()


def test_a_promise_stands_before_its_gate_whatever_the_policy_asks():
    promised = (PromiseFact("condition:4", "Retrain without age.", "gate_review:2"),)
    (one,) = judge_always(replace(GOOD, promises=promised))
    assert (one.key, one.outcome, one.holds) == ("promises", "fail", False)
    assert "Retrain without age." in one.message
    refs = [source["ref"] for source in one.detail["source"]]
    assert refs == ["condition:4", "gate_review:2"]


def test_unknown_hands_are_a_blocking_result():
    assert judge_always(GOOD) == []
    (one,) = judge_always(replace(GOOD, unmapped=("ghost",)))
    assert (one.key, one.outcome, one.is_blocking) == ("identities", "fail", True)


def test_a_waiver_turns_a_failure_and_only_that():
    weak = replace(GOOD, metrics={"test_auc": 0.5})
    judged = judge_requirement(rule("criteria_met"), weak)
    (waived,) = apply_waivers(judged, {"key.auc": "until 2026-12-01"})
    assert (waived.outcome, waived.holds) == ("waived", True)
    assert waived.detail["outcome_without"] == "fail"
    assert apply_waivers(judged, {"key.other": "x"}) == judged
    good = judge_requirement(rule("criteria_met"), GOOD)
    assert apply_waivers(good, {"key.auc": "x"}) == good


def test_what_does_not_block_only_informs():
    (one,) = judge_requirement(
        rule("signature_present", blocking=False), with_attributes(signature=0)
    )
    assert one.outcome == "missing"
    assert one.holds


@given(outcome=st.sampled_from(["fail", "missing", "error", "stale", "mismatch"]))
def test_only_a_pass_and_a_waiver_hold(outcome):
    (one,) = answering(lambda: CheckOutcome(outcome, "x"))
    assert not one.holds


PARAM_NAMES = sorted({name for check in CHECKS.values() for name in check.params})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part),
    max_leaves=5,
)


@given(
    check=st.sampled_from(sorted(CHECKS)),
    params=st.dictionaries(st.sampled_from(PARAM_NAMES), JSON, max_size=3),
)
def test_whatever_stands_as_parameters_is_refused_or_understood(check, params):
    problems = CHECKS[check].problems(params)
    asked = RequirementRule("key", check, "A title", params)
    found = {one.outcome for one in judge_requirement(asked, GOOD)}
    assert ("error" in found) == bool(problems)


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
