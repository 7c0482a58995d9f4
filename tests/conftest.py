"""The named cast, the project they work on, and the guards that watch every test."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from rest_framework.test import APIClient

from governance.models import GateReview, Promotion
from ledger import triggers
from ledger.models import LedgerEntry
from projects.actors import Actor
from projects.models import Project, ScopingDocument, Sprint, WorkItem
from projects.services import scoping
from tests import factories, fake_facts
from tests.factories import PASSWORD, UserFactory, session_actor
from tests.remembering import remembered

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("countersign", deadline=None)
hypothesis.settings.load_profile("countersign")


def _cast_member(username: str) -> Callable[[Any], User]:
    def member(db: None) -> User:
        return UserFactory(username=username)

    member.__qualname__ = username
    return pytest.fixture(remembered(member))


lead = _cast_member("lena")
business_owner = _cast_member("bruno")
data_owner = _cast_member("dora")
data_scientist = _cast_member("sam")
ml_engineer = _cast_member("mia")
validator = _cast_member("vera")
risk_officer = _cast_member("rita")
auditor = _cast_member("axel")
outsider = _cast_member("otto")


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory(username="admin", is_superuser=True)


@pytest.fixture
def actor() -> Callable[[User], Actor]:
    """Return the session actor of a user: `actor(lead)`."""
    return session_actor


@pytest.fixture
@remembered
def project(db: None) -> Project:
    return factories.cast_project()


@pytest.fixture
def scope_content() -> dict[str, Any]:
    """Return a balanced scope that may be submitted; a fresh copy for each test."""
    return factories.scope_content_of()


@pytest.fixture
@remembered
def submitted_scope(project: Project, lead: User, scope_content: Any) -> ScopingDocument:
    return factories.submit_scope(project, lead, scope_content)


@pytest.fixture
@remembered
def approved_scope(submitted_scope: ScopingDocument, business_owner: User) -> ScopingDocument:
    return scoping.approve_scoping_document(
        submitted_scope, actor=session_actor(business_owner), review_ref="gate_review:0"
    )


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """Return a REST client that is signed in as a user through the session: `api(lead)`."""

    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user=user)
        return client

    return signed_in


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """Return a browser that is signed in as a user: `client_for(lead)`."""

    def signed_in(user: User) -> Client:
        client = Client()
        assert client.login(username=user.username, password=PASSWORD)
        return client

    return signed_in


@pytest.fixture
def known_facts(settings: Any) -> Iterator[Any]:
    """Let a test say which runs and gates the projects have: `known_facts.a_run("…")`."""
    settings.RUN_SOURCE = "tests.fake_facts.runs_of"
    settings.GATE_SOURCE = "tests.fake_facts.gates_of"
    yield fake_facts
    fake_facts.RUNS.clear()
    fake_facts.GATES.clear()


@pytest.fixture
def racing_db(transactional_db: None) -> Iterator[None]:
    """Real commits with the ledger's triggers on; they come off before the tables are emptied."""
    triggers.install()
    yield
    triggers.drop()
    # Knox's first migration makes this table although its model is swapped for our own; emptying
    # does not know it, and PostgreSQL empties no users that a table still refers to.
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS knox_authtoken")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise AssertionError(f"A test tried to reach {address[0]}.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


#: Rows whose status may change only together with an entry in the ledger.
GOVERNED = (Project, ScopingDocument, Sprint, WorkItem, GateReview, Promotion)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    """Fail a test in whose body a governed row changed its status and nothing was recorded.

    Fixtures may write rows as they like. The mark `no_ledger_guard` opts a test out.
    """
    before = _statuses() if _is_guarded(item) else None
    result = yield
    if before is not None:
        _require_entries(before, _statuses())
    return result


def _is_guarded(item: pytest.Item) -> bool:
    uses_database = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(uses_database) and item.get_closest_marker("no_ledger_guard") is None


def _statuses() -> tuple[int, dict[Any, str]] | None:
    try:
        statuses = {
            (model.__name__, pk): status
            for model in GOVERNED
            for pk, status in model._default_manager.values_list("pk", "status")
        }
        return LedgerEntry.objects.count(), statuses
    except DatabaseError:
        return None  # The test left a broken transaction behind on purpose.


def _require_entries(before: Any, after: Any) -> None:
    if after is None:
        return
    changed = [row for row, status in before[1].items() if after[1].get(row, status) != status]
    if changed and before[0] == after[0]:
        pytest.fail(f"{changed} changed status and nothing was written to the ledger")


def _is_loopback(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
