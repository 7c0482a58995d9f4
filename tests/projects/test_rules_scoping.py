"""Blockers, points and laws of readiness, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.readiness_policy import parse_policy
from projects.rules.scoping import Circumstances, assess
from projects.rules.tier import ANSWERS
from tests.projects.shipped_scopes import (
    BALANCED,
    BLOG,
    MEDIUM,
    POLICY,
    POLICY_DATA,
    REMOVABLE,
    ROLES,
    TODAY,
    around,
    changed,
    codes,
    plan,
    with_row,
    with_rows,
)


def test_balanced_scope_may_be_submitted():
    readiness = assess(BALANCED, MEDIUM)
    assert readiness.is_submittable, readiness.reasons
    assert readiness.score == int(100 - sum(item.points for item in readiness.lost))
    assert (readiness.under_scoped.score, readiness.over_scoped.score) == (0, 0)


def test_copied_scope_is_blocked_for_every_reason_and_leans_one_way():
    readiness = assess(BLOG, MEDIUM)
    assert not readiness.is_submittable
    assert {blocker.code for blocker in readiness.blockers} >= {
        "problem_statement_short",
        "current_process_missing",
        "objective_business_missing",
        "baselines_missing",
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
        "tier_exposure_missing",
    }
    assert readiness.under_scoped.score >= 90
    assert readiness.over_scoped.score < 50
    assert any("duration" in reason for reason in readiness.reasons)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (changed(problem_statement=""), "problem_statement_missing"),
        (changed(problem_statement="Too short."), "problem_statement_short"),
        (changed(why_ml="TBD."), "text_is_placeholder"),
        (changed(current_process="Nothing."), "current_process_nothing"),
        (changed(foreseeable_misuse="None that we know."), "use_short"),
        (changed(affected_parties=[]), "affected_parties_missing"),
        (changed(out_of_scope=" "), "out_of_scope_missing"),
        (changed(objectives=[]), "objectives_missing"),
        (with_rows("objectives", kind="business"), "objective_ml_missing"),
        (changed(objectives=BALANCED["objectives"][:2]), "objective_economic_missing"),
        (with_row("objectives", baseline_value=None), "objective_baseline_unknown"),
        (changed(false_negative_cost=None), "false_negative_cost_missing"),
        (changed(annual_benefit_high="1.00"), "benefit_order"),
        (changed(annual_run_cost="0.00", cost_note=""), "running_cost_unexplained"),
        (changed(baselines=[]), "baselines_missing"),
        (with_rows("baselines", kind="champion"), "baseline_own_missing"),
        (changed(criteria=[]), "criteria_missing"),
        (with_rows("criteria", level="should"), "criterion_must_missing"),
        (with_rows("criteria", level="should"), "criterion_kill_missing"),
        (with_rows("criteria", key="same"), "criterion_key_twice"),
        (with_rows("criteria", threshold=None), "criterion_without_condition"),
        (with_rows("criteria", dataset_role=""), "criterion_without_role"),
        (with_row("criteria", -1, by_date=None), "criterion_kill_undated"),
        (
            with_rows("criteria", min_absolute_change=0.1, baseline="nowhere"),
            "criterion_baseline_unknown",
        ),
        (with_rows("criteria", gates=[]), "criterion_without_gate"),
        (with_row("constraints", criterion_key="first-tenth-pays"), "constraint_without_guardrail"),
        (changed(prior_art=[]), "prior_art_missing"),
        (changed(prior_art=BALANCED["prior_art"][:1]), "prior_art_too_few"),
        (with_rows("prior_art", kind="vendor"), "prior_art_weak"),
        (
            with_rows("prior_art", difficulty_delta="harder", delta_reason=""),
            "difficulty_unreasoned",
        ),
        (plan(("experiment", 14, 1)), "prior_art_not_reproduced"),
        (changed(approaches=BALANCED["approaches"][:1]), "approaches_too_few"),
        (changed(approaches=BALANCED["approaches"] * 2), "approaches_too_many"),
        (with_rows("approaches", rank=1), "approaches_favourite"),
        (with_rows("approaches", time_box_days=None), "approach_time_box_missing"),
        (with_rows("decision_weights", weight=20), "decision_weights_sum"),
        (changed(split_strategy="random"), "split_random_on_time_order"),
        (with_rows("feature_notes", is_used=True), "leaking_feature"),
        (changed(data_sources=[]), "data_sources_missing"),
        (with_rows("data_sources", access="requested"), "data_access_missing"),
        (with_rows("data_sources", owner=None), "data_owner_missing"),
        (with_rows("data_sources", lawful_basis=" "), "lawful_basis_missing"),
        (changed(ground_truth="no", ground_truth_method=""), "ground_truth_unplanned"),
        (changed(ground_truth_delay_days=None), "ground_truth_delay_missing"),
        (changed(feasibility=BALANCED["feasibility"][1:]), "feasibility_incomplete"),
        (with_row("feasibility", rating=0), "feasibility_none"),
        (changed(estimates=[]), "estimates_missing"),
        (with_row("estimates", optimistic_days=11), "estimate_order"),
        (plan(("experiment", 14, 8), ("research_spike", 7, 1)), "sprint_plan_too_long"),
        (plan(("discovery", 7, 3), ("research_spike", 7, 1)), "sprint_plan_discovery_cap"),
        (plan(("research_spike", 14, 3)), "sprint_plan_research_cap"),
        (with_row("assumptions", spike=""), "assumption_unowned"),
        (changed(risks=BALANCED["risks"][:2]), "risks_too_few"),
        (with_rows("risks", category="data"), "risks_one_sided"),
        (with_rows("risks", probability=5, impact=5, mitigation=""), "risk_untreated"),
        (with_rows("risks", probability=2, impact=5, owner=None), "risk_without_mitigation"),
        (with_row("risks", residual_probability=3, residual_impact=5), "risk_not_accepted"),
        (with_row("regulations", risk_class="prohibited"), "regulation_prohibited"),
        (with_row("regulations", applies="unclear"), "regulation_unclear"),
        (with_row("regulations", risk_class=""), "regulation_unclassified"),
        (changed(ethics_outcome="refused"), "ethics_refused"),
        (changed(ethics_outcome="needed"), "ethics_outstanding"),
        (changed(ethics_outcome="conditions"), "ethics_conditions_missing"),
        (changed(fairness_justification=""), "fairness_slices_missing"),
        (changed(fairness_slices="age"), "fairness_slice_unjudged"),
        (changed(explainability="per_decision"), "explainability_undelivered"),
        (changed(responsibilities=BALANCED["responsibilities"][2:]), "raci_not_one_accountable"),
        (with_rows("responsibilities", raci="accountable"), "raci_nobody_responsible"),
        (changed(milestones=BALANCED["milestones"][1:]), "milestone_undecided"),
        (with_rows("criteria", metric_key="test_roc_auc"), "latency_without_guardrail"),
        (changed(fallback=""), "fallback_missing"),
        (changed(monitoring_plan=""), "monitoring_plan_missing"),
        (with_rows("monitoring_plan", signal="drift"), "monitoring_performance_missing"),
        (with_rows("monitoring_plan", signal="performance"), "monitoring_data_missing"),
        (with_row("monitoring_plan", action=""), "monitoring_unowned"),
        (changed(autonomy="decide", oversight_stop=""), "oversight_missing"),
        (changed(retirement_criteria=""), "retirement_criteria_missing"),
        (
            changed(open_questions=[{"question": "May we?", "is_blocking": True}]),
            "question_blocking",
        ),
    ],
)
def test_each_gap_has_its_blocker(content, code):
    assert code in codes(content)
    assert code not in codes(BALANCED)


@pytest.mark.parametrize(
    ("content", "section", "field"),
    [
        (changed(summary="Our XGBoost reaches a good ROC AUC."), "problem", "summary"),
        (changed(why_ml="Rules are not enough."), "effort", "why_ml"),
        (with_row("affected_parties", effect=""), "problem", "affected_parties"),
        (with_row("affected_parties", is_vulnerable=True), "problem", "affected_parties"),
        (with_row("objectives", target_value=None), "value", "objectives"),
        (with_rows("baselines", metrics={}), "value", "baselines"),
        (with_row("criteria", rationale=""), "criteria", "criteria"),
        (with_row("criteria", source="attestation"), "criteria", "criteria"),
        (with_rows("prior_art", our_value=""), "prior_art", "prior_art"),
        (with_row("prior_art", difficulty_delta=""), "prior_art", "prior_art"),
        (with_row("approaches", success_signal=""), "prior_art", "approaches"),
        (with_row("data_sources", labels=""), "data", "data_sources"),
        (with_row("data_sources", labels="to_collect"), "data", "data_sources"),
        (with_row("data_sources", known_gaps=""), "data", "data_sources"),
        (changed(feature_notes=[]), "data", "feature_notes"),
        (with_row("feasibility", note=""), "effort", "feasibility"),
        (with_row("estimates", basis=""), "effort", "estimates"),
        (with_row("risks", treatment=""), "risks", "risks"),
        (with_row("regulations", rationale=""), "risks", "regulations"),
        (with_row("regulations", risk_class="high"), "risks", "regulations"),
        (changed(ethics_outcome="clear"), "risks", "ethics_outcome"),
        (changed(dpia="needed"), "risks", "dpia"),
        (changed(explainability_audience=""), "risks", "explainability"),
        (changed(open_questions=[{"question": "When?"}]), "risks", "open_questions"),
        (changed(experts_interviewed=0), "people", "experts_interviewed"),
        (changed(latency_limit_ms=None), "operation", "latency_limit_ms"),
    ],
)
def test_weakness_costs_points_and_blocks_nothing(content, section, field):
    readiness = assess(content, MEDIUM)
    assert readiness.blockers == ()
    assert (section, field) in {(item.section, item.field) for item in readiness.lost}
    spared = sum(item.points for item in assess(BALANCED, MEDIUM).lost)
    assert sum(item.points for item in readiness.lost) > spared


def test_random_split_is_no_blocker_where_time_plays_no_part():
    content = changed(split_strategy="random", is_time_ordered=False)
    assert codes(content) == []


def test_accepted_risk_blocks_again_when_the_acceptance_ends():
    accepted = {
        "residual_probability": 3,
        "residual_impact": 5,
        "accepted_because": "The bank can bear one bad month.",
    }
    assert codes(with_row("risks", **accepted, accepted_until="2026-11-25")) == []
    ended = with_row("risks", **accepted, accepted_until="2026-11-24")
    assert codes(ended) == ["risk_not_accepted"]


def test_unclear_regulation_passes_at_the_low_tier_only():
    light = dict.fromkeys(ANSWERS, 0)
    unclear = with_row("regulations", applies="unclear")
    assert codes(unclear) == ["regulation_unclear"]
    assert codes({**unclear, **light}) == []


def test_fields_that_a_tier_does_not_need_cost_nothing_there():
    names = ("retirement_criteria", "threats", "dpia", "foreseeable_misuse", "decision_weights")
    bare = changed(**dict.fromkeys(names, ""), decision_scores=[], **dict.fromkeys(ANSWERS, 0))
    readiness = assess(bare, MEDIUM)
    assert readiness.tier.chosen == "low"
    assert (readiness.blockers, readiness.lost) == ((), ())


def test_high_tier_needs_human_oversight():
    grave = changed(**dict.fromkeys(ANSWERS, 3), oversight_training="")
    assert codes(grave) == ["oversight_training_missing"]


def test_organisation_checks_its_own_fields():
    schema = {"type": "object", "required": ["cost_centre"], "properties": {"cost_centre": {}}}
    policy = parse_policy({**POLICY_DATA, "custom_fields": schema})
    own = Circumstances("medium", policy, ROLES, ROLES, today=TODAY)
    assert codes(BALANCED, own) == ["custom_field_invalid"]
    assert codes(changed(custom_fields={"cost_centre": "4711"}), own) == []


@pytest.mark.parametrize(
    ("tier", "missing"),
    [(0, "business_owner"), (2, "data_owner"), (3, "risk_officer")],
)
def test_role_that_nobody_else_holds_blocks_its_tier(tier, missing):
    eligible = {role: count for role, count in ROLES.items() if role != missing}
    content = changed(**dict.fromkeys(ANSWERS, tier))
    assert codes(content, around(eligible=eligible)) == ["sign_off_role_unfilled"]
    assert missing.replace("_", " ") in assess(content, around(eligible=eligible)).reasons[0]


def test_threshold_rises_with_the_tier():
    unanswered = changed(**dict.fromkeys(ANSWERS))
    thresholds = [assess(unanswered, around(tier)).threshold for tier in ("low", "medium", "high")]
    assert thresholds == [60, 75, 85]


def test_sections_add_up_to_the_score():
    readiness = assess(changed(why_ml="", risks=[], experts_interviewed=0), MEDIUM)
    assert [section.key for section in readiness.sections] == list(POLICY.sections)
    assert sum(section.points for section in readiness.sections) == 100
    assert int(sum(section.earned for section in readiness.sections)) == readiness.score
    lost = [item for section in readiness.sections for item in section.lost]
    assert lost == list(readiness.lost)


def test_score_below_the_threshold_is_a_reason_of_its_own():
    strict = parse_policy({**POLICY_DATA, "thresholds": {"low": 60, "medium": 100, "high": 100}})
    readiness = assess(BALANCED, Circumstances("medium", strict, ROLES, ROLES, today=TODAY))
    assert readiness.blockers == ()
    assert not readiness.is_submittable
    assert readiness.reasons == [f"The readiness score is {readiness.score}; this tier needs 100."]


emptied = st.sets(st.sampled_from(REMOVABLE))
tiers = st.sampled_from(["low", "medium", "high"])
answers = st.sampled_from([0, 2, 3])


def without(content, names, answer=None):
    kept = {name: value for name, value in content.items() if name not in names}
    return kept if answer is None else {**kept, **dict.fromkeys(ANSWERS, answer)}


@given(emptied, emptied, answers)
def test_removing_content_never_raises_the_score(first, more, answer):
    needed = {name for name in more if POLICY.needs[name] != "O"}
    fuller = assess(without(BALANCED, first, answer), MEDIUM)
    emptier = assess(without(BALANCED, first | needed, answer), MEDIUM)
    assert emptier.score <= fuller.score


@given(st.sampled_from([BALANCED, BLOG]), emptied, tiers)
def test_score_stays_between_0_and_100_and_explains_itself(content, names, tier):
    readiness = assess(without(content, names), around(tier))
    assert 0 <= readiness.score <= 100
    assert readiness.score == int(100 - sum(item.points for item in readiness.lost) + 0.001)
    assert all(item.reason and item.field for item in readiness.lost)
    assert 0 <= readiness.under_scoped.score <= 100
    assert 0 <= readiness.over_scoped.score <= 100


@given(emptied)
def test_losing_an_eligible_person_never_unblocks(names):
    content = without(BALANCED, names, 3)
    assert len(codes(content, around(eligible={}))) == len(codes(content)) + 3


scraps = st.sampled_from([None, "", "x", 0, -1, True, [], {}, "2026-01-01"])


@given(st.dictionaries(st.sampled_from(sorted(BALANCED)), scraps), scraps)
def test_half_typed_content_is_judged_and_never_breaks(fields, scrap):
    content = {**BALANCED, **fields}
    for name, rows in list(content.items()):
        if isinstance(BALANCED[name], list):
            bad = [dict.fromkeys(row, scrap) for row in BALANCED[name][:2]]
            content[name] = bad if isinstance(rows, list) else []
    assert 0 <= assess(content, MEDIUM).score <= 100
