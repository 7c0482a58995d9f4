"""Differences of two versions, what is material in them, and whose sign-off survives."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import ScopingDocument
from projects.rules import carrying, changes
from projects.rules.changes import difference, material_part, word_pieces
from projects.services.content import CHILDREN, fields_of
from tests.factories import scope_content_of


@pytest.fixture
def before():
    return scope_content_of()


@pytest.fixture
def after(before):
    return copy.deepcopy(before)


def rows_of(found, name):
    (rows,) = (one.rows for one in found.lists if one.field == name)
    return rows


def test_nothing_changed_is_no_difference(before, after):
    found = difference(before, after)
    assert (found.fields, found.lists, found.touched) == ((), (), frozenset())


def test_order_of_rows_is_no_difference(before, after):
    after["risks"].reverse()
    assert not difference(before, after).touched


def test_changed_text_shows_its_words(before, after):
    before["title"], after["title"] = "Call likely buyers first", "Call the buyers first"
    (field,) = difference(before, after).fields
    assert field.is_editorial
    assert [(piece.change, piece.text) for piece in field.pieces] == [
        ("same", "Call "),
        ("removed", "likely "),
        ("added", "the "),
        ("same", "buyers first"),
    ]


def test_empty_and_missing_texts_are_equal(before, after):
    after["foreseeable_misuse"] = ""
    before["foreseeable_misuse"] = None
    assert not difference(before, after).touched


def test_rows_are_added_removed_and_changed_by_their_key(before, after):
    removed = after["approaches"].pop(0)
    after["approaches"].append({**removed, "name": "A new one"})
    after["approaches"][0]["time_box_days"] = 9
    rows = rows_of(difference(before, after), "approaches")
    assert {row.change for row in rows} == {"added", "removed", "changed"}
    (changed,) = (row for row in rows if row.change == "changed")
    assert [(one.field, one.after) for one in changed.fields] == [("time_box_days", 9)]


def test_rows_that_share_a_key_are_told_apart(before, after):
    twice = {"question": "Which?", "answer": ""}
    before["open_questions"] = [twice, twice]
    after["open_questions"] = [twice, {**twice, "answer": "This."}]
    (row,) = rows_of(difference(before, after), "open_questions")
    assert (row.change, row.fields[0].after) == ("changed", "This.")


def test_criteria_say_whether_they_became_easier(before, after):
    after["criteria"][0]["threshold"] = 0.5
    after["criteria"][1]["threshold"] = 1.6
    after["criteria"][2]["rationale"] = "Because."
    after["criteria"].pop(3)
    after["criteria"].append({**before["criteria"][0], "key": "new"})
    found = difference(before, after)
    verdicts = {row.name: row.verdict for row in rows_of(found, "criteria")}
    assert verdicts == {
        "ranks-later-months": "loosened",
        "first-tenth-pays": "tightened",
        "answers-in-time": "neutral",
        "honest-probabilities": "loosened",
        "new": "tightened",
    }
    assert set(found.loosened) == {"ranks-later-months", "honest-probabilities"}


def test_lowered_baseline_loosens_the_criterion_measured_from_it(before, after):
    for content in (before, after):
        content["criteria"][0] |= {"baseline": "no-ranking", "min_absolute_change": 0.05}
    after["baselines"][0]["metrics"] = {"test_roc_auc": 0.4}
    found = difference(before, after)
    assert found.loosened == ("ranks-later-months",)
    (row,) = rows_of(found, "criteria")
    assert [one.field for one in row.fields] == ["baseline_value"]


def test_risks_show_their_score_on_both_sides(before, after):
    after["risks"][0]["impact"] = 5
    (row,) = rows_of(difference(before, after), "risks")
    assert (row.score_before.score, row.score_before.band) == (12, "high")
    assert (row.score_after.score, row.score_after.band) == (20, "critical")


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_hold_both_texts_whole(one, other):
    pieces = word_pieces(one, other)
    assert "".join(piece.text for piece in pieces if piece.change != "added") == one
    assert "".join(piece.text for piece in pieces if piece.change != "removed") == other


def test_only_known_words_are_editorial(before):
    names = {field.name for field in fields_of(ScopingDocument)} | set(CHILDREN)
    assert names >= changes.EDITORIAL_FIELDS
    assert set(material_part(before)) == set(before) - changes.EDITORIAL_FIELDS
    assert "anything_new" in material_part({"anything_new": 1})


def test_every_child_list_has_a_key_of_existing_fields():
    assert set(changes.ROW_KEYS) == set(CHILDREN)
    for name, keys in changes.ROW_KEYS.items():
        model, _ = CHILDREN[name]
        assert set(keys) <= {field.name for field in fields_of(model)}


def test_roles_sign_for_fields_that_exist():
    names = {field.name for field in fields_of(ScopingDocument)} | set(CHILDREN)
    for parts in carrying.SIGNED_PARTS.values():
        assert parts <= names


@pytest.mark.parametrize(
    ("mode", "touched", "survives"),
    [
        ("keep", {"criteria"}, {"business_owner": True, "data_owner": True}),
        ("reset_all", set(), {"business_owner": False, "data_owner": False}),
        ("reset_affected", {"criteria"}, {"business_owner": False, "data_owner": True}),
        ("reset_affected", {"data_sources"}, {"business_owner": False, "data_owner": False}),
        ("reset_affected", set(), {"business_owner": True, "data_owner": True}),
        ("anything else", {"criteria"}, {"business_owner": False, "data_owner": False}),
    ],
)
def test_policy_decides_which_sign_offs_survive(mode, touched, survives):
    found = carrying.survivals(mode, survives, frozenset(touched))
    assert {one.role: one.survives for one in found} == survives
    assert all(one.reason.endswith(".") for one in found)
