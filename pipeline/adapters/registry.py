"""Moves and reads aliases in this process, through the governed registry store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.gateway.identity import acting_as
from projects.actors import Actor, system
from projects.errors import NotPermitted, Unavailable

if TYPE_CHECKING:
    from pipeline.gateway.registry_store import GovernedRegistryStore

PROMOTION = system("promotion")
_READER = system("gateway")
#: MLflow's codes for "there is no such alias or model"; an alias that is missing is bad input.
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


def set_alias(model_name: str, alias: str, version: int) -> None:
    """Point an alias at a version, as the part `promotion`, for a promotion being applied.

    Raises:
        NotPermitted: governance refuses the move.
        Unavailable: code `mlflow_unreachable`.
    """
    with _asking(PROMOTION) as store:
        store.set_registered_model_alias(model_name, alias, version)


def delete_alias(model_name: str, alias: str) -> None:
    """Take an alias away, as the part `promotion`."""
    with _asking(PROMOTION) as store:
        store.delete_registered_model_alias(model_name, alias)


def get_alias(model_name: str, alias: str) -> int | None:
    """Return the version that an alias points at; None if there is no such alias or model."""
    from mlflow.exceptions import MlflowException

    with _asking(_READER) as store:
        try:
            return int(store.get_model_version_by_alias(model_name, alias).version)
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise


def aliases(model_name: str) -> dict[str, int]:
    """Return every alias of a model, as MLflow holds them now."""
    with _asking(_READER) as store:
        found = store.get_registered_model(model_name).aliases
        return {name: int(version) for name, version in found.items()}


@contextmanager
def _asking(actor: Actor) -> Iterator["GovernedRegistryStore"]:
    """Open the store as `actor`; its refusals and its silence become the service's own errors."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from pipeline.gateway.stores import registry_store

    try:
        with acting_as(actor):
            yield registry_store()
    except MlflowException as error:
        if error.error_code == "PERMISSION_DENIED":
            code = error.json_kwargs.get("code", "not_permitted")
            raise NotPermitted(str(error.message), code=code) from error
        raise Unavailable(f"MLflow: {error.message}", code="mlflow_unreachable") from error
    except (OSError, SQLAlchemyError) as error:
        raise Unavailable(
            "MLflow's database does not answer.", code="mlflow_unreachable"
        ) from error
