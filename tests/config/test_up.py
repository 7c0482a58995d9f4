"""`manage.py up` as a person runs it: a real process with real children."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OWN_SETTINGS = ("DJANGO_SETTINGS_MODULE", "SECRET_KEY", "COUNTERSIGN_HOME", "DATABASE_URL")


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
    return {**kept, "COUNTERSIGN_HOME": str(home)}


def children_of(pid: int) -> list[int]:
    """Return every descendant of a process."""
    listing = subprocess.run(
        ["ps", "-eo", "pid=,ppid="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    direct = [child for child, parent in parents if parent == pid]
    return [*direct, *(below for child in direct for below in children_of(child))]


class Instance:
    """A running `up` and everything it said."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.log = home.parent / f"up-{port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port)],
                cwd=ROOT,
                env=environment(home),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_until_it_serves(self) -> "Instance":
        deadline = time.monotonic() + 240
        while "answers at" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)
        while len(self.family) < 8:  # web 2, worker 5, promotions 1
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)
        return self

    @property
    def family(self) -> list[int]:
        return children_of(self.process.pid)

    def child(self, word: str) -> int:
        """Return the direct child whose command line has `word`."""
        for pid in self.family:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            if word in command:
                return pid
        raise AssertionError(f"no child runs {word}")

    def end(self, signum: int) -> float:
        """Send the signal and return how many seconds the end took."""
        started = time.monotonic()
        self.process.send_signal(signum)
        self.process.wait(timeout=30)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture
def running(home, free_port):
    instance = Instance(home, free_port)
    try:
        yield instance.wait_until_it_serves()
    finally:
        if instance.process.poll() is None:
            instance.process.terminate()
            instance.process.wait(timeout=30)


def test_first_start_makes_key_and_administrator_and_serves(running):
    password = re.search(r"Administrator 'admin' made, password (\S+)", running.said)
    assert password, running.said
    assert (running.home / "keys" / "secret_key").stat().st_mode & 0o077 == 0
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/readyz", timeout=5) as answer:
        assert json.load(answer) == {"status": "ok"}
    logged = [path for path in running.home.rglob("*") if path.is_file() and path.suffix == ".log"]
    assert all(password[1] not in path.read_text() for path in logged)


def test_the_password_is_not_shown_again(running):
    assert "password" not in running.said


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_asking_it_to_stop_ends_every_child_within_ten_seconds(running, gone, signum):
    family = running.family
    assert running.end(signum) < 10
    assert running.process.returncode == 0
    assert gone(*family, seconds=1)
    assert running.said.rstrip().endswith("Stopped.")


def test_killing_it_ends_every_child_too(running, gone):
    family = running.family
    running.end(signal.SIGKILL)
    assert gone(*family, seconds=15)


@pytest.mark.parametrize(
    ("word", "name"),
    [("gunicorn", "web"), ("manage.py\0worker", "worker"), ("poll_promotions", "promotions")],
)
def test_a_dead_child_ends_everything_with_a_sentence(running, gone, word, name):
    family = running.family
    os.kill(running.child(word), signal.SIGKILL)
    assert running.process.wait(timeout=20) == 1
    assert f"The {name} process was killed by signal 9" in running.said
    assert gone(*family, seconds=1)


def refused(home: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "up", *arguments],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_a_port_in_use_is_one_sentence(running, tmp_path):
    code, said = refused(tmp_path, "--port", str(running.port))
    assert code == 1
    assert said.startswith(f"CommandError: Cannot listen on 127.0.0.1:{running.port}")
    assert "\n" not in said


def test_a_second_instance_on_the_same_home_is_one_sentence(running):
    code, said = refused(running.home, "--port", "0")
    assert (code, "\n" in said) == (1, False)
    assert "Another instance already runs" in said


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path, free_port):
    (tmp_path / "file").write_text("")
    code, said = refused(tmp_path / "file" / "home", "--port", str(free_port))
    assert (code, "\n" in said) == (1, False)
    assert said.startswith("CommandError: Cannot write to")


def test_a_database_that_is_none_is_one_sentence(tmp_path, free_port):
    (tmp_path / "countersign.sqlite3").write_bytes(b"this is not a database" * 100)
    code, said = refused(tmp_path, "--port", str(free_port))
    assert (code, "\n" in said) == (1, False)
    assert "Cannot prepare the database" in said
