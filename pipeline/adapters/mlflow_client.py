"""The client side of MLflow: what jobs and the demo log, through the gateway, as one author.

Everything goes through `MlflowClient` with an explicit address; MLflow's fluent functions keep
global state and are not used. The token has to be in the environment, since the client reads it
nowhere else, so one call runs at a time in each process.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.adapters import model_writing
from pipeline.adapters.model_writing import ModelToLog
from projects.errors import DomainError, InvalidInput, NotFound, NotPermitted, Unavailable

__all__ = ["DatasetUse", "LoggedRun", "MlflowGateway", "ModelToLog", "RunToLog"]

#: An unreachable server shall be reported within seconds, not after MLflow's four minutes.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_MAX_DIGEST = 36
_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """A registered dataset version and what a run used it for."""

    name: str
    digest: str
    ref: str
    context: str = "training"


@dataclass(frozen=True, slots=True)
class RunToLog:
    """A run with everything that it leaves behind.

    `ties` holds references under `sprint`, `work_item` and `dataset`; `files` maps a path among
    the run's artifacts to its bytes.
    """

    experiment: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    ties: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetUse, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    model: ModelToLog | None = None


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """Where a logged run and its model are found; `model_uri` is empty without a model."""

    run_id: str
    experiment_id: str
    model_uri: str = ""

    @property
    def model_id(self) -> str:
        """Return MLflow's id of the logged model, such as `m-4133...`."""
        return self.model_uri.rpartition("/")[2]


class MlflowGateway:
    """One author's way to MLflow at `tracking_uri`, such as `http://127.0.0.1:8000/mlflow`.

    `token` is an API token of a person, or one made by `pipeline.gateway.service_tokens` for the
    actor that a job works for.
    """

    def __init__(self, tracking_uri: str, token: str) -> None:
        self._uri = tracking_uri.rstrip("/")
        self._token = token

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Yield an ordinary `MlflowClient`; what MLflow raises becomes the service's own errors.

        Raises:
            Unavailable: code `mlflow_unreachable`.
            NotPermitted: the gateway refused; the message is the one that MLflow's client shows.
        """
        with _lock, _environment({**_ENVIRONMENT, "MLFLOW_TRACKING_TOKEN": self._token}):
            from mlflow import MlflowClient

            with _domain_errors():
                yield MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def ensure_experiment(self, name: str, project_slug: str = "") -> str:
        """Return the id of the experiment, creating it if there is none of that name."""
        prefix = f"{project_slug}/" if project_slug else ""
        with self.client() as client:
            return _ensure_experiment(client, prefix + name.removeprefix(prefix))

    def log_run(self, run: RunToLog) -> LoggedRun:
        """Log a whole run; if anything fails on the way, it ends as FAILED and the error rises."""
        with self.client() as client:
            experiment_id = _ensure_experiment(client, run.experiment)
            created = client.create_run(experiment_id, tags=_tags(run), run_name=run.name)
            run_id = created.info.run_id
            try:
                model_uri = _fill(client, run, experiment_id, run_id)
            except BaseException:
                with suppress(Exception):
                    client.set_terminated(run_id, status="FAILED")
                raise
            client.set_terminated(run_id, status="FINISHED")
        return LoggedRun(run_id, experiment_id, model_uri)

    def register_model(self, name: str, logged: LoggedRun, *, description: str = "") -> int:
        """Register the run's model under `name`, new or known, and return the version's number."""
        if not logged.model_uri:
            raise InvalidInput(f"Run {logged.run_id} logged no model.", code="no_model")
        with self.client() as client:
            _ensure_registered_model(client, name)
            version = client.create_model_version(
                name,
                logged.model_uri,
                run_id=logged.run_id,
                description=description or None,
                model_id=logged.model_id,
                await_creation_for=0,
            )
        return int(version.version)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Ask for an alias as any client may; governance answers."""
        with self.client() as client:
            client.set_registered_model_alias(name, alias, str(version))

    def read_run(self, run_id: str) -> dict[str, Any]:
        """Return a run's status, params, metrics and tags."""
        with self.client() as client:
            found = client.get_run(run_id)
        data = found.data
        return {
            "status": found.info.status,
            "params": dict(data.params),
            "metrics": dict(data.metrics),
            "tags": dict(data.tags),
        }


def _fill(client: Any, run: RunToLog, experiment_id: str, run_id: str) -> str:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(key, str(value)) for key, value in run.params.items()]
    metrics = [Metric(key, float(value), now, 0) for key, value in run.metrics.items()]
    client.log_batch(run_id, metrics=metrics, params=params)
    if run.datasets:
        client.log_inputs(run_id, datasets=[_dataset_input(use) for use in run.datasets])
    with tempfile.TemporaryDirectory() as scratch:
        if run.files:
            client.log_artifacts(run_id, str(_write_files(Path(scratch) / "files", run.files)))
        if run.model is None:
            return ""
        directory = Path(scratch) / "model"
        return _log_model(client, run.model, directory, (experiment_id, run_id))


def _log_model(client: Any, model: ModelToLog, directory: Path, home: tuple[str, str]) -> str:
    from mlflow.entities import LoggedModelOutput

    experiment_id, run_id = home
    logged = client.create_logged_model(experiment_id, name=model.name, source_run_id=run_id)
    model_writing.write(model, directory, run_id=run_id, model_id=logged.model_id)
    client.log_model_artifacts(logged.model_id, str(directory))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return f"models:/{logged.model_id}"


def _dataset_input(use: DatasetUse) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=use.name,
        digest=use.digest[:_MAX_DIGEST],
        source_type="countersign",
        source=f'{{"ref": "{use.ref}", "sha256": "{use.digest}"}}',
    )
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", use.context)])


def _write_files(directory: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


def _tags(run: RunToLog) -> dict[str, str]:
    ties = {f"countersign.{name}": ref for name, ref in run.ties.items() if ref}
    return {**run.tags, **ties}


def _ensure_experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id) if found else str(client.create_experiment(name))


def _ensure_registered_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _domain_errors() -> Iterator[None]:
    from mlflow.exceptions import MlflowException, RestException

    try:
        yield
    except RestException as error:
        raise _refusal(error) from error
    except MlflowException as error:
        if "API request" in str(error) or "Failed to upload" in str(error):
            raise Unavailable(
                "The tracking server does not answer. Is it running, and is MLFLOW_TRACKING_URI "
                "its address?",
                code="mlflow_unreachable",
            ) from error
        raise InvalidInput(str(error.message), code="mlflow_refused") from error
    except OSError as error:
        if type(error).__module__.startswith(("requests", "urllib3")):
            raise _http_refusal(error) from error
        raise


def _refusal(error: Any) -> DomainError:
    code = error.json.get("code") or str(error.error_code).lower()
    message = str(error.json.get("message") or error.message)
    kinds: dict[str, type[DomainError]] = {
        "PERMISSION_DENIED": NotPermitted,
        "UNAUTHENTICATED": NotPermitted,
        "RESOURCE_DOES_NOT_EXIST": NotFound,
        "INTERNAL_ERROR": Unavailable,
        "TEMPORARILY_UNAVAILABLE": Unavailable,
    }
    kind = kinds.get(error.error_code, InvalidInput)
    if kind is Unavailable:
        return Unavailable(f"MLflow failed: {message}", code="mlflow_unreachable")
    return kind(message, code=code)


def _http_refusal(error: Any) -> DomainError:
    """Uploads report through `requests`, with the gateway's answer attached if there was one."""
    response = getattr(error, "response", None)
    if response is None:
        return Unavailable("The tracking server does not answer.", code="mlflow_unreachable")
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    message = answer.get("message") or str(error)
    code = answer.get("code") or f"http_{response.status_code}"
    forbidden = response.status_code in {401, 403}
    return NotPermitted(message, code=code) if forbidden else InvalidInput(message, code=code)
