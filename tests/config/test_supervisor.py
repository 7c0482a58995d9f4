"""Children live and die together, and none is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from config import supervisor as supervision
from config.supervisor import Child, ChildDied, Stopped, Supervisor
from tests.config.conftest import is_alive

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "import time; time.sleep(60)"
# Starts a process of its own, says both numbers, and stays.
FAMILY = """
import subprocess, sys, os, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


def python(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-c", code])


@pytest.fixture
def lines() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def supervisor(lines):
    with Supervisor(env=os.environ, cwd=ROOT, sink=lambda *line: lines.append(line)) as it:
        yield it


def said(supervisor, lines) -> str:
    assert supervisor.wait_until(lambda: bool(lines), seconds=10)
    return lines[0][1]


def test_output_carries_the_name_of_its_child(supervisor, lines):
    supervisor.start(python("web", f"print('hello'); {SLEEP}"))
    assert said(supervisor, lines) == "hello"
    assert lines == [("web", "hello")]


def test_a_task_gives_its_exit_code(supervisor):
    assert supervisor.run(python("task", "raise SystemExit(7)")) == 7


def test_a_dead_child_is_named_with_its_last_words(supervisor):
    supervisor.start(python("web", SLEEP))
    supervisor.start(python("worker", "print('no queue'); raise SystemExit(3)"))
    with pytest.raises(ChildDied) as death:
        supervisor.watch()
    assert str(death.value).startswith("The worker process ended with exit code 3")
    assert death.value.last_lines == ("no queue",)


def test_a_killed_child_is_named_with_the_signal(supervisor, lines):
    supervisor.start(python("web", f"import os; print(os.getpid()); {SLEEP}"))
    os.kill(int(said(supervisor, lines)), signal.SIGKILL)
    with pytest.raises(ChildDied, match="web process was killed by signal 9"):
        supervisor.watch()


def test_a_child_that_dies_during_a_task_ends_the_task(supervisor):
    supervisor.start(python("web", "import time; time.sleep(0.3)"))
    started = time.monotonic()
    with pytest.raises(ChildDied):
        supervisor.run(python("task", SLEEP))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_watch(supervisor, signum):
    supervisor.start(python("web", SLEEP))
    threading.Timer(0.3, os.kill, (os.getpid(), signum)).start()
    with pytest.raises(Stopped) as stop:
        supervisor.watch()
    assert stop.value.signum == signum


def test_stopping_ends_what_a_child_has_started_too(supervisor, lines, gone):
    supervisor.start(python("worker", FAMILY))
    family = [int(pid) for pid in said(supervisor, lines).split()]
    assert all(is_alive(pid) for pid in family)
    supervisor.stop()
    assert gone(*family, seconds=1)


def test_a_child_that_ignores_sigterm_is_killed(supervisor, lines, monkeypatch):
    monkeypatch.setattr(supervision, "GRACE_SECONDS", 0.3)
    supervisor.start(python("worker", STUBBORN))
    said(supervisor, lines)
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 5


def test_the_grace_leaves_room_in_ten_seconds():
    assert supervision.GRACE_SECONDS + 2 < 10


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor(env=os.environ, cwd=ROOT, sink=lambda *_: None):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_children_end_when_the_supervisor_is_killed(gone):
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from config.supervisor import Child, Supervisor
        code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        sink = lambda _, line: print(line, flush=True)
        with Supervisor(env=os.environ, cwd=Path.cwd(), sink=sink) as it:
            it.start(Child("web", [sys.executable, "-c", code]))
            it.watch()
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    assert gone(child)


def test_a_child_without_its_supervisor_does_not_start():
    command = [sys.executable, "-m", "config.child", "1", sys.executable, "-c", "print('started')"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
