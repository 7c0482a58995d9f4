"""The table itself: a line for every route, nothing in it that is not there, nothing untried."""

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.access.bodies import BODIES, PARTS
from tests.access.cells import ACTIONS, GRANTED, STRANGER, Answer, expected, is_posted
from tests.access.members import MEMBERS
from tests.access.routes import MARKS, TABLE, Row, addresses, routes, table
from tests.access.test_cells_rest import call
from tests.access.things import STATES, Things

ROWS = table()
WORDS = {"project", "signed-in", "own", "public", "read-only"}
V1 = "/api/v1/"


def test_every_route_has_one_line_and_every_line_a_route() -> None:
    told = Counter((row.method, row.name) for row in ROWS)
    assert [route for route, times in told.items() if times > 1] == []
    named = {row.route for row in ROWS}
    missing, gone = routes() - named, named - routes()
    assert (missing, gone) == (set(), set()), f"Write or delete lines in {TABLE}."


def test_a_route_without_a_line_would_be_found() -> None:
    assert ("POST", "gate-review-sign") in routes()
    assert ("PAGE", "governance:review") in routes()
    assert ("ADMIN", "governance.promotion") in routes()


def test_every_word_of_a_line_is_one_that_there_is() -> None:
    assert {row.command for row in ROWS} - WORDS <= {*ACTIONS, *GRANTED}
    assert {mark.partition(":")[0] for row in ROWS for mark in row.marks} <= MARKS
    people = {name for row in ROWS for mark in ("also", "not", "only", "held")
              for name in row.people(mark)}  # fmt: skip
    assert people <= set(MEMBERS)


def test_every_state_of_a_line_is_tried() -> None:
    told = {
        (row.name, state)
        for row in ROWS
        if row.states != "*"
        for state in set(row.states.split(",")) - set(STATES[row.thing])
    }
    assert told == set()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.no_ledger_guard
@pytest.mark.parametrize(("change", "username"), [("add", "axel"), ("remove", "mia")])
def test_a_line_with_a_role_too_many_or_too_few_would_be_found(
    things: Things, change: str, username: str
) -> None:
    row = next(row for row in ROWS if row.name == "work-item-rank")
    role = frozenset({str(MEMBERS[username])})
    right = ACTIONS[row.command]
    wrong = {row.command: right | role if change == "add" else right - role}
    told: Answer = call(row, "todo", username, things)
    assert told.status == expected(row, "todo", username)
    assert told.status != expected(row, "todo", username, {**ACTIONS, **wrong})


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.no_ledger_guard
@pytest.mark.parametrize(
    "changes",
    [{"states": "active"}, {"action": "work_item.edit"}, {"marks": ("not:lena",)},
     {"marks": ("held:lena",)}],
)  # fmt: skip
def test_a_line_that_says_something_else_would_be_found(
    things: Things, changes: dict[str, Any]
) -> None:
    row = next(row for row in ROWS if row.name == "sprint-start")
    other: Row = replace(row, **changes)
    told = {name: call(row, "planned", name, things).status for name in (*MEMBERS, STRANGER)}
    assert told == {name: expected(row, "planned", name) for name in told}
    assert told != {name: expected(other, "planned", name) for name in told}


def test_nobody_whom_nobody_knows_is_answered_over_rest(db: None) -> None:
    wrong = {}
    for method, name in routes():
        place = addresses().get(name, "")
        if not place.startswith(V1) or method == "HEAD":
            continue
        address = re.sub(r"\(\?P<(\w+)>[^()]*\)|<\w+:(\w+)>", _stand_in, place).replace("^", "")
        verb = "get" if method == "PAGE" else method.lower()
        told = getattr(APIClient(), verb)(address, {}, format="json").status_code
        if told != 401:
            wrong[method, address] = told
    assert wrong == {}


def _stand_in(parameter: re.Match[str]) -> str:
    is_uuid = (parameter[1] or parameter[2]) == "id"
    return "00000000-0000-0000-0000-000000000000" if is_uuid else "1"


def test_every_body_is_of_a_route_that_there_is() -> None:
    known = {name for row in ROWS for name in (row.name, row.route[1])}
    assert ({*BODIES} | {*PARTS}) - known == set()


def test_every_line_says_what_can_be_tried() -> None:
    """A command over REST needs an action; a view may be for members or for all."""
    posted = [row for row in ROWS if row.method in {"POST", "PUT", "PATCH"}]
    assert [row.name for row in posted if not is_posted(row)] == []
