"""Real processes and a real browser, and how each is known to have ended."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from governance.models import GateReview
from projects.models import Project, ScopingDocument
from projects.permissions import STAKEHOLDERS_GROUP
from tests.e2e.browsing import Window
from tests.factories import install_policies, session_actor
from tests.governance import faces

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def descendants_of(pid: int) -> list[int]:
    """Return every process below `pid`, whoever started it."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(child) for text in _texts(lists) for child in text.split()]
    return [*direct, *(below for child in direct for below in descendants_of(child))]


def _texts(paths: Iterator[Path]) -> Iterator[str]:
    for path in paths:
        try:
            yield path.read_text()
        except OSError:
            continue  # The process ended meanwhile.


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie waiting for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(done: Callable[[], bool], *, seconds: float) -> bool:
    """Say whether `done` came true in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, for the tests of one module."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's synchronous API keeps an event loop in this thread, so Django takes every
        # query of a test for one from a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            yield browser
            browser.close()


@pytest.fixture
def window(
    chromium: Any, racing_db: None, live_server: Any, settings: Any, client_for: Any
) -> Iterator[Callable[..., Window]]:
    """Open a window, signed in as somebody unless told otherwise: `window(lead, width=390)`."""
    settings.BASE_URL = live_server.url
    contexts = []

    def opened(user: User | None = None, *, width: int = 1280, scheme: Any = "light") -> Window:
        viewport = {"width": width, "height": 900}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme)
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            session = client_for(user).cookies["sessionid"].value
            cookie = {"name": "sessionid", "value": session, "url": live_server.url}
            context.add_cookies([cookie])
        return Window(context.new_page(), live_server.url)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def members(racing_db: None, project: Project) -> None:
    """Let everybody on the project open the admin, as being given a role does."""
    group = Group.objects.get(name=STAKEHOLDERS_GROUP)
    for stakeholder in project.stakeholders.select_related("user"):
        stakeholder.user.groups.add(group)


@pytest.fixture
def scope_review(
    racing_db: None, submitted_scope: ScopingDocument, project: Project, lead: User
) -> GateReview:
    """An open review of the scope that Lena wrote; it asks for Bruno and Dora."""
    with transaction.atomic():
        install_policies()
    return faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)
