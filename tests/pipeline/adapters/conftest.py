"""The live server of the gateway's tests, for the client side of it."""

from tests.pipeline.gateway.conftest import (
    ground,
    logged,
    mlflow_server,
    own_files,
    registered,
    small_model,
    under_review,
    written_model,
)

__all__ = [
    "ground",
    "logged",
    "mlflow_server",
    "own_files",
    "registered",
    "small_model",
    "under_review",
    "written_model",
]
