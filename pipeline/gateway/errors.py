"""Refusals in MLflow's own words, so that its client and its UI show them as they are."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    PERMISSION_DENIED,
    RESOURCE_DOES_NOT_EXIST,
)

from pipeline.gateway import wiring
from projects import errors

logger = logging.getLogger(__name__)

_CODES: dict[type[errors.DomainError], int] = {
    errors.NotPermitted: PERMISSION_DENIED,
    errors.NotFound: RESOURCE_DOES_NOT_EXIST,
    errors.InvalidInput: INVALID_PARAMETER_VALUE,
    errors.RuleViolated: INVALID_PARAMETER_VALUE,
}


@contextmanager
def governed() -> Iterator[None]:
    """Turn what the domain refuses into MLflow's exceptions; deny when the domain cannot answer.

    A fault of governance is a denial too, and never a 429 or 5xx: on those MLflow's client would
    silently try again for minutes.
    """
    with wiring.fresh_connections():
        try:
            yield
        except MlflowException:
            raise
        except errors.DomainError as refusal:
            raise refused(refusal) from refusal
        except Exception as fault:
            logger.exception("governance failed; the call is denied")
            raise MlflowException(
                "Denied: governance is unavailable, so nothing may change. Tell an administrator.",
                error_code=PERMISSION_DENIED,
                code="governance_unavailable",
            ) from fault


def refused(refusal: errors.DomainError) -> MlflowException:
    """Return MLflow's exception for a domain error, its code and scalar details kept."""
    scalars = {k: v for k, v in refusal.details.items() if isinstance(v, str | int | bool)}
    for name in ("message", "error_code", "sqlstate", "error_class", "code"):
        scalars.pop(name, None)
    error_code = _CODES.get(type(refusal), PERMISSION_DENIED)
    return MlflowException(refusal.message, error_code=error_code, code=refusal.code, **scalars)
