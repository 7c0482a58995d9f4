"""One instance on one machine: its directory, its port, its child processes."""

import fcntl
import json
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from config.supervisor import Child, Sink

LOCK_FILE = "up.lock"
DEMO_MARKER = ".countersign-demo"
READY_SECONDS = 120.0
WEB_THREADS = 8
# Settings that say where an instance keeps its things; a demo must inherit none of them.
PLACES = (
    "ALLOWED_HOSTS",
    "ARTIFACT_ROOT",
    "BASE_URL",
    "CONTENT_STORE",
    "DATABASE_URL",
    "LEDGER_ANCHORS",
    "LEDGER_KEY_FILE",
    "LEDGER_ORIGIN",
    "MLFLOW_DATABASE_URI",
    "REDIS_URL",
    "SECRET_KEY",
)
# What people set for their own MLflow client; in a child it would lead jobs to another server, or
# make them act as that person.
CLIENT_SETTINGS = (
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_RUN_ID",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_USERNAME",
)


class InstanceError(Exception):
    """The instance cannot start; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Address:
    """Where the web process listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Return the address under which this machine reaches the web process."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def bind(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def require_free(address: Address) -> None:
    """Raise unless the web process will be able to listen there."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InstanceError(
            f"Cannot listen on {address.bind} ({reason}); stop what uses it or choose another "
            "port with --port."
        ) from error


def require_writable(home: Path) -> None:
    """Make the instance's directory if need be; raise unless files can be written in it."""
    probe = home / f".write-test-{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "static").mkdir(exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InstanceError(
            f"Cannot write to {home} ({error.strerror}); give this user the right to write there "
            "or set COUNTERSIGN_HOME to another directory."
        ) from error


@contextmanager
def claimed(home: Path) -> Iterator[TextIO]:
    """Hold the directory for this process, so that no second instance runs on the same files."""
    with (home / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InstanceError(
                f"Another instance already runs on {home}; stop it first or set COUNTERSIGN_HOME "
                "to another directory."
            ) from error
        yield lock


def clear_demo(home: Path) -> None:
    """Empty the demo's directory, and only one that an earlier demo made.

    The lock file stays: it is held while this runs.
    """
    marker = home / DEMO_MARKER
    strangers = [path for path in home.iterdir() if path.name not in {LOCK_FILE, "static"}]
    if strangers and not marker.exists():
        raise InstanceError(
            f"{home} holds files that no demo made; move them away, then start the demo again."
        )
    marker.write_text("Everything here is deleted by the next `manage.py demo`.\n")
    for path in home.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in {LOCK_FILE, DEMO_MARKER}:
            path.unlink()
    (home / "static").mkdir()


def environment(
    home: Path, address: Address, *, workers: int, inherited: Mapping[str, str]
) -> dict[str, str]:
    """Return what the children find in their environment; what was set by hand mostly wins.

    Jobs reach MLflow through this instance's own gateway, whatever a person's client points at.
    """
    hosts = dict.fromkeys(["127.0.0.1", "localhost", "[::1]", address.host])
    return {
        "ALLOWED_HOSTS": ",".join(hosts),
        "BASE_URL": address.url,
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        **{name: value for name, value in inherited.items() if name not in CLIENT_SETTINGS},
        "COUNTERSIGN_HOME": str(home),
        "MLFLOW_TRACKING_URI": f"{address.url}/mlflow",
        "WORKERS": str(workers),
    }


def without_places(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without anything that names another instance's data."""
    return {name: value for name, value in inherited.items() if name not in PLACES}


def web(address: Address) -> Child:
    """Return the web process: one with threads, since every process carries MLflow's memory."""
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", address.bind]
    shape = ["--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS)]
    times = ["--timeout", "600", "--graceful-timeout", "5", "--keep-alive", "5"]
    quiet = ["--log-level", "warning", "--no-control-socket"]
    return Child("web", [*gunicorn, *shape, *times, *quiet])


def manage(command: str, *arguments: str, name: str = "") -> Child:
    """Return a management command as a child."""
    return Child(name or command, [sys.executable, "manage.py", command, *arguments])


def background() -> list[Child]:
    """Return everything that runs beside the web process."""
    return [manage("worker"), manage("poll_promotions", name="promotions")]


def is_ready(address: Address) -> bool:
    """Say whether the web process answers that it can do its work."""
    try:
        with urllib.request.urlopen(f"{address.url}/readyz", timeout=5) as reply:  # noqa: S310
            return bool(json.load(reply)["status"] == "ok")
    except (OSError, ValueError, KeyError):
        return False


def prefixed(stream: TextIO) -> Sink:
    """Return a sink that writes every line with its child's name in front."""

    def write(name: str, line: str) -> None:
        stream.write(f"{name:<10} | {line}\n")
        stream.flush()

    return write


def log_files(directory: Path) -> Sink:
    """Return a sink that gives every child a file of its own."""
    directory.mkdir(parents=True, exist_ok=True)

    def write(name: str, line: str) -> None:
        with (directory / f"{name}.log").open("a") as file:
            file.write(f"{line}\n")

    return write
