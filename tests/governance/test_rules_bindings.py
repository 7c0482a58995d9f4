"""Bindings: every edit changes the digest and names the part that moved."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.rules.digests import bindings_digest, digest_of, digest_of_set, same_numbers
from governance.rules.staleness import compare_bindings, part_name

parts = st.text(alphabet='abc:_"\\,{}', min_size=1, max_size=6)
digests = st.text(alphabet="0123456789abcdef", min_size=1, max_size=4)
bindings = st.dictionaries(parts, digests, max_size=5)


@given(one=bindings, other=bindings)
def test_two_mappings_share_a_digest_only_if_they_are_equal(one, other):
    assert (bindings_digest(one) == bindings_digest(other)) == (one == other)


@given(bound=bindings, part=parts, digest=digests)
def test_any_single_edit_changes_the_digest_and_is_named(bound, part, digest):
    assume(bound.get(part) != digest)
    edited = {**bound, part: digest}
    assert bindings_digest(edited) != bindings_digest(bound)
    assert [moved.part for moved in compare_bindings(bound, edited)] == [part]


@given(one=bindings, other=bindings)
def test_nothing_moved_means_equal(one, other):
    assert (not compare_bindings(one, other)) == (one == other)


@given(found=st.lists(digests, max_size=6))
def test_the_order_of_evidence_does_not_matter(found):
    assert digest_of_set(found) == digest_of_set(reversed(found))


def test_evidence_given_twice_is_not_evidence_given_once():
    assert digest_of_set(["a", "a"]) != digest_of_set(["a"])


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_a_value_keeps_its_digest_on_its_way_through_a_database(value):
    def as_postgresql_spells_it(part):
        if isinstance(part, float) and part.is_integer():
            return int(part)
        if isinstance(part, list):
            return [as_postgresql_spells_it(one) for one in part]
        if isinstance(part, dict):
            return {key: as_postgresql_spells_it(one) for key, one in part.items()}
        return part

    stored = as_postgresql_spells_it(json.loads(json.dumps(value)))
    assert digest_of(same_numbers(stored)) == digest_of(same_numbers(value))


def test_numbers_that_are_not_finite_have_no_digest():
    with pytest.raises(ValueError, match="JSON"):
        digest_of({"auc": float("nan")})


@pytest.mark.parametrize(
    ("bound", "now", "sentence"),
    [
        (
            {"model_files": "a" * 64},
            {"model_files": "b" * 64},
            "The files of the model version changed (aaaaaaaaaaaa became bbbbbbbbbbbb).",
        ),
        ({}, {"dataset:train": "c" * 64}, "The dataset train was added (cccccccccccc)."),
        ({"scope": "d" * 64}, {}, "The scope is gone (it was dddddddddddd)."),
    ],
)
def test_each_move_is_told_in_words(bound, now, sentence):
    assert [moved.sentence for moved in compare_bindings(bound, now)] == [sentence]


def test_unknown_parts_are_named_as_they_are():
    assert part_name("feature_store") == "feature store"
