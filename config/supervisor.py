"""Child processes that live and die together: started in order, watched, ended without orphans."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Self

#: Seconds that children get to end by themselves after SIGTERM; then their groups are killed.
GRACE_SECONDS = 7.0
POLL_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Takes a child's name and one line of its output.
Sink = Callable[[str, str], None]


class ChildDied(Exception):
    """A child ended although it should run for as long as the supervisor does."""

    def __init__(self, name: str, code: int, last_lines: Sequence[str]) -> None:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"The {name} process {how}, so everything else was stopped.")
        self.last_lines = tuple(last_lines)


class Stopped(Exception):
    """Someone asked the supervisor to end (Ctrl-C or SIGTERM)."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@dataclass(frozen=True)
class Child:
    """A command and the name under which people know it."""

    name: str
    command: Sequence[str]


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[str]
    reader: threading.Thread | None = None
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=20))


class Supervisor:
    """Start children, wait on them, and leave none behind.

    Use it as a context manager from the main thread: leaving the block, by whatever way, ends
    every child and everything a child started. Children that the supervisor cannot end itself,
    because it was killed with SIGKILL, get SIGTERM from the kernel (`config.child`).
    """

    def __init__(self, *, env: Mapping[str, str], cwd: Path, sink: Sink) -> None:
        self._env = {**env, "PYTHONUNBUFFERED": "1"}
        self._cwd = cwd
        self._sink = sink
        self._children: list[_Running] = []
        self._signum = 0
        self._former_handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        for signum in STOP_SIGNALS:
            self._former_handlers[signum] = signal.signal(signum, self._note_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        finally:
            for signum, handler in self._former_handlers.items():
                signal.signal(signum, handler)  # type: ignore[arg-type]

    def start(self, child: Child) -> None:
        """Start a child that must run until the end; its output goes to the sink."""
        running = self._spawn(child, capture=True)
        running.reader = threading.Thread(target=self._drain, args=(running,), daemon=True)
        running.reader.start()
        self._children.append(running)

    def run(self, child: Child) -> int:
        """Run a child that ends by itself, with the terminal as its own; return its exit code.

        Raises:
            ChildDied: one of the lasting children ended meanwhile.
            Stopped: the supervisor was asked to end.
        """
        task = self._spawn(child)
        try:
            self.wait_until(lambda: task.process.poll() is not None)
        finally:
            _end([task])
        return task.process.returncode

    def wait_until(self, done: Callable[[], bool], *, seconds: float = float("inf")) -> bool:
        """Watch the children until `done` says so; return False when the time is over."""
        deadline = time.monotonic() + seconds
        while not done():
            self._check()
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def watch(self) -> None:
        """Watch the children until one dies or someone asks to stop; both are raised."""
        self.wait_until(lambda: False)

    def stop(self) -> None:
        """End every child: SIGTERM to all at once, then SIGKILL to the group of whoever stays."""
        _end(self._children)
        for running in self._children:
            if running.reader:
                running.reader.join(timeout=1)
        self._children.clear()

    def _spawn(self, child: Child, *, capture: bool = False) -> _Running:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, and whatever
        # the child starts can be killed as one group.
        guard = [sys.executable, "-m", "config.child", str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603 - commands are the supervisor's own
            [*guard, *child.command],
            env=self._env,
            cwd=self._cwd,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None,
        )
        return _Running(child, process)

    def _drain(self, running: _Running) -> None:
        for line in _lines(running.process.stdout):
            running.tail.append(line)
            # A closed terminal must not stop the reading, or the child would block on a full pipe.
            with contextlib.suppress(OSError, ValueError):
                self._sink(running.child.name, line)

    def _check(self) -> None:
        if self._signum:
            raise Stopped(self._signum)
        for running in self._children:
            code = running.process.poll()
            if code is not None:
                if running.reader:
                    running.reader.join(timeout=1)
                raise ChildDied(running.child.name, code, running.tail)

    def _note_signal(self, signum: int, frame: FrameType | None) -> None:
        self._signum = signum


def _lines(stream: IO[str] | None) -> Iterator[str]:
    with contextlib.suppress(OSError, ValueError):
        for line in stream or ():
            yield line.rstrip("\n")


def _end(running: Sequence[_Running]) -> None:
    for one in running:
        if one.process.poll() is None:
            one.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(one.process.poll() is None for one in running):
        time.sleep(POLL_SECONDS)
    for one in running:
        # Also after a clean end: the child may have left processes of its own behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()
