"""Save fitted estimators as skops files and load them, with nothing but trusted types inside."""

from pathlib import Path
from typing import Any

import skops.io
import yaml

from pipeline.ml.problems import DataProblem

MODEL_FILE = "model.skops"

TRUSTED_TYPES: tuple[str, ...] = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""Types that a model file may hold besides those that skops trusts by itself.

Loading builds objects of these types, so each of them must be safe to build from hostile data.
To add one: see what a new estimator needs with `untrusted_types(dumps(estimator))`, read the
source of each type named (its `__reduce__`, `__setstate__` and `__init__` must neither import,
execute nor open anything), add its full name here, and a round trip to `tests/pipeline/ml`.
Never add a type to make somebody's upload pass.
"""


def dumps(estimator: Any) -> bytes:
    """Return a fitted estimator as the bytes of a skops file.

    Raises:
        DataProblem: `untrusted_types`, the file could never be loaded again.
    """
    data: bytes = skops.io.dumps(estimator)
    _refuse(untrusted_types(data))
    return data


def loads(data: bytes) -> Any:
    """Return the estimator in the bytes of a skops file.

    Raises:
        DataProblem: `untrusted_types`, or `unreadable_model` for anything but a skops file.
    """
    _refuse(untrusted_types(data))
    return _guarded(skops.io.loads, data, trusted=list(TRUSTED_TYPES))


def save_model(estimator: Any, directory: Path) -> Path:
    """Write a fitted estimator to `model.skops` in `directory` and return the file's path."""
    path = directory / MODEL_FILE
    path.write_bytes(dumps(estimator))
    return path


def load_model(directory: Path) -> Any:
    """Return the estimator of a model directory, MLflow's or one that `save_model` wrote.

    The file is read once, so the bytes that were checked are the bytes that are loaded.

    Raises:
        DataProblem: `model_file_missing`, `model_format`, `untrusted_types`, `unreadable_model`.
    """
    path = directory / _model_file(directory)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataProblem(
            "model_file_missing", f"The model file {path.name} cannot be read: {error.strerror}."
        ) from error
    return loads(data)


def untrusted_types(data: bytes) -> list[str]:
    """Return the types in a skops file that are trusted neither by skops nor by this list."""
    found = _guarded(skops.io.get_untrusted_types, data=data)
    return sorted(set(found) - set(TRUSTED_TYPES))


def _model_file(directory: Path) -> str:
    """Return the skops file that `MLmodel` names; it must lie in the directory itself."""
    description = directory / "MLmodel"
    if not description.exists():
        return MODEL_FILE
    try:
        flavors = yaml.safe_load(description.read_text())["flavors"]
        flavor = flavors["sklearn"]
        name, form = str(flavor["pickled_model"]), flavor.get("serialization_format")
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise DataProblem(
            "model_format", "The MLmodel file does not describe a scikit-learn model."
        ) from error
    if form != "skops" or Path(name).name != name:
        raise DataProblem(
            "model_format",
            f"The model is saved as {form}; only skops files beside the MLmodel file are loaded. "
            "Log it with serialization_format='skops'.",
        )
    return name


def _refuse(types: list[str]) -> None:
    if types:
        raise DataProblem(
            "untrusted_types",
            f"The model holds types that are not on the trusted list: {', '.join(types)}.",
            details={"types": types},
        )


def _guarded(function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except Exception as error:  # skops raises whatever a broken archive makes it
        raise DataProblem(
            "unreadable_model", f"The model file cannot be read as skops: {type(error).__name__}."
        ) from error
