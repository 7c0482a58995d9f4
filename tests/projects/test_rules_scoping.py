"""Readiness, blockers and gauges, without a database."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.models import ScopingDocument, Sprint, WorkItem
from projects.rules import transitions
from projects.rules.readiness_policy import parse_policy
from projects.rules.scoping import Circumstances, assess
from projects.rules.score import ITEMS

ROOT = Path(__file__).resolve().parents[2]
POLICY_DATA = yaml.safe_load((ROOT / "fixtures/policies/readiness/2.yaml").read_text())
POLICY = parse_policy(POLICY_DATA)
ROLES = {"business_owner": 1, "data_owner": 1, "risk_officer": 1, "ml_engineer": 1}
MEDIUM = Circumstances(tier="medium", policy=POLICY, eligible=ROLES, held=ROLES)


def shipped(name):
    """Return a shipped scope with the defaults that the service fills in."""
    content = json.loads((ROOT / f"fixtures/scopes/{name}.json").read_text())
    for row in content["data_sources"]:
        row.setdefault("owner", None)
    return content


BALANCED = shipped("term-deposit")
BLOG = shipped("term-deposit-blog")
REQUIRED = [
    "problem_statement",
    "current_process",
    "decision_informed",
    "action_on_output",
    "intended_use",
    "out_of_scope_use",
    "objectives",
    "baselines",
    "false_positive_cost",
    "false_negative_cost",
    "criteria",
    "prior_art",
    "approaches",
    "data_sources",
    "feature_notes",
    "split_strategy",
    "estimates",
    "annual_run_cost",
    "annual_benefit",
    "why_ml",
    "simplest_alternative",
    "risks",
    "experts_interviewed",
    "deployment_mode",
    "fallback",
    "monitoring_plan",
    "retraining_policy",
]


def codes(content, circumstances=MEDIUM):
    return [blocker.code for blocker in assess(content, circumstances).blockers]


def changed(**fields):
    return {**copy.deepcopy(BALANCED), **fields}


def with_rows(name, **fields):
    """Return the balanced content with fields changed in every row of a list."""
    return changed(**{name: [{**row, **fields} for row in BALANCED[name]]})


def test_balanced_scope_may_be_submitted():
    readiness = assess(BALANCED, MEDIUM)
    assert readiness.is_submittable, readiness.reasons
    assert readiness.score == 100 - sum(item.points for item in readiness.lost)
    assert (readiness.under_scoped.score, readiness.over_scoped.score) == (0, 0)


def test_copied_scope_is_blocked_for_every_reason_and_leans_one_way():
    readiness = assess(BLOG, MEDIUM)
    assert not readiness.is_submittable
    assert {blocker.code for blocker in readiness.blockers} == {
        "problem_statement_short",
        "objective_business_missing",
        "baseline_missing",
        "criterion_guardrail_missing",
        "criterion_kill_missing",
        "prior_art_weak",
        "approaches_too_few",
        "approach_time_box_missing",
        "split_random_on_time_order",
        "leaking_feature",
        "lawful_basis_missing",
        "risks_too_few",
        "risks_one_sided",
        "fallback_missing",
        "monitoring_plan_missing",
    }
    assert readiness.under_scoped.score >= 90
    assert readiness.over_scoped.score < 50
    assert any("duration" in reason for reason in readiness.reasons)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (changed(problem_statement=""), "problem_statement_missing"),
        (changed(problem_statement="Too short."), "problem_statement_short"),
        (changed(objectives=[]), "objective_ml_missing"),
        (changed(baselines=[]), "baseline_missing"),
        (with_rows("baselines", kind="champion"), "baseline_missing"),
        (changed(criteria=[]), "criterion_must_missing"),
        (with_rows("criteria", level="should"), "criterion_kill_missing"),
        (
            with_rows("criteria", min_absolute_change=0.1, baseline="nowhere"),
            "criterion_baseline_unknown",
        ),
        (with_rows("criteria", gates=[]), "criterion_without_gate"),
        (changed(prior_art=[]), "prior_art_missing"),
        (with_rows("prior_art", kind="vendor"), "prior_art_weak"),
        (changed(approaches=BALANCED["approaches"][:1]), "approaches_too_few"),
        (with_rows("approaches", time_box_days=None), "approach_time_box_missing"),
        (changed(split_strategy="random"), "split_random_on_time_order"),
        (with_rows("feature_notes", is_used=True), "leaking_feature"),
        (changed(data_sources=[]), "data_access_missing"),
        (with_rows("data_sources", access="requested"), "data_access_missing"),
        (with_rows("data_sources", lawful_basis=" "), "lawful_basis_missing"),
        (changed(estimates=[]), "estimate_missing"),
        (changed(risks=BALANCED["risks"][:2]), "risks_too_few"),
        (with_rows("risks", category="data"), "risks_one_sided"),
        (with_rows("risks", probability=5, impact=5, mitigation=""), "risk_untreated"),
        (changed(fallback=""), "fallback_missing"),
        (changed(monitoring_plan=""), "monitoring_plan_missing"),
    ],
)
def test_each_gap_has_its_blocker(content, code):
    assert code in codes(content)


def test_random_split_is_no_blocker_where_time_plays_no_part():
    content = changed(split_strategy="random", is_time_ordered=False)
    assert codes(content) == []


@pytest.mark.parametrize(
    ("tier", "missing"),
    [("low", "business_owner"), ("medium", "data_owner"), ("high", "risk_officer")],
)
def test_role_that_nobody_else_holds_blocks_its_tier(tier, missing):
    eligible = {role: count for role, count in ROLES.items() if role != missing}
    around = Circumstances(tier=tier, policy=POLICY, eligible=eligible, held=ROLES)
    assert codes(BALANCED, around) == ["sign_off_role_unfilled"]
    assert missing.replace("_", " ") in assess(BALANCED, around).reasons[0]


def test_threshold_rises_with_the_tier():
    thresholds = [
        assess(BALANCED, Circumstances(tier, POLICY, ROLES, ROLES)).threshold
        for tier in ("low", "medium", "high")
    ]
    assert thresholds == [60, 75, 85]


def test_score_below_the_threshold_is_a_reason_of_its_own():
    thin = changed(
        **dict.fromkeys(
            ("current_process", "decision_informed", "action_on_output", "intended_use"), ""
        ),
        **dict.fromkeys(("out_of_scope_use", "why_ml", "simplest_alternative"), ""),
        false_positive_cost=None,
        false_negative_cost=None,
        annual_run_cost=None,
        annual_benefit=None,
        experts_interviewed=0,
        deployment_mode="",
        retraining_policy="",
    )
    readiness = assess(thin, Circumstances("high", POLICY, ROLES, ROLES))
    assert readiness.blockers == ()
    assert not readiness.is_submittable
    assert readiness.reasons == [f"The readiness score is {readiness.score}; this tier needs 85."]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (with_rows("prior_art", kind="blog"), "weak_prior_art"),
        (with_rows("prior_art", reproduced="no"), "nothing_reproduced"),
        (with_rows("prior_art", difficulty_delta="same"), "same_difficulty"),
        (changed(approaches=BALANCED["approaches"][:1]), "few_approaches"),
        (changed(annual_run_cost=None), "no_cost_or_target"),
        (
            with_rows("estimates", optimistic_days=5, likely_days=5, pessimistic_days=6),
            "flat_estimates",
        ),
        (changed(experts_interviewed=0), "no_expert"),
        (
            {**with_rows("data_sources", known_gaps=""), "feature_notes": []},
            "no_data_profiled",
        ),
    ],
)
def test_signs_of_a_copying_team(content, rule):
    gauge = assess(content, MEDIUM).under_scoped
    assert [sign.rule for sign in gauge.signs] == [rule]
    assert gauge.score == POLICY.under_scoped[rule]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({**with_rows("approaches", rung=3), "simplest_alternative": ""}, "skipped_rung"),
        (changed(annual_benefit="20000.00"), "cost_exceeds_benefit"),
        (with_rows("approaches", time_box_days=20), "research_heavy"),
        (with_rows("approaches", novelty="own"), "own_method"),
        (with_rows("approaches", time_box_days=None), "many_or_unboxed_approaches"),
        (with_rows("baselines", kind="simple_model"), "no_simple_baseline"),
    ],
)
def test_signs_of_a_writing_team(content, rule):
    gauge = assess(content, MEDIUM).over_scoped
    assert [sign.rule for sign in gauge.signs] == [rule]


def test_nobody_to_maintain_it_is_a_sign():
    around = Circumstances("medium", POLICY, ROLES, {"lead": 1})
    assert [sign.rule for sign in assess(BALANCED, around).over_scoped.signs] == ["no_maintainer"]


def test_every_point_of_the_policy_has_its_item():
    named = {(section, item) for section, part in POLICY.sections.items() for item in part.points}
    assert named == set(ITEMS)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("sections", {"problem": {"title": "Problem", "points": {"problem_statement": 3}}}),
        ("tier_scorecard", [{"tier": "high", "sum_at_least": 9}]),
        ("schema", 1),
        ("thresholds", {"low": 1}),
        ("limits", None),
    ],
)
def test_broken_policy_is_refused(part, value):
    data = {**POLICY_DATA, part: value}
    if value is None:
        del data[part]
    with pytest.raises(ValueError, match="readiness policy"):
        parse_policy(data)


emptied = st.sets(st.sampled_from(REQUIRED), max_size=len(REQUIRED))
tiers = st.sampled_from(["low", "medium", "high"])


def without(content, names):
    kept = dict(content)
    for name in names:
        kept.pop(name, None)
    return kept


@given(st.sampled_from([BALANCED, BLOG]), emptied, emptied, tiers)
def test_removing_required_content_never_raises_the_score(content, first, more, tier):
    around = Circumstances(tier, POLICY, ROLES, ROLES)
    fuller = assess(without(content, first), around)
    emptier = assess(without(content, first | more), around)
    assert emptier.score <= fuller.score


@given(emptied, tiers)
def test_score_stays_between_0_and_100_and_explains_itself(names, tier):
    around = Circumstances(tier, POLICY, ROLES, ROLES)
    readiness = assess(without(BALANCED, names), around)
    assert 0 <= readiness.score <= 100
    assert readiness.score == int(100 - sum(item.points for item in readiness.lost) + 0.01)
    assert 0 <= readiness.under_scoped.score <= 100
    assert 0 <= readiness.over_scoped.score <= 100


@given(emptied)
def test_losing_an_eligible_person_never_unblocks(names):
    content = without(BALANCED, names)
    alone = Circumstances("high", POLICY, {}, ROLES)
    assert len(codes(content, alone)) == len(codes(content, MEDIUM)) + 3


@pytest.mark.parametrize(
    ("table", "model"),
    [
        (transitions.SCOPE_TRANSITIONS, ScopingDocument),
        (transitions.SPRINT_TRANSITIONS, Sprint),
        (transitions.WORK_ITEM_TRANSITIONS, WorkItem),
    ],
)
def test_transition_tables_know_every_status(table, model):
    assert set(table) == set(model.Status.values)
    assert set().union(*table.values()) <= set(table)


def test_outcomes_are_declared():
    declared = set().union(*transitions.OUTCOMES_BY_KIND.values())
    assert declared == set(WorkItem.Outcome.values)
    assert set(transitions.OUTCOMES_BY_KIND) <= set(WorkItem.Kind.values)
