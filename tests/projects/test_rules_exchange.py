"""Reading and writing backlogs: what goes out comes back, and trouble names its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.exchange import COLUMNS, keys_in, read, write_csv, write_json
from projects.rules.spreadsheet import quoted, unquoted
from projects.rules.text_files import MOST_ROWS, Unreadable

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
FORMULAS = st.builds(
    str.__add__, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'", " =", ""]), TEXT
)
ROW = st.fixed_dictionaries({"title": FORMULAS, "description": FORMULAS, "kind": st.just("task")})


@given(FORMULAS)
def test_a_cell_is_read_back_as_it_was(text):
    assert unquoted(quoted(text)) == text


@given(FORMULAS)
def test_no_cell_begins_as_a_formula(text):
    assert quoted(text).lstrip(" ")[:1] not in set("=+-@\t\r\n")


@given(st.lists(ROW, min_size=1, max_size=8))
def test_csv_round_trip(rows):
    table = read(write_csv(rows).encode())
    expected = [{name: row.get(name, "") for name in COLUMNS} for row in rows]
    assert [dict(row.values) for row in table.rows] == expected


@given(st.lists(ROW, min_size=1, max_size=8))
def test_json_round_trip(rows):
    assert [dict(row.values) for row in read(write_json(rows).encode()).rows] == rows


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty"),
        (b"kind;title\ntask;A\n", "Line 1: the columns are parted by semicolons"),
        (b"kind\ttitle\n", "parted by tabs"),
        (b"kind,title,title\n", "Line 1: the header names title twice"),
        (b"kind,points\n", "Line 1: the header lacks title"),
        (b"kind,title\ntask,A\ntask,A,B\n", "Line 3: 3 cells, but the header names 2"),
        (b'kind,title\ntask,A\ntask,"A"B\n', "Line 3: the quotes do not match"),
        (b'kind,title\ntask,"A\n', "Line 2: the quotes do not match"),
        (b"kind,title\ntask,caf\xe9\n", "Line 2: the byte 0xE9 at position 20"),
        (b"kind,title\ntask,\x00\n", "Line 2: the file holds a null character"),
        (b'[{"kind": \n', "Line 2: this is no JSON"),
        (b'{"items": []}', "list of work items"),
        (b"[1]", "list of work items"),
        (b'[{"points": NaN}]', "NaN is not a number"),
        (b"x" * 2_200_000, "Split it"),
        (b"kind,title\n" + b"task,A\n" * (MOST_ROWS + 1), f"at most {MOST_ROWS} are read"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_do(data, expected):
    with pytest.raises(Unreadable) as refusal:
        read(data)
    assert expected in str(refusal.value)


def test_a_byte_order_mark_and_empty_lines_do_no_harm():
    table = read("kind,title,colour\n\ntask,Äpfel\u2028,red\n".encode("utf-8-sig"))
    assert [(row.number, row.values["title"]) for row in table.rows] == [(3, "Äpfel\u2028")]
    assert table.unknown == ("colour",)


def test_lines_are_counted_in_the_file_and_not_in_rows():
    table = read(b'kind,title\ntask,"two\nlines"\ntask,B\n')
    assert [row.number for row in table.rows] == [2, 4]


JIRA_HEADER = (
    "Summary,Issue key,Issue id,Issue Type,Status,Priority,Assignee,Labels,Labels,Sprint,Sprint,"
    "Custom field (Story Points),Custom field (Epic Link),Due date,Created,Description"
)
JIRA = f"""{JIRA_HEADER}
Weigh the classes,DEP-2,10002,Story,In Progress,High,sam,ml,calls,Sprint 1,Sprint 2,3.0,DEP-1,,\
01/Nov/26 9:00 AM,"As agreed, with Dora"
Uplift,DEP-1,10001,Epic,To Do,Low,,,,,,,,,01/Nov/26 9:00 AM,
"""


def test_jiras_export_is_understood():
    table = read(JIRA.encode())
    story, epic = (dict(row.values) for row in table.rows)
    assert table.shape == "jira"
    assert table.unknown == ("Issue id",)
    assert story["description"] == (
        "As agreed, with Dora\n\nPriority: High\nLabels: ml, calls\nCreated: 01/Nov/26 9:00 AM"
    )
    del story["description"]
    assert story == {
        "title": "Weigh the classes", "key": "DEP-2", "kind": "story", "status": "In Progress",
        "assignee": "sam", "sprint": "Sprint 2", "points": "3", "parent": "DEP-1",
    }  # fmt: skip
    assert (epic["kind"], epic["key"]) == ("epic", "DEP-1")


def test_keys_are_read_from_lists_and_cells():
    assert keys_in("A-1, A-2;A-3  A-4") == keys_in(["A-1", "A-2", "A-3", "A-4"])
    assert keys_in(None) == []


def test_json_keeps_what_csv_flattens():
    row = {"kind": "spike", "title": "S", "depends_on": ["A-1"], "details": {"question": "Why?"}}
    assert json.loads(write_json([row]))["work_items"] == [row]
    cells = read(write_csv([row]).encode()).rows[0].values
    assert (cells["depends_on"], json.loads(cells["details"])) == ("A-1", row["details"])
