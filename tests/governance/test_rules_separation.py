"""Separation of duties: each rule refuses exactly what it is about."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.separation import (
    ALWAYS,
    SWITCHABLE,
    SigningFacts,
    refusals,
    unmapped_blocker,
)

VERA, SAM, MIA, RITA = 1, 2, 3, 4
FREE = SigningFacts(
    person=VERA,
    role="validator",
    tier="medium",
    requester=MIA,
    authors={part: frozenset({SAM}) for part in ("scope", "run", "registration", "evidence")},
    held_roles=frozenset({"validator"}),
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
    ],
)
def test_authors_of_a_part_are_refused_where_the_gate_says_so(rule, part):
    facts = replace(FREE, authors={part: frozenset({VERA, SAM})})
    assert len(refusals(facts, [rule])) == 1
    assert refusals(facts, []) == []


@pytest.mark.parametrize("rule", sorted(set(SWITCHABLE) - {"requester_not_approver"}))
def test_a_delegate_inherits_the_authorship_of_the_holder(rule):
    part = rule.split("_")[0].replace("preparer", "")
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
