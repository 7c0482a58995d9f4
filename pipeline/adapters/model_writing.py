"""Writes a fitted estimator as an MLflow model in skops format, without any server or state."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from projects.errors import InvalidInput

_REQUIREMENTS = ("mlflow", "scikit-learn", "skops", "numpy", "pandas", "scipy")


@dataclass(frozen=True, slots=True)
class ModelToLog:
    """A fitted estimator with a few of its input rows and what it answers to them.

    `output` is what the signature promises; by default what `predict` answers to the example.
    """

    estimator: Any
    example: Any
    output: Any = None
    name: str = "model"


def write(model: ModelToLog, directory: Path, *, run_id: str = "", model_id: str = "") -> None:
    """Write the model with signature and input example into `directory`, which must not exist.

    Raises:
        InvalidInput: code `untrusted_types`, the estimator holds types that are not on the list.
    """
    import mlflow.sklearn
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, infer_signature

    output = model.estimator.predict(model.example) if model.output is None else model.output
    described = Model(artifact_path=model.name, run_id=run_id or None, model_id=model_id or None)
    try:
        mlflow.sklearn.save_model(
            model.estimator,
            str(directory),
            mlflow_model=described,
            serialization_format="skops",
            skops_trusted_types=list(_trusted_types()),
            signature=infer_signature(model.example, output),
            input_example=model.example,
            # Named, or MLflow would load the model in a new process to find out.
            pip_requirements=[f"{name}=={version(name)}" for name in _REQUIREMENTS],
        )
    except MlflowException as error:
        raise InvalidInput(
            f"The model cannot be written as skops: {error.message}", code="untrusted_types"
        ) from error


def _trusted_types() -> Sequence[str]:
    from pipeline.ml.store import TRUSTED_TYPES

    return TRUSTED_TYPES
