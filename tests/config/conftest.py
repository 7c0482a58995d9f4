"""Fixtures for tests that start real processes."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie waiting for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def gone() -> Callable[..., bool]:
    """Wait until every process has ended: `gone(*pids)` is False when one stays."""

    def wait(*pids: int, seconds: float = 10) -> bool:
        deadline = time.monotonic() + seconds
        while any(is_alive(pid) for pid in pids):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    return wait


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
