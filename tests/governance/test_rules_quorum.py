"""Quorum: different people in every named role, whatever the order of the votes."""

from hypothesis import given
from hypothesis import strategies as st

from governance.rules.policy import QuorumRule
from governance.rules.quorum import APPROVING, Vote, judge_quorum

ROLES = ("validator", "business_owner", "risk_officer")
OUTCOMES = ("approved", "approved_with_conditions", "changes_requested", "rejected")

votes = st.lists(
    st.builds(
        Vote,
        person=st.integers(1, 4),
        role=st.sampled_from([*ROLES, "lead"]),
        outcome=st.sampled_from(OUTCOMES),
    ),
    max_size=10,
)
approvals = st.lists(
    st.builds(
        Vote,
        person=st.integers(1, 4),
        role=st.sampled_from(ROLES),
        outcome=st.sampled_from(sorted(APPROVING)),
    ),
    max_size=10,
)
rules = st.builds(
    QuorumRule,
    roles=st.lists(st.sampled_from(ROLES), min_size=1, unique=True).map(tuple),
    people=st.integers(1, 3),
)


def judge(rule, given_votes, *, high=False, tier="low"):
    return judge_quorum(rule, given_votes, tier="high" if high else tier)


def vote(person, role, outcome="approved"):
    return Vote(person, role, outcome)


@given(rule=rules, given_votes=votes, high=st.booleans())
def test_it_is_never_met_by_fewer_different_people_than_asked(rule, given_votes, high):
    state = judge(rule, given_votes, high=high)
    people = {one.person for one in given_votes if one.outcome in APPROVING}
    if state.is_met:
        assert len(people) >= rule.people
        if high:
            assert len(people) >= len(rule.roles)


@given(rule=rules, given_votes=votes, high=st.booleans())
def test_it_is_never_met_without_every_named_role(rule, given_votes, high):
    signed = {one.role for one in given_votes if one.outcome in APPROVING}
    if judge(rule, given_votes, high=high).is_met:
        assert set(rule.roles) <= signed


@given(rule=rules, given_votes=votes, more=approvals, high=st.booleans())
def test_more_approvals_never_undo_it(rule, given_votes, more, high):
    if judge(rule, given_votes, high=high).is_met:
        assert judge(rule, [*given_votes, *more], high=high).is_met


@given(rule=rules, given_votes=votes, high=st.booleans())
def test_a_rejection_cast_last_by_a_named_role_always_blocks(rule, given_votes, high):
    state = judge(rule, [*given_votes, vote(9, rule.roles[0], "rejected")], high=high)
    assert state.is_rejected
    assert not state.is_met


@given(rule=rules, given_votes=votes)
def test_what_is_not_met_says_what_is_missing(rule, given_votes):
    state = judge(rule, given_votes)
    assert state.is_met == (not state.sentences)


def test_one_person_in_two_roles_is_one_person():
    rule = QuorumRule(("validator", "business_owner"), 2)
    state = judge(rule, [vote(1, "validator"), vote(1, "business_owner")])
    assert not state.is_met
    assert state.missing_people == 1
    assert state.sentences == [
        "The sign-off of one more person is missing: it takes different people."
    ]


def test_at_high_risk_roles_are_seated_with_different_people_where_that_is_possible():
    rule = QuorumRule(("validator", "business_owner"), 2)
    both = [vote(1, "validator"), vote(1, "business_owner"), vote(2, "validator")]
    assert judge(rule, both, high=True).is_met
    assert not judge(rule, both[:2], high=True).is_met


def test_a_role_that_is_not_named_counts_for_nothing():
    rule = QuorumRule(("validator",), 2)
    state = judge(rule, [vote(1, "validator"), vote(2, "lead")])
    assert state.missing_people == 1


def test_a_block_is_lifted_by_another_holder_of_the_role():
    rule = QuorumRule(("validator",), 1)
    asked = vote(1, "validator", "changes_requested")
    assert judge(rule, [asked]).is_blocked
    assert not judge(rule, [vote(2, "validator"), asked]).is_met
    assert judge(rule, [asked, vote(2, "validator")]).is_met


def test_at_medium_risk_one_person_fills_two_roles_but_never_all_alone():
    two = QuorumRule(("validator", "business_owner"), 1)
    alone = [vote(1, "validator"), vote(1, "business_owner")]
    state = judge(two, alone, tier="medium")
    assert (state.missing_roles, state.missing_people) == ((), 1)
    assert judge(two, [*alone, vote(2, "validator")], tier="medium").is_met
    assert judge(two, alone, tier="low").is_met


def test_at_medium_risk_nobody_fills_three_roles():
    three = QuorumRule(ROLES, 2)
    votes_of_two = [vote(1, role) for role in ROLES] + [vote(2, "validator")]
    assert judge(three, votes_of_two, tier="medium").is_met
    alone = judge(three, [vote(1, role) for role in ROLES], tier="medium")
    assert len(alone.missing_roles) == 1


@given(rule=rules, given_votes=votes, tier=st.sampled_from(["low", "medium"]))
def test_what_suffices_at_high_risk_suffices_below(rule, given_votes, tier):
    if len(rule.roles) > 1 and judge(rule, given_votes, tier="high").is_met:
        assert judge(rule, given_votes, tier=tier).is_met
