"""The content hash: what never changes it, and what always does."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.services.content import content_hash
from tests import factories

CONTENT = factories.scope_content_of()
HASH = content_hash(CONTENT)
LISTS = sorted(name for name, value in CONTENT.items() if isinstance(value, list) and value)


def shuffled(data, shuffle):
    """Return the same content with its keys and rows in another order."""
    if isinstance(data, dict):
        keys = list(data)
        shuffle(keys)
        return {key: shuffled(data[key], shuffle) for key in keys}
    if isinstance(data, list) and all(isinstance(item, dict) for item in data):
        rows = [shuffled(item, shuffle) for item in data]
        shuffle(rows)
        return rows
    return data


def places(content):
    """Return every place where the content holds a value: a field, or a field of a row."""
    found = [(name,) for name, value in content.items() if not isinstance(value, list)]
    for name in LISTS:
        found += [(name, index, key) for index, row in enumerate(content[name]) for key in row]
    return found


def another(value):
    """Return a value of the same kind that is not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        try:
            return f"{float(value) + 1:.2f}"
        except ValueError:
            return value + "x"
    return {"other": 1.0} if isinstance(value, dict) else ["other"]


@pytest.mark.slow
@given(st.randoms())
def test_order_of_rows_and_keys_does_not_change_it(dice):
    assert content_hash(shuffled(CONTENT, dice.shuffle)) == HASH


@given(st.sampled_from(places(CONTENT)))
def test_any_single_changed_value_changes_it(place):
    changed = copy.deepcopy(CONTENT)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    value = holder[place[-1]]
    holder[place[-1]] = 1 if value is None else another(value)
    assert content_hash(changed) != HASH


@given(st.sampled_from(LISTS), st.data())
def test_any_row_more_or_less_changes_it(name, data):
    index = data.draw(st.integers(0, len(CONTENT[name]) - 1))
    fewer = {**CONTENT, name: CONTENT[name][:index] + CONTENT[name][index + 1 :]}
    twice = {**CONTENT, name: [*CONTENT[name], CONTENT[name][index]]}
    assert HASH not in {content_hash(fewer), content_hash(twice)}


def test_spelling_of_a_number_does_not_change_it():
    spelt = copy.deepcopy(CONTENT)
    spelt["annual_run_cost"] = 18000
    spelt["false_positive_cost"] = 4.5
    spelt["tier_exposure"] = 2.0
    spelt["criteria"][2]["threshold"] = 200.0
    spelt["baselines"][0]["metrics"]["test_lift_top_decile"] = 1
    assert content_hash(spelt) == HASH


def test_text_that_looks_like_a_number_stays_text():
    signals = copy.deepcopy(CONTENT["monitoring_plan"])
    signals[0]["threshold"] = "0.20"
    assert content_hash({**CONTENT, "monitoring_plan": signals}) != HASH
