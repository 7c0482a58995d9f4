"""MLflow's own WSGI application, built once in each process and wired to the governed stores."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from pipeline.gateway import wiring
from pipeline.gateway.identity import acting_as
from projects.actors import system

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_lock = threading.Lock()
_built: dict[str, WsgiApp] = {}


def store_uri() -> str:
    """Return the address of MLflow's database under our scheme, for both governed stores."""
    scheme, _, rest = settings.MLFLOW_DATABASE_URI.partition("://")
    # MLflow chooses the store by the whole scheme; SQLAlchemy's default driver is the one we ship.
    return f"{wiring.SCHEME}{scheme.partition('+')[0]}://{rest}"


def artifacts_destination() -> str:
    """Return the address of the artifact directory under our scheme."""
    return f"{wiring.ARTIFACT_SCHEME}://{Path(settings.ARTIFACT_ROOT).resolve()}"


def mlflow_app() -> WsgiApp:
    """Return MLflow's application, building it on first use: that imports MLflow and costs 2 s."""
    if "app" not in _built:
        with _lock:
            if "app" not in _built:
                _built["app"] = _build()
    return _built["app"]


def _build() -> WsgiApp:
    migrate_mlflow()
    os.environ.update(_environment())
    with _client_defaults_restored(), acting_as(system("gateway")):
        from mlflow.server import app, handlers

        handlers.initialize_backend_stores(store_uri(), store_uri(), "mlflow-artifacts:/")
    wsgi_app: WsgiApp = app.wsgi_app
    return wsgi_app


def _environment() -> dict[str, str]:
    """Return what `mlflow server` would hand to its workers, and what we switch off."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": store_uri(),
        "_MLFLOW_SERVER_REGISTRY_STORE": store_uri(),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts_destination(),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        # Django has checked the host, and the gateway the origin, more strictly: MLflow's own
        # check lets pages of any port on localhost send the user's cookies.
        "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
    }


@contextmanager
def _client_defaults_restored() -> Iterator[None]:
    """Keep MLflow's server from telling child processes to open its database themselves."""
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def migrate_mlflow() -> None:
    """Create or upgrade MLflow's database, one process at a time, and switch SQLite to WAL.

    Two workers that open an empty database at once would break it for good, so every way in goes
    through this lock; `up` calls it before it starts any worker.
    """
    uri = settings.MLFLOW_DATABASE_URI
    with _file_lock(Path(settings.HOME) / "locks" / "mlflow-migration"):
        if uri.startswith("sqlite"):
            _use_write_ahead_log(uri)
        from mlflow.store.db.utils import (
            _all_tables_exist,
            _get_latest_schema_revision,
            _get_schema_version,
            _initialize_tables,
            _upgrade_db,
            create_sqlalchemy_engine_with_retry,
        )

        engine = create_sqlalchemy_engine_with_retry(uri)
        try:
            if not _all_tables_exist(engine):
                _initialize_tables(engine)
            elif _get_schema_version(engine) != _get_latest_schema_revision():
                _upgrade_db(engine)
        finally:
            engine.dispose()


def _use_write_ahead_log(uri: str) -> None:
    path = Path(uri.partition(":///")[2])
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
