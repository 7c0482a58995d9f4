"""Reads runs from MLflow's store, in this process, as plain facts."""

from datetime import UTC, datetime
from typing import Any

from pipeline.gateway.identity import acting_as
from pipeline.services.mirror import DatasetInput, RunFacts
from projects.actors import system
from projects.errors import DomainError, NotFound, Unavailable

_CONTEXT_TAG = "mlflow.data.context"


def read(run_id: str) -> RunFacts:
    """Return what MLflow's store holds on a run now.

    Raises:
        NotFound: MLflow has no such run.
        Unavailable: code `mlflow_unreachable`, the store does not answer.
    """
    from mlflow.exceptions import MlflowException

    from pipeline.gateway.stores import tracking_store

    try:
        with acting_as(system("gateway")):
            return facts_of(tracking_store().get_run(run_id))
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            raise NotFound(f"MLflow has no run {run_id}.", code="run_not_found") from error
        raise Unavailable(f"MLflow's store: {error}", code="mlflow_unreachable") from error
    except DomainError:
        raise
    except Exception as error:
        raise Unavailable(
            "MLflow's database does not answer.", code="mlflow_unreachable"
        ) from error


def facts_of(run: Any) -> RunFacts:
    """Return an MLflow run as plain facts."""
    info, data = run.info, run.data
    return RunFacts(
        run_id=info.run_id,
        experiment_id=str(info.experiment_id),
        name=info.run_name or "",
        status=str(info.status),
        started_at=_time(info.start_time) or datetime.now(UTC),
        ended_at=_time(info.end_time),
        lifecycle=str(info.lifecycle_stage),
        params=dict(data.params),
        metrics=dict(data.metrics),
        tags=dict(data.tags),
        datasets=tuple(
            _input(given) for given in (run.inputs.dataset_inputs if run.inputs else [])
        ),
    )


def _input(given: Any) -> DatasetInput:
    context = next((tag.value for tag in given.tags if tag.key == _CONTEXT_TAG), "")
    return DatasetInput(given.dataset.name, given.dataset.digest, context)


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
