"""Copy conditions: a sign-off survives only if every moved part is covered for its role."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.copying import survival
from governance.rules.policy import CopyCondition

ROLES = ("validator", "business_owner", "risk_officer")
PARTS = (
    "model_files", "run", "dataset:train", "dataset:test", "scope", "criteria", "card", "evidence",
    "evidence:plot", "evidence:drift_report", "policy",
)  # fmt: skip
NAMES = (*PARTS, "dataset")

roles = st.sampled_from(ROLES)
moves = st.frozensets(st.sampled_from(PARTS))
conditions = st.lists(
    st.builds(
        CopyCondition,
        changed=st.frozensets(st.sampled_from(NAMES), min_size=1),
        roles=st.none() | st.frozensets(roles, min_size=1),
    ),
    max_size=4,
)


def keeps(rules, role, moved):
    return survival(rules, role, sorted(moved)).survives


@given(rules=conditions, role=roles, moved=moves)
def test_a_sign_off_survives_only_if_each_moved_part_alone_would_let_it(rules, role, moved):
    assert keeps(rules, role, moved) == all(keeps(rules, role, {part}) for part in moved)


@given(rules=conditions, role=roles, moved=moves.filter(bool))
def test_what_survives_is_named_by_a_condition_of_its_role(rules, role, moved):
    named = {n for one in rules if one.roles is None or role in one.roles for n in one.changed}
    if keeps(rules, role, moved):
        assert all(part in named or part.partition(":")[0] in named for part in moved)


@given(rules=conditions, role=roles, moved=moves)
def test_changed_files_of_a_model_end_every_sign_off(rules, role, moved):
    assert not keeps(rules, role, moved | {"model_files"})


@given(rules=conditions, role=roles, moved=moves, more=moves)
def test_widening_a_change_never_revives_a_sign_off(rules, role, moved, more):
    assert keeps(rules, role, moved) or not keeps(rules, role, moved | more)


@given(rules=conditions, role=roles, moved=moves, more=conditions)
def test_a_further_condition_never_ends_a_sign_off(rules, role, moved, more):
    assert keeps([*rules, *more], role, moved) or not keeps(rules, role, moved)


@given(role=roles, moved=moves.filter(bool))
def test_without_conditions_nothing_survives_a_change(role, moved):
    assert not keeps([], role, moved)


@pytest.mark.parametrize(
    ("changed", "part", "expected"),
    [
        ("evidence", "evidence:plot", True),
        ("evidence:plot", "evidence:plot", True),
        ("evidence:plot", "evidence:drift_report", False),
        ("evidence", "card", False),
        ("card", "card", True),
        ("dataset", "dataset:train", True),
        ("scope", "criteria", False),
        # Evidence that was bound as one may have been the card.
        ("evidence", "evidence", False),
    ],
)
def test_a_condition_covers_the_part_that_it_names(changed, part, expected):
    rules = [CopyCondition(frozenset({changed}), None)]
    assert keeps(rules, "validator", {part}) is expected


def test_the_reason_names_what_is_not_covered():
    rules = [CopyCondition(frozenset({"card"}), frozenset({"validator"}))]
    lost = survival(rules, "business_owner", ["card"])
    assert lost.reason == "The policy asks again when this changes: the model card."
    kept = survival(rules, "validator", ["card"])
    assert kept.reason == "The policy lets it stand when this changes: the model card."
