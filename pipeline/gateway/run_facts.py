"""MLflow's run as plain facts, in the words of our mirror."""

from datetime import UTC, datetime
from typing import Any

from pipeline.services.mirror import DatasetInput, RunFacts

_CONTEXT_TAG = "mlflow.data.context"


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
