"""A real server of several processes on the test's database, and people who press at once."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

WORKERS, THREADS = 3, 16
STARTS_WITHIN, ANSWERS_WITHIN = 120, 180
CSRF = "c" * 32


@dataclass(frozen=True)
class Press:
    """What one person posts to which address."""

    user: User
    address: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What the person was answered."""

    user: str
    status: int
    body: Any


def database_url() -> str:
    """Return the address of the database that the running test uses."""
    values = connection.settings_dict
    if values["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{values['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**values)


@contextmanager
def served(home: Path, *, naive: bool = False) -> Iterator[str]:
    """Run the service with several processes, and end every one of them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "COUNTERSIGN_HOME": str(home),
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": database_url(),
        "MLFLOW_DATABASE_URI": settings.MLFLOW_DATABASE_URI,
        "COUNTERSIGN_TEST_NAIVE": "1" if naive else "",
    }
    command = [sys.executable, "-m", "gunicorn", "tests.concurrency.serving:application"]
    shape = ["--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS)]
    where = ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"]
    log = home / "web.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [*command, *shape, *where, "--timeout", "300"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(timeout=30)


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"The service did not start: {log.read_text()[-2000:]}")


def session_of(user: User) -> str:
    """Return the key of a browser session in which a user is signed in."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def press_at_once(base: str, presses: Sequence[Press]) -> list[Told]:
    """Post all at the same moment, each in a session of its own; return what each was told."""
    sessions = [session_of(press.user) for press in presses]
    barrier = threading.Barrier(len(presses))
    told: list[Told | None] = [None] * len(presses)

    def run(place: int) -> None:
        request = _request(base, presses[place], sessions[place])
        barrier.wait(timeout=60)
        told[place] = _answer(presses[place].user, request)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(presses))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=ANSWERS_WITHIN)
    answers = [one for one in told if one is not None]
    assert len(answers) == len(presses), "somebody was not answered"
    return answers


def _request(base: str, press: Press, session: str) -> urllib.request.Request:
    headers = {
        "Content-Type": "application/json",
        "Cookie": f"sessionid={session}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        "Referer": f"{base}/",
    }
    body = json.dumps(press.body).encode()
    where = f"{base}{press.address}"
    return urllib.request.Request(where, body, headers, method="POST")  # noqa: S310


def _answer(user: User, request: urllib.request.Request) -> Told:
    try:
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as reply:  # noqa: S310
            return Told(user.username, reply.status, _read(reply.read()))
    except urllib.error.HTTPError as error:
        return Told(user.username, error.code, _read(error.read()))


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body[:500].decode(errors="replace")
