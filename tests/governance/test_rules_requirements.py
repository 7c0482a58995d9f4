"""Requirements: each named check passes on what is right and on nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules import requirements
from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    DatasetFact,
    EvidenceFact,
    FindingFact,
    ScopeFact,
)
from governance.rules.policy import RequirementRule
from governance.rules.requirements import (
    CHECKS,
    DATASHEET_SECTIONS,
    HOLDING,
    apply_waivers,
    judge_identities,
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
        }
    ),
    metrics=MappingProxyType({"test_auc": 0.8}),
    bindings=MappingProxyType({"model_files": "f" * 64}),
    bound=MappingProxyType({"model_files": "f" * 64}),
    evidence=(EvidenceFact("model_card", "Card", NOW - timedelta(days=5)),),
    datasets=(DatasetFact("dataset_version:1", "bank v1", is_approved=True),),
    scope=scope(
        criterion(),
        feature_notes=[
            {"column": "duration", "is_known_at_prediction": False, "is_used": False},
            {"column": "age", "is_known_at_prediction": True, "is_used": True},
        ],
    ),
)
PARAMS = {"evidence_present": {"kind": "model_card"}, "no_open_findings": {"severity": "high"}}


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
CONTENT_WITH_NOTHING = {"no_open_findings", "champion_compared"}


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
    assert found[0].detail["value"] == 0.8
    assert found[0].detail["threshold"] == 0.7


@pytest.mark.parametrize(("value", "outcome"), [(0.7, "pass"), (0.6999, "fail")])
def test_a_criterion_compares_with_the_locked_threshold(value, outcome):
    assert outcomes("criteria_met", replace(GOOD, metrics={"test_auc": value})) == [outcome]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_metric_that_is_not_finite_is_an_error_and_never_a_pass(value):
    (one,) = judge_requirement(rule("criteria_met"), replace(GOOD, metrics={"test_auc": value}))
    assert (one.outcome, one.is_blocking) == ("error", True)
    assert one.detail["value"] is None


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


def test_a_check_that_breaks_blocks_with_a_clear_message():
    def broken(params, context):
        raise KeyError("auc")

    checks = {**CHECKS, "broken": requirements.NamedCheck(broken)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements, "CHECKS", checks)
        (one,) = judge_requirement(rule("broken"), GOOD)
    assert one.outcome == "error"
    assert "The check broken broke: KeyError" in one.message
    assert not one.holds


def test_a_check_that_answers_nothing_is_missing():
    checks = {**CHECKS, "silent": requirements.NamedCheck(lambda params, context: [])}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements, "CHECKS", checks)
        assert outcomes("silent", GOOD) == ["missing"]


def test_unknown_hands_are_a_blocking_result():
    assert judge_identities(GOOD) == []
    (one,) = judge_identities(replace(GOOD, unmapped=("ghost",)))
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
    answer = requirements.NamedCheck(lambda params, context: CheckOutcome(outcome, "x"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements, "CHECKS", {**CHECKS, "fixed": answer})
        (one,) = judge_requirement(rule("fixed"), GOOD)
    assert not one.holds
