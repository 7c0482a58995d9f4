"""Reads runs from MLflow's store, in this process, as plain facts, and marks them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.gateway.identity import acting_as
from pipeline.gateway.run_facts import facts_of
from pipeline.services.mirror import RunFacts
from projects.actors import system
from projects.errors import DomainError, NotFound, Unavailable
from projects.models import WorkItem


def read(run_id: str) -> RunFacts:
    """Return what MLflow's store holds on a run now.

    Raises:
        NotFound: MLflow has no such run.
        Unavailable: code `mlflow_unreachable`, the store does not answer.
    """
    with _store(run_id) as store:
        return facts_of(store.get_run(run_id))


def tag_work_item(run_id: str, item: WorkItem | None) -> None:
    """Write the service's own tags by which a run names its work item, or take them off.

    Raises:
        NotFound: MLflow has no such run.
        Unavailable: code `mlflow_unreachable`, the store does not answer.
    """
    with _store(run_id) as store:
        store.write_work_item(run_id, item)


@contextmanager
def _store(run_id: str) -> Iterator[Any]:
    from mlflow.exceptions import MlflowException

    from pipeline.gateway.stores import tracking_store

    try:
        with acting_as(system("gateway")):
            yield tracking_store()
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
