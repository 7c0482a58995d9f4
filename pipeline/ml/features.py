"""Which columns a model reads, and how they are prepared for an estimator."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from pipeline.ml.problems import DataProblem
from pipeline.ml.tables import Column

RARE = 20


@dataclass(frozen=True)
class FeatureSet:
    """Columns by use: numbers and categories feed the estimator, context is only watched.

    Context columns belong to the model's inputs, so that each prediction is recorded with them
    and the monitor sees them drift; the preparation drops them before the estimator.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    context: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that the estimator learns from."""
        return self.numeric + self.categorical

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that a caller must send, in the order of the model's signature."""
        return self.numeric + self.categorical + self.context

    def plus(
        self, *, numeric: tuple[str, ...] = (), categorical: tuple[str, ...] = ()
    ) -> "FeatureSet":
        """Return the set with more columns for the estimator; they leave the context."""
        added = {*numeric, *categorical}
        return FeatureSet(
            numeric=self.numeric + numeric,
            categorical=self.categorical + categorical,
            context=tuple(name for name in self.context if name not in added),
        )

    def as_dict(self) -> dict[str, list[str]]:
        """Return the lists by use, as a retraining envelope stores them."""
        return {use: list(names) for use, names in asdict(self).items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "FeatureSet":
        """Read what `as_dict` wrote."""
        return cls(
            numeric=tuple(stored["numeric"]),
            categorical=tuple(stored["categorical"]),
            context=tuple(stored.get("context", ())),
        )


def model_inputs(frame: pd.DataFrame, features: FeatureSet) -> pd.DataFrame:
    """Return a frame of `features.inputs`: numbers as float64, categories as object of str.

    Numbers are widened so that a signature takes 41 and 41.0 alike. Context columns keep numbers
    where they are numbers. A missing category is None.

    Raises:
        DataProblem: `missing_column`, or `non_numeric_value` with column, row and value.
    """
    missing = [name for name in features.inputs if name not in frame.columns]
    if missing:
        raise DataProblem(
            "missing_column",
            f"The model needs these columns, which are missing: {', '.join(missing)}.",
            details={"columns": missing},
        )
    columns: dict[str, Any] = {name: _number(frame, name) for name in features.numeric}
    columns |= {name: _category(frame, name) for name in features.categorical}
    for name in features.context:
        is_number = pd.api.types.is_numeric_dtype(frame[name])
        columns[name] = _number(frame, name) if is_number else _category(frame, name)
    return pd.DataFrame(columns, index=frame.index)


def scaled_preparation(features: FeatureSet) -> ColumnTransformer:
    """Return the unfitted preparation for linear models: impute, scale, one column per category.

    Categories that are rare or unseen in training share one column, so a new value never fails.
    """
    numbers = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False
    )
    return _preparation(features, numbers, categories)


def coded_preparation(features: FeatureSet) -> ColumnTransformer:
    """Return the unfitted preparation for trees: numbers as they are, one code per category.

    A value unseen in training counts as missing, which trees take without imputation.
    """
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, min_frequency=RARE
    )
    return _preparation(features, "passthrough", codes)


def _preparation(features: FeatureSet, numbers: Any, categories: Any) -> ColumnTransformer:
    """Join both parts; columns of neither kind are dropped."""
    return ColumnTransformer(
        [
            ("numbers", numbers, list(features.numeric)),
            ("categories", categories, list(features.categorical)),
        ],
        remainder="drop",
    )


def _number(frame: pd.DataFrame, name: str) -> np.ndarray:
    numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    bad = np.isnan(numbers) & frame[name].notna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        value = str(frame[name].iloc[row])[:60]
        raise DataProblem(
            "non_numeric_value",
            f"Column {name!r} must hold numbers; row {row + 1} holds {value!r}.",
            details={"column": name, "row": row + 1, "value": value},
        )
    return numbers


def _category(frame: pd.DataFrame, name: str) -> Column:
    missing = frame[name].isna().to_numpy()
    texts: np.ndarray = frame[name].astype(str).to_numpy(dtype=object, copy=True)
    texts[missing] = None
    # Said to be objects, or pandas would make its own text type of them and NaN of None.
    return pd.Series(texts, index=frame.index, dtype="object")
