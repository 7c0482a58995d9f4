"""Requirements: how a check is judged, what a result keeps, and what may hold a gate open."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    PromiseFact,
    passed,
)
from governance.rules.families import CHECKS
from governance.rules.params import Whole
from governance.rules.policy import RequirementRule
from governance.rules.registry import NamedCheck
from governance.rules.requirements import (
    HOLDING,
    apply_waivers,
    judge_always,
    judge_requirement,
)
from tests.governance.check_facts import (
    GOOD,
    NOW,
    outcomes,
    rule,
    with_attributes,
)


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_every_check_passes_on_what_is_right(check):
    assert set(outcomes(check, GOOD)) == {"pass"}


#: These find nothing to complain about when there is nothing.
CONTENT_WITH_NOTHING = {"no_open_findings", "champion_compared", "waivers_within"}


@pytest.mark.parametrize("check", sorted(set(CHECKS) - CONTENT_WITH_NOTHING))
def test_no_check_passes_on_nothing(check):
    empty = CheckContext(now=NOW, gate="validation", subject_kind="model_version")
    assert not set(outcomes(check, empty)) & HOLDING


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
