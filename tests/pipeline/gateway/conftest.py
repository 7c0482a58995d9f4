"""A live server with MLflow mounted, and people who call it with the ordinary client."""

import functools
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import pandas as pd
import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction

from config.tokens import create_token
from pipeline.adapters import model_writing
from pipeline.adapters.mlflow_client import LoggedRun, MlflowGateway, ModelToLog, RunToLog
from pipeline.gateway import authentication
from pipeline.gateway.app import migrate_mlflow
from tests.factories import install_policies, session_actor
from tests.remembering import database, named
from tests.sqlite_rows import Written, mark_of, state_of, write_again, written_between

Made = TypeVar("Made")

MODEL = "term-deposit-calls"
EXPERIMENT = f"{MODEL}/experiments"


def empty_mlflow() -> None:
    """Empty MLflow's tables, as the test database is emptied after each test that commits."""
    from django.conf import settings
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.db.utils import create_sqlalchemy_engine

    migrate_mlflow()
    engine = create_sqlalchemy_engine(settings.MLFLOW_DATABASE_URI)
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "experiments":
                connection.execute(table.delete())
        experiments = Base.metadata.tables["experiments"]
        connection.execute(experiments.delete().where(experiments.c.experiment_id != 0))
    engine.dispose()


@pytest.fixture(autouse=True)
def own_files(settings: Any) -> None:
    """Keep the process's one artifact root: MLflow's application was built upon it."""
    shutil.rmtree(settings.ARTIFACT_ROOT, ignore_errors=True)


@dataclass
class Mlflow:
    """The gateway's address, with tokens and clients of whoever calls."""

    url: str
    monkeypatch: pytest.MonkeyPatch

    def token(self, user: User) -> str:
        return str(create_token(user, actor=session_actor(user), name="test")[1])

    def client(self, user: User) -> Any:
        """Return the ordinary MLflow client; the last one made decides who calls."""
        from mlflow import MlflowClient

        self.monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", self.token(user))
        self.monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        return MlflowClient(self.url, self.url)

    def gateway(self, user: User) -> MlflowGateway:
        return MlflowGateway(self.url, self.token(user))

    def call(self, user: User, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token(user)}", **more.pop("headers", {})}
        return requests.request(
            method, f"{self.url}{path}", headers=headers, timeout=30, allow_redirects=False, **more
        )


@pytest.fixture
def mlflow_server(
    django_db_reset_sequences: None,
    racing_db: None,
    live_server: Any,
    project: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Mlflow:
    settings.BASE_URL = live_server.url
    # Users come back with the same keys and hashes; what was checked of them does not hold on.
    monkeypatch.setattr(authentication, "_verified", {})
    empty_mlflow()
    return Mlflow(f"{live_server.url}/mlflow", monkeypatch)


@pytest.fixture(scope="session")
def small_model() -> ModelToLog:
    from sklearn.linear_model import LogisticRegression

    rows = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "calls": [1.0, 2.0, 3.0, 4.0]})
    return ModelToLog(LogisticRegression().fit(rows, [0, 0, 1, 1]), rows.head(2))


@pytest.fixture(scope="session")
def written_model(small_model: ModelToLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model's files, written once: that alone takes a second."""
    directory = tmp_path_factory.mktemp("written") / "model"
    model_writing.write(small_model, directory)
    return directory


#: What a run wrote into both databases, and its files.
_runs: dict[Any, tuple[Written, Written, Path, Any]] = {}


def remembered_run(build: Callable[..., Made]) -> Callable[..., Made]:
    """Bring back what a fixture logged through the server, as `remembered` does with rows alone."""

    @functools.wraps(build)
    def recall(**arguments: Any) -> Any:
        if connection.vendor != "sqlite":
            return build(**arguments)
        with closing(sqlite3.connect(_mlflow_file())) as mlflow:
            before, theirs = state_of(database()), state_of(mlflow)
            key = (*named(build), mark_of(before), mark_of(theirs))
            if key in _runs:
                return _bring_back(mlflow, *_runs[key])
            made = build(**arguments)
            ours = written_between(before, state_of(database()))
            logged = written_between(theirs, state_of(mlflow))
        files = Path(mkdtemp(dir=settings.HOME)) / "files"
        shutil.copytree(settings.ARTIFACT_ROOT, files)
        _runs[key] = ours, logged, files, made
        return made

    return recall


def _bring_back(
    mlflow: sqlite3.Connection, ours: Written, logged: Written, files: Path, made: Made
) -> Made:
    with transaction.atomic():
        write_again(database(), ours)
    with mlflow:
        write_again(mlflow, logged)
    shutil.copytree(files, settings.ARTIFACT_ROOT, dirs_exist_ok=True)
    return made


def _mlflow_file() -> str:
    return str(settings.MLFLOW_DATABASE_URI).removeprefix("sqlite:///")


@pytest.fixture
@remembered_run
def logged(
    mlflow_server: Mlflow,
    data_scientist: User,
    small_model: ModelToLog,
    written_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> LoggedRun:
    """A finished run of the data scientist with a model in skops format."""
    monkeypatch.setattr(
        model_writing, "write", lambda _m, to, **_: shutil.copytree(written_model, to)
    )
    return mlflow_server.gateway(data_scientist).log_run(
        RunToLog(
            experiment=EXPERIMENT,
            name="logistic",
            params={"C": 0.1, "seed": 7},
            metrics={"test_roc_auc": 0.78},
            model=small_model,
        )
    )


@pytest.fixture
def registered(mlflow_server: Mlflow, data_scientist: User, logged: LoggedRun) -> Any:
    """Version 1 of the project's model, registered by the data scientist."""
    from pipeline.models import ModelVersion

    number = register(server=mlflow_server, user=data_scientist, run=logged)
    return ModelVersion.objects.get(model__name=MODEL, number=number)


@remembered_run
def register(server: Mlflow, user: User, run: LoggedRun) -> int:
    return server.gateway(user).register_model(MODEL, run)


@pytest.fixture
def ground(mlflow_server: Mlflow, request: pytest.FixtureRequest) -> None:
    """Policies and an approved scope, written before the run so that they can be remembered."""
    install_policies()
    request.getfixturevalue("approved_scope")


@pytest.fixture
def under_review(ground: None, registered: Any, ml_engineer: User) -> Any:
    """The promotion of version 1 that waits for its review."""
    from governance.services.promotions import PromotionRequest, request_promotion

    request = PromotionRequest(
        project=registered.model.project,
        model_name=MODEL,
        model_version=registered.number,
        subject_ref=registered.ref,
        environment="production",
    )
    return request_promotion(request, actor=session_actor(ml_engineer))
