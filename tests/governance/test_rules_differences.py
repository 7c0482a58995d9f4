"""Differences between two bound states: complete, readable, and empty only for equals."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.differences import (
    LINES,
    State,
    changes_between,
    digest_of_difference,
)
from governance.rules.staleness import compare_bindings

parts = st.sampled_from(
    ["model_files", "run", "dataset:train", "scope", "criteria", "card", "evidence:plot", "policy"]
)
bindings = st.dictionaries(parts, st.sampled_from(["a" * 64, "b" * 64]), max_size=8)
AUC = {"key": "auc", "metric_key": "auc", "greater_is_better": True}
GOOD = State(
    label="calls v1",
    bindings={"model_files": "a" * 64, "run": "b" * 64, "policy": "c" * 64},
    facts={
        "metrics": {"auc": 0.75, "recall": 0.5},
        "attributes": {
            "run_id": "r1",
            "commit": "f" * 40,
            "commit_dirty": False,
            "params": {"depth": "3"},
            "features": [{"name": "age", "type": "long"}, {"name": "job", "type": "string"}],
            "datasets": {
                "train": {
                    "label": "bank v1",
                    "row_count": 100,
                    "target": "y",
                    "target_rate": 0.11,
                    "columns": [{"name": "age", "type": "number"}],
                    "missing": {},
                }
            },
        },
        "evidence": [{"part": "evidence:plot", "title": "ROC", "content": "1" * 64}],
        "card": {"use": "Calls", "limits": "None"},
    },
    scope={"title": "A", "criteria": [{**AUC, "threshold": 0.7}], "risks": []},
    policy="standard v1",
    policy_text="a: 1\nb: 2\n",
)


def with_facts(**changes):
    attributes = {**GOOD.attributes, **changes.pop("attributes", {})}
    return replace(GOOD, facts={**GOOD.facts, **changes, "attributes": attributes})


def told(later, earlier=GOOD):
    """Return the rows by part and name, for what the two states do not share."""
    return {
        (one.part, row.name): (row.was, row.now, row.note)
        for one in changes_between(earlier, later)
        for row in one.rows
    }


@given(one=bindings, other=bindings)
def test_every_part_that_moved_is_named_and_no_other(one, other):
    found = changes_between(State("s", one), State("s", other))
    assert {each.part for each in found} == {each.part for each in compare_bindings(one, other)}


def test_a_state_does_not_differ_from_itself():
    assert changes_between(GOOD, replace(GOOD)) == []


@pytest.mark.parametrize(
    ("later", "line"),
    [
        (
            with_facts(metrics={"auc": 0.8, "recall": 0.5}),
            {("run", "auc"): ("0.75", "0.8", "+0.05")},
        ),
        (
            with_facts(metrics={"auc": 0.75, "recall": "nan"}),
            {("run", "recall"): ("0.5", "nan", "changed")},
        ),
        (
            with_facts(attributes={"params": {"depth": "4", "seed": "1"}}),
            {("run", "depth"): ("3", "4", "changed"), ("run", "seed"): ("", "1", "added")},
        ),
        (
            with_facts(attributes={"commit_dirty": True}),
            {
                ("run", "commit"): (
                    "ffffffffffff clean",
                    "ffffffffffff with uncommitted changes",
                    "changed",
                )
            },
        ),
        (
            with_facts(attributes={"features": [{"name": "age", "type": "double"}]}),
            {
                ("model_files", "age"): ("long", "double", "changed"),
                ("model_files", "job"): ("string", "", "removed"),
            },
        ),
        (
            with_facts(card={"use": "Calls", "limits": "Few"}),
            {("card", "limits"): ("None", "Few", "changed")},
        ),
        (
            with_facts(evidence=[]),
            {("evidence:plot", "ROC"): ("111111111111", "", "removed")},
        ),
        (
            replace(GOOD, scope={**GOOD.scope, "criteria": [{**AUC, "threshold": 0.6}]}),
            {("criteria", "criteria: auc, threshold"): ("0.7", "0.6", "loosened")},
        ),
        (
            replace(GOOD, scope={**GOOD.scope, "title": "B"}),
            {("scope", "title"): ("A", "B", "editorial")},
        ),
    ],
)
def test_each_part_tells_what_changed_in_it(later, line):
    assert told(later) == line


def test_data_tell_rows_columns_target_rate_and_missing_cells():
    later = dict(GOOD.attributes["datasets"]["train"])
    later.update(
        row_count=150,
        target_rate=0.13,
        columns=[{"name": "age", "type": "category"}, {"name": "job", "type": "category"}],
        missing={"job": 0.5},
    )
    found = told(with_facts(attributes={"datasets": {"train": later}}))
    assert found == {
        ("dataset:train", "rows"): ("100", "150", "+50"),
        ("dataset:train", "target rate"): ("0.11", "0.13", "+0.02"),
        ("dataset:train", "column age"): ("number", "category", "changed"),
        ("dataset:train", "column job"): ("", "category", "added"),
        ("dataset:train", "missing in job"): ("", "0.5", "added"),
    }


def test_policy_is_told_line_by_line():
    later = replace(GOOD, policy="standard v2", policy_text="a: 1\nb: 3\n")
    (found,) = changes_between(GOOD, later)
    assert (found.shape, found.was, found.now) == (LINES, "standard v1", "standard v2")
    assert [(row.was, row.now, row.note) for row in found.rows] == [
        ("", "", "place"),
        ("a: 1", "a: 1", "same"),
        ("b: 2", "", "removed"),
        ("", "b: 3", "added"),
    ]


def test_evidence_bound_as_one_and_by_kind_is_compared_by_what_it_says():
    old = replace(GOOD, bindings={"run": "b" * 64, "evidence": "e" * 64})
    new = replace(GOOD, bindings={"run": "b" * 64, "evidence:plot": "f" * 64, "card": "g" * 64})
    assert changes_between(old, new) == []
    assert told(replace(new, facts={**GOOD.facts, "evidence": []}), old) == {
        ("evidence:plot", "ROC"): ("111111111111", "", "removed")
    }


def test_long_differences_are_cut_and_say_so():
    metrics = {f"m{number}": float(number) for number in range(500)}
    (found,) = changes_between(GOOD, with_facts(metrics={**GOOD.facts["metrics"], **metrics}))
    assert len(found.rows) == 201
    assert found.rows[-1].name == "and 300 more"


def test_digest_of_a_difference_is_that_of_what_is_shown():
    one, other = with_facts(metrics={"auc": 0.8}), with_facts(metrics={"auc": 0.81})
    again = with_facts(metrics={"auc": 0.8})
    digest = digest_of_difference(changes_between(GOOD, one))
    assert digest == digest_of_difference(changes_between(GOOD, again))
    assert digest != digest_of_difference(changes_between(GOOD, other))
