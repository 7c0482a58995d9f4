"""Tier, effort, money and gauges of a scope, without a database."""

import pytest

from projects.rules.scoping import assess
from projects.rules.tier import ANSWERS
from tests.projects.shipped_scopes import (
    BALANCED,
    MEDIUM,
    POLICY,
    ROLES,
    around,
    changed,
    codes,
    with_rows,
)


@pytest.mark.parametrize(
    ("answers", "tier", "because"),
    [
        ((0, 0, 0, 4), "high", "gravest answer is 4"),
        ((3, 3, 3, 1), "high", "add up to 10"),
        ((3, 0, 0, 0), "medium", "gravest answer is 3"),
        ((2, 1, 1, 1), "medium", "add up to 5"),
        ((2, 2, 0, 0), "low", "below every higher line"),
        ((0, 0, 0, 0), "low", "below every higher line"),
    ],
)
def test_answers_decide_the_tier_and_say_which_line_did(answers, tier, because):
    verdict = assess(changed(**dict(zip(ANSWERS, answers, strict=True))), MEDIUM).tier
    assert (verdict.computed, verdict.chosen) == (tier, tier)
    assert because in verdict.reason
    assert not verdict.is_overridden


def test_project_keeps_its_tier_until_every_question_is_answered():
    readiness = assess(changed(tier_purpose=None), around("high"))
    assert (readiness.tier.computed, readiness.tier.chosen) == ("", "high")
    assert readiness.threshold == 85
    assert "1 of 4 questions" in readiness.tier.reason


@pytest.mark.parametrize(
    ("fields", "eligible", "expected"),
    [
        ({"tier_override_reason": "Little is at stake."}, ROLES, []),
        ({}, ROLES, ["tier_override_unreasoned"]),
        (
            {"tier_override_reason": "Little is at stake."},
            {"business_owner": 1, "data_owner": 1},
            ["tier_override_unwitnessed"],
        ),
    ],
)
def test_lower_tier_needs_a_reason_and_a_risk_officer(fields, eligible, expected):
    content = changed(tier_override="low", **fields)
    assert codes(content, around(eligible=eligible)) == expected
    verdict = assess(content, MEDIUM).tier
    assert (verdict.computed, verdict.chosen, verdict.is_overridden) == ("medium", "low", True)


def test_higher_tier_needs_no_risk_officer_as_witness():
    content = changed(tier_override="high", tier_override_reason="We would rather be careful.")
    found = codes(content, around(eligible={"business_owner": 1, "data_owner": 1}))
    assert "tier_override_unwitnessed" not in found


def test_effort_is_expected_with_its_spread_and_its_80_percent_bound():
    rows = [{"phase": "A", "optimistic_days": 2, "likely_days": 5, "pessimistic_days": 14}]
    verdict = assess(changed(estimates=rows * 4), MEDIUM).estimate
    assert [phase.expected_days for phase in verdict.phases] == [6, 6, 6, 6]
    assert (verdict.expected_days, verdict.deviation_days) == (24, 4)
    assert verdict.p80_days == pytest.approx(27.3664)
    assert (verdict.multiplier, verdict.adjusted_days) == (None, None)
    assert "nothing to compare with" in verdict.sentence


def test_closed_projects_adjust_the_estimate_by_their_median():
    verdict = assess(BALANCED, around(overruns=(1.0, 1.5, 4.0))).estimate
    assert verdict.multiplier == 1.5
    assert verdict.adjusted_days == pytest.approx(verdict.expected_days * 1.5)
    assert "3 closed projects took 1.50 times" in verdict.sentence


def test_payback_and_net_are_computed():
    content = changed(
        build_cost="100.00",
        tooling_cost="20.00",
        labelling_cost="0.00",
        annual_run_cost="30.00",
        annual_maintenance_cost="10.00",
        annual_benefit="100.00",
    )
    money = assess(content, MEDIUM).money
    assert (money.build, money.annual_cost, money.annual_benefit) == (120, 40, 100)
    assert (money.payback_years, money.three_year_net) == (2, 60)
    never = assess({**content, "annual_benefit": "40.00"}, MEDIUM).money
    assert (never.payback_years, never.three_year_net) == (None, -120)
    assert "never" in never.sentence


def test_money_says_what_is_missing_to_compute_it():
    money = assess(changed(annual_benefit=None), MEDIUM).money
    assert (money.payback_years, money.three_year_net) == (None, None)
    assert "State what" in money.sentence


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (with_rows("prior_art", kind="blog"), "weak_prior_art"),
        (with_rows("prior_art", reproduced="no"), "nothing_reproduced"),
        (with_rows("prior_art", difficulty_delta="same"), "same_difficulty"),
        (changed(approaches=BALANCED["approaches"][:1]), "few_approaches"),
        (
            changed(annual_run_cost=None, annual_maintenance_cost=None),
            "no_cost_or_target",
        ),
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
    assert gauge.signs[0].field in BALANCED


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (
            {**with_rows("approaches", rung=3, why_this_rung=""), "simplest_alternative": ""},
            "skipped_rung",
        ),
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
    gauge = assess(BALANCED, around(held={"lead": 1})).over_scoped
    assert [sign.rule for sign in gauge.signs] == ["no_maintainer"]
