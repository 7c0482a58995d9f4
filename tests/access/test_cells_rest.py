"""Every command and every view over REST, for each role of the cast and a stranger, by state."""

import pytest

from tests.access.bodies import body_of, question_of
from tests.access.cells import (
    APPS,
    STRANGER,
    Answer,
    caller,
    cells,
    complaint,
    expected,
    is_posted,
    over_rest,
    undone,
    wrong_acts,
)
from tests.access.members import MEMBERS
from tests.access.routes import Row, table
from tests.access.things import Things, states_of

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard, pytest.mark.slow]
READING = [row for row in table() if row.method == "GET"]
WRITING = [row for row in table() if row.method in {"POST", "PUT", "PATCH"} and is_posted(row)]


def app_of(row: Row) -> str:
    return next((app for app, actions in APPS.items() if row.command in actions), "instance")


def call(row: Row, state: str, username: str, things: Things) -> Answer:
    """Knock as somebody at a door whose thing is in a state, and undo whatever it did."""

    def knock() -> Answer:
        things.put(row.thing, state)
        return over_rest(row, things.address(row), body_of(row, things, username), username)

    answer: Answer = undone(knock)
    return answer


@pytest.mark.parametrize("app", [*APPS, "instance"])
def test_each_command_answers_each_role_in_each_state(things: Things, app: str) -> None:
    wrong = []
    for row in WRITING:
        if app_of(row) != app:
            continue
        for state, username in cells(row, states_of(row)):
            told = call(row, state, username, things)
            wanted = expected(row, state, username)
            if told.status != wanted or wrong_acts(row, told):
                wrong.append(complaint(row, state, username, wanted, told))
    assert not wrong, "\n".join(wrong)


def test_each_view_shows_each_role_what_is_theirs_to_see(things: Things) -> None:
    wrong = []
    for row in READING:
        address = things.address(row)
        # Lists are open to all and cut to what one may see, which their own tests look at.
        people = ["lena", STRANGER] if row.action == "signed-in" else [*MEMBERS, STRANGER]
        for username in people:
            told = caller(username).get(address, question_of(row, things, username))
            wanted = expected(row, "", username)
            if told.status_code != wanted:
                answer = Answer(told.status_code, 0, told.content.decode()[:300])
                wrong.append(complaint(row, "", username, wanted, answer))
    assert not wrong, "\n".join(wrong)
