"""What a cell of the table must answer, and what a call at its door answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages import constants, get_messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler
from django.urls import Resolver404, resolve
from rest_framework.test import APIClient, ForceAuthClientHandler

from governance.access import ACTIONS as GOVERNANCE
from ledger.models import LedgerEntry
from pipeline.access import ACTIONS as PIPELINE
from projects.access import ACTIONS as PROJECTS
from tests.access.members import MEMBERS
from tests.access.routes import Row

ACTIONS: dict[str, frozenset[str]] = {**PROJECTS, **GOVERNANCE, **PIPELINE}
APPS: dict[str, Mapping[str, frozenset[str]]] = {
    "projects": PROJECTS, "governance": GOVERNANCE, "pipeline": PIPELINE,
}  # fmt: skip
STRANGER = "otto"
#: Whose token and notice the addresses name that are for nobody else.
OWNER = "mia"
#: Rights of an instance, not of a project: who was granted them in the tests' world.
GRANTED = {
    "perm:projects.add_project": {"lena"},
    "perm:governance.add_policyversion": {"rita"},
    "perm:governance.publish_policyversion": {"rita", "vera"},
    "perm:ledger.view_ledgerentry": {"axel"},
}
#: Loading the middleware takes longer than most calls, so it is loaded once.
_REST, _PAGES = ForceAuthClientHandler(enforce_csrf_checks=False), ClientHandler(False)
DONE, BARRED, LOST, HELD = 200, 403, 404, 422


@dataclass(frozen=True)
class Answer:
    """What came of a call: its status, 200 for all that was done, and how many acts it left."""

    status: int
    acts: int = 0
    detail: str = field(default="", compare=False)


def is_posted(row: Row) -> bool:
    """Return whether the row is about a command: an action, a right, or a thing of one's own."""
    return row.command in ACTIONS or row.command in GRANTED or row.command in {"own", "signed-in"}


def may(row: Row, username: str, actions: Mapping[str, frozenset[str]] = ACTIONS) -> bool:
    """Return whether the table lets somebody past the door, whatever the state."""
    if username in row.people("not"):
        return False
    if username in row.people("also"):
        return True
    only = row.people("only")
    return _has_right(row, username, actions) and (not only or username in only)


def _has_right(row: Row, username: str, actions: Mapping[str, frozenset[str]]) -> bool:
    if row.command in GRANTED:
        return username in GRANTED[row.command]
    if row.command == "own":
        return username == OWNER
    if row.command in {"signed-in", "project"}:
        return True
    return MEMBERS.get(username) in actions[row.command]


def expected(
    row: Row, state: str, username: str, actions: Mapping[str, frozenset[str]] = ACTIONS
) -> int:
    """Return the one status that a cell must answer."""
    if username == STRANGER and row.command not in {*GRANTED, "signed-in"}:
        return LOST
    if not may(row, username, actions):
        # Rows that are shown to some alone are not there for others.
        return LOST if row.action in {"own", "project"} else BARRED
    if not row.is_open(state):
        return row.otherwise
    return HELD if username in row.people("held") else DONE


def cells(row: Row, states: tuple[str, ...], *, sparing: bool = False) -> Iterator[tuple[str, str]]:
    """Yield state and person: everybody where the command is open, those who may elsewhere.

    `sparing` takes only the first of those who may: the door leads to a command whose states
    another door has tried.
    """
    first = next((state for state in states if row.is_open(state)), "")
    held = row.people("held")
    lucky = [name for name in MEMBERS if may(row, name) and name not in held]
    unlucky = [name for name in MEMBERS if not may(row, name)]
    yield from ((first, username) for username in (*MEMBERS, STRANGER))
    others = lucky[:1] if sparing else [*lucky, *unlucky[:1]]
    for state in states if row.states != "*" else ():
        yield from ((state, username) for username in others if state != first)


def undone(call: Callable[[], Any]) -> Any:
    """Return what a call answers, and undo whatever it did."""
    with transaction.atomic():
        answer = call()
        transaction.set_rollback(True)
    return answer


def acts() -> int:
    """Return how many acts are on record; a refusal is none."""
    return LedgerEntry.objects.exclude(event="attempt.denied").count()


def caller(username: str) -> APIClient:
    """Return a REST client that is signed in through the session."""
    client = APIClient()
    client.handler = _REST
    client.force_authenticate(user=User.objects.get(username=username))
    return client


def browser(username: str) -> Client:
    """Return a browser that is signed in."""
    client = Client()
    client.handler = _PAGES
    client.force_login(
        User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def over_rest(row: Row, address: str, body: dict[str, Any], username: str) -> Answer:
    """Call a command over REST."""
    form = "multipart" if _has_file(body) else "json"
    before = acts()
    told = getattr(caller(username), row.method.lower())(address, body, format=form)
    status = DONE if told.status_code < 300 else told.status_code
    return Answer(status, acts() - before, "" if status == DONE else told.content.decode()[:300])


def on_page(address: str, body: dict[str, Any], username: str, **more: Any) -> Answer:
    """Post a form; what a message tells as refused is 403, whatever the page's status is."""
    before = acts()
    told = browser(username).post(address, body, **more)
    refused = [str(one) for one in get_messages(told.wsgi_request) if one.level >= constants.ERROR]
    status = told.status_code
    if status < 400:
        status = BARRED if refused else DONE
        require_a_place(told)
    return Answer(status, acts() - before, "; ".join(refused))


def require_a_place(told: Any) -> None:
    """Fail where a page sends its reader to an address that nobody serves."""
    if told.status_code in {301, 302}:
        place = told["Location"].partition("#")[0].partition("?")[0]
        try:
            resolve(place)
        except Resolver404:
            raise AssertionError(f"A page sends its reader to {place}, which is nowhere.") from None


def wrong_acts(row: Row, answer: Answer) -> bool:
    """Return whether a call left more or less on record than its answer says."""
    if answer.status != DONE:
        return answer.acts != 0
    return (answer.acts == 0) != row.is_quiet


def complaint(row: Row, state: str, username: str, wanted: int, told: Answer) -> str:
    """Say in a line which cell is wrong."""
    cell = f"{row.method} {row.name} {state or '*'} {username}"
    return f"{cell}: {wanted} wanted, {told.status} with {told.acts} acts. {told.detail}"


def _has_file(body: dict[str, Any]) -> bool:
    return any(isinstance(value, UploadedFile) for value in body.values())
