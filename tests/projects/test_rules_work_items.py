"""The kinds' own fields: data that fits the model, and reading that names every wrong field."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import WorkItem
from projects.rules import work_item_kinds as kinds
from projects.rules.work_item_details import is_empty, read_details, size_errors

ANY_FIELD = [(kind, one) for kind, own in kinds.FIELDS.items() for one in own]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_every_kind_has_its_fields_and_its_size():
    assert set(kinds.FIELDS) == set(kinds.SIZED_BY) == set(WorkItem.Kind.values)


@pytest.mark.parametrize(
    ("kind", "one"), ANY_FIELD, ids=lambda value: getattr(value, "name", value)
)
def test_field_is_explained_and_is_a_column_exactly_if_it_says_so(kind, one):
    assert one.label
    assert one.type == "choice" or "Example:" in one.help or one.help.endswith(".")
    columns = {field.name for field in WorkItem._meta.get_fields()}
    assert one.is_column == (one.name in columns)
    assert bool(one.choices) == (one.type == "choice")


def test_names_are_unique_within_a_kind():
    for own in kinds.FIELDS.values():
        assert len({one.name for one in own}) == len(own)


def test_story_shows_the_fields_of_its_flavour():
    plain = {one.name for one in kinds.fields_of("story")}
    data = {one.name for one in kinds.fields_of("story", "data")}
    assert "acceptance_criteria" in plain & data
    assert "lawful_basis" in data - plain
    assert "rollback_plan" not in data


def test_values_are_read_into_their_types():
    values, errors = read_details(
        "experiment",
        {
            "split": "  by month ",
            "metrics": "validation_roc_auc\nvalidation_pr_auc, validation_roc_auc",
            "compute_budget_hours": "2.5",
            "makes_baseline": "on",
            "hypothesis": "work_item:12",
            "seed_policy": " ",
        },
    )
    assert not errors
    assert values == {
        "split": "by month",
        "metrics": ["validation_roc_auc", "validation_pr_auc"],
        "compute_budget_hours": 2.5,
        "makes_baseline": True,
        "hypothesis": 12,
    }


def test_every_wrong_field_is_named():
    given_ = {
        "hypothesis": "the first",
        "compute_budget_hours": "-1",
        "makes_baseline": "perhaps",
        "metrics": 4,
        "colour": "red",
        "split": "by month",
    }
    values, errors = read_details("experiment", given_)
    assert set(errors) == set(given_) - {"split"}
    assert values == {"split": "by month"}
    assert "seed_policy" in errors["colour"][0]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("hypothesis", "dataset_ref", "dataset_version:0"),
        ("hypothesis", "dataset_ref", "run:3"),
        ("hypothesis", "dataset_role", "holdout"),
        ("hypothesis", "effect", "x" * 301),
        ("hypothesis", "effect", "null\x00byte"),
        ("hypothesis", "effect", "half a pair \ud800"),
        ("experiment", "compute_budget_hours", math.inf),
        ("experiment", "compute_budget_hours", math.nan),
        ("experiment", "compute_budget_hours", True),
        ("experiment", "hypothesis", "9" * 40),
        ("review", "approvers", ["vera", 3]),
        ("review", "approvers", [str(number) for number in range(51)]),
    ],
)
def test_value_of_another_type_is_refused(kind, name, value):
    values, errors = read_details(kind, {name: value})
    assert list(errors) == [name]
    assert not values


@given(st.sampled_from(ANY_FIELD), JSON)
def test_whatever_is_sent_is_read_or_named_and_reading_again_changes_nothing(kind_and_field, raw):
    kind, one = kind_and_field
    if one.is_column:
        return
    values, errors = read_details(kind, {one.name: raw})
    assert not (values and errors)
    json.dumps(values, allow_nan=False)
    assert read_details(kind, values) == (values, {})


def test_zero_and_no_are_answers():
    assert not is_empty(0)
    assert not is_empty(False)
    assert all(is_empty(value) for value in (None, "", [], {}))


def test_points_measure_engineering_only():
    assert not size_errors("story", {"points": 3, "hours": None})
    assert list(size_errors("spike", {"points": 3, "hours": 4.0})) == ["points"]
    assert "its children" in size_errors("epic", {"points": 3})["points"][0]
