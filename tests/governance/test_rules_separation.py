"""Separation of duties: each rule refuses exactly what it is about."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.separation import (
    ALWAYS,
    PARTS,
    SWITCHABLE,
    Refusal,
    SigningFacts,
    judge,
    refusals,
    unmapped_blocker,
    unmapped_here,
)

VERA, SAM, MIA, RITA = 1, 2, 3, 4
FREE = SigningFacts(
    person=VERA,
    role="validator",
    tier="medium",
    requester=MIA,
    authors={part: frozenset({SAM}) for part in ("scope", "run", "registration", "evidence")},
    held_roles=frozenset({"validator"}),
    lines={VERA: frozenset({"Model risk"}), SAM: frozenset({"Analytics"})},
)


def test_an_independent_person_is_not_refused():
    assert refusals(FREE, SWITCHABLE) == []


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("scope_author_not_approver", "scope"),
        ("dataset_preparer_not_approver", "dataset"),
        ("run_author_not_approver", "run"),
        ("registration_author_not_approver", "registration"),
        ("evidence_author_not_approver", "evidence"),
        ("policy_author_not_approver", "policy"),
        ("committer_not_approver", "commit"),
        ("assignee_not_approver", "assignee"),
        ("deployer_not_approver", "deployment"),
        ("sprint_author_not_approver", "sprint"),
    ],
)
def test_authors_of_a_part_are_refused_where_the_gate_says_so(rule, part):
    facts = replace(FREE, authors={part: frozenset({VERA, SAM})})
    assert len(refusals(facts, [rule])) == 1
    assert refusals(facts, []) == []


@pytest.mark.parametrize("rule", sorted(set(PARTS) & set(SWITCHABLE) - {"requester_not_approver"}))
def test_a_delegate_inherits_the_authorship_of_the_holder(rule):
    part = PARTS[rule]
    facts = replace(FREE, on_behalf_of=SAM, authors={part: frozenset({SAM})})
    assert len(refusals(facts, [rule])) == 1


def test_the_requester_is_refused():
    assert refusals(replace(FREE, requester=VERA), ["requester_not_approver"])


def test_the_requester_cannot_sign_through_a_delegate():
    facts = replace(FREE, on_behalf_of=MIA, delegators=frozenset({MIA}))
    assert len(refusals(facts, ["requester_not_approver"])) == 2


def test_who_decides_for_the_requester_elsewhere_is_refused_whatever_the_gate_says():
    assert refusals(replace(FREE, delegators=frozenset({MIA})), [])
    assert refusals(replace(FREE, delegators=frozenset({RITA})), []) == []


def test_auditors_and_parts_of_the_system_never_sign():
    assert refusals(replace(FREE, role="auditor"), [])
    assert refusals(replace(FREE, held_roles=frozenset({"validator", "auditor"})), [])
    assert refusals(replace(FREE, person=None), [])


def test_at_high_risk_one_person_fills_one_role():
    twice = replace(FREE, signed_roles=frozenset({"business_owner"}))
    assert refusals(twice, []) == []
    assert refusals(replace(twice, tier="high"), [])
    again = replace(FREE, tier="high", signed_roles=frozenset({"validator"}))
    assert refusals(again, []) == []


@given(
    names=st.sets(st.sampled_from(sorted(SWITCHABLE))),
    more=st.sets(st.sampled_from(sorted(SWITCHABLE))),
    person=st.integers(1, 4),
    requester=st.integers(1, 4),
)
def test_more_rules_never_refuse_less(names, more, person, requester):
    facts = replace(FREE, person=person, requester=requester)
    assert set(refusals(facts, names)) <= set(refusals(facts, names | more))


def test_no_rule_is_both_fixed_and_switchable():
    assert not set(ALWAYS) & set(SWITCHABLE)


def test_unknown_hands_are_named_once_and_block():
    assert unmapped_blocker([]) == ""
    assert "ghost, robot" in unmapped_blocker(["robot", "ghost", "robot"])


def test_a_refusal_names_its_rule_and_where_the_fact_is_recorded():
    facts = replace(FREE, person=SAM, traces={"run": "launched run r1"})
    assert judge(facts, ["run_author_not_approver"]) == [
        Refusal(
            "run_author_not_approver",
            "Who launched the training run may not sign it off.",
            "launched run r1",
        )
    ]


def test_at_medium_risk_a_third_role_is_refused():
    facts = replace(FREE, signed_roles=frozenset({"business_owner"}))
    assert refusals(facts, []) == []
    third = replace(facts, signed_roles=frozenset({"business_owner", "lead"}))
    assert len(refusals(third, [])) == 1
    assert refusals(replace(third, tier="low"), []) == []


@pytest.mark.parametrize("role", ["lead", "data_scientist", "data_engineer", "ml_engineer"])
def test_who_builds_here_does_not_validate_not_even_through_a_delegate(role):
    named = ["builder_not_validator"]
    builds = frozenset({"validator", role})
    assert len(refusals(replace(FREE, held_roles=builds), named)) == 1
    assert len(refusals(replace(FREE, on_behalf_of=RITA, holder_roles=builds), named)) == 1
    other_role = replace(FREE, role="business_owner", held_roles=builds)
    assert refusals(other_role, named) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({VERA: frozenset({"Analytics"}), SAM: frozenset({"Analytics"})}, "same line"),
        ({SAM: frozenset({"Analytics"})}, "validator's reporting line is not on record"),
        ({VERA: frozenset({"Model risk"})}, "somebody who did the work is not on record"),
    ],
)
def test_a_validator_answers_to_another_known_line(lines, words):
    named = ["other_reporting_line"]
    (reason,) = refusals(replace(FREE, lines=lines), named)
    assert words in reason
    assert refusals(replace(FREE, lines=lines, role="risk_officer"), named) == []


def test_who_only_gave_evidence_did_not_do_the_work():
    facts = replace(FREE, authors={"evidence": frozenset({RITA})})
    assert refusals(facts, ["other_reporting_line"]) == []


def test_an_unknown_committer_counts_only_where_the_gate_asks():
    assert unmapped_here(["run", "commit"], ["run_author_not_approver"]) == ("run",)
    assert unmapped_here(["run", "commit"], ["committer_not_approver"]) == ("run", "commit")
