"""Every page and every button, for each role of the cast and a stranger, by state."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client

from tests.access.bodies import body_of, question_of
from tests.access.cells import (
    BARRED,
    DONE,
    LOST,
    STRANGER,
    Answer,
    acts,
    browser,
    cells,
    complaint,
    expected,
    is_posted,
    on_page,
    require_a_place,
    undone,
    wrong_acts,
)
from tests.access.members import MEMBERS
from tests.access.routes import Row, table
from tests.access.things import Things, two_states

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard, pytest.mark.slow]
PAGES = [row for row in table() if row.method == "PAGE"]
BUTTONS = [row for row in PAGES if is_posted(row) and row.action != "signed-in"]
#: Where somebody is sent who has to sign in, and from the first page to what is behind it.
SIGN_IN = (resolve_url(settings.LOGIN_URL), "/inbox/")
SCORING = ("pipeline:invocations", "pipeline:labels")


def press(row: Row, state: str, username: str, things: Things) -> Answer:
    """Press a button as somebody while its thing is in a state, and undo whatever it did."""

    def pressed() -> Answer:
        things.put(row.thing, state)
        body: Any = body_of(row, things, username)
        more = {}
        if row.name in SCORING:
            more = {"content_type": "application/json", "HTTP_ORIGIN": "http://testserver"}
        return on_page(things.address(row), body, username, **more)

    answer: Answer = undone(pressed)
    return answer


def fits(row: Row, wanted: int, told: Answer) -> bool:
    """Return whether a page answers as the table says; it tells what it refuses in words."""
    if wanted == LOST and row.thing == "-":
        # The form names the project; who has none gets it back.
        return told.status in {LOST, BARRED}
    if wanted in {DONE, LOST}:
        return told.status == wanted
    return told.status in {BARRED, 409, 422}


@pytest.mark.parametrize("space", ["governance", "pipeline", "projects"])
def test_each_button_answers_each_role_in_each_state(things: Things, space: str) -> None:
    wrong = []
    for row in BUTTONS:
        if not row.name.startswith(space):
            continue
        for state, username in cells(row, two_states(row), sparing=True):
            told, wanted = press(row, state, username, things), expected(row, state, username)
            if not fits(row, wanted, told) or wrong_acts(row, told):
                wrong.append(complaint(row, state, username, wanted, told))
    assert not wrong, "\n".join(wrong)


def test_each_page_of_a_project_is_shown_to_its_members_alone(things: Things) -> None:
    wrong = []
    for row in PAGES:
        if not row.action.startswith("project"):
            continue
        address = things.address(row)
        for username in (*MEMBERS, STRANGER):
            told = browser(username).get(address, question_of(row, things, username))
            require_a_place(told)
            wanted = expected(replace(row, action="project", states="*", marks=()), "", username)
            if told.status_code not in ({DONE, 302} if wanted == DONE else {LOST}):
                wrong.append(complaint(row, "", username, wanted, Answer(told.status_code)))
    assert not wrong, "\n".join(wrong)


def test_pages_for_all_are_open_to_whoever_is_signed_in_and_to_nobody_else(things: Things) -> None:
    wrong = []
    for row in PAGES:
        if row.action != "signed-in":
            continue
        address = things.address(row)
        post = row.is_quiet
        for username in ("lena", STRANGER):
            client = browser(username)
            told = (
                client.post(address)
                if post
                else client.get(address, question_of(row, things, username))
            )
            require_a_place(told)
            if told.status_code not in {200, 302}:
                wrong.append(complaint(row, "", username, DONE, Answer(told.status_code)))
    assert not wrong, "\n".join(wrong)


def test_whom_nobody_knows_is_sent_to_sign_in(things: Things) -> None:
    wrong = []
    before, stranger = acts(), Client()
    for row in PAGES:
        for method in ("get", "post"):
            told = getattr(stranger, method)(things.address(row))
            wanted = {200} if row.action == "public" else {302, 401}
            sent_in = told.status_code == 302 and not told["Location"].startswith(SIGN_IN)
            if told.status_code not in {*wanted, 405} or sent_in:
                wrong.append(complaint(row, "", "nobody", 401, Answer(told.status_code)))
    assert not wrong, "\n".join(wrong)
    assert acts() == before
