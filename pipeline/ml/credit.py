"""German credit: what its columns are, which a model may read, and what its errors cost.

The rows have no order in time, so a stratified hold-out is their honest test. Who was born where,
is of which sex or how old decides nothing: such columns are watched, never learned from.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.ml.features import FeatureSet
from pipeline.ml.metrics import roc_auc
from pipeline.ml.tables import TableSpec, read_table

COLUMNS = (
    "checking_status",
    "duration_months",
    "credit_history",
    "purpose",
    "credit_amount",
    "savings",
    "employment_since",
    "instalment_rate",
    "personal_status",
    "other_debtors",
    "residence_since",
    "property",
    "age",
    "other_instalment_plans",
    "housing",
    "existing_credits",
    "job",
    "dependants",
    "telephone",
    "foreign_worker",
    "credit_class",
)
#: Class 2 is a credit that went bad; the model predicts it.
TARGET, POSITIVE = "credit_class", "2"
SEPARATOR = " "
SPEC = TableSpec(separator=SEPARATOR, columns=COLUMNS, target=TARGET, positive=POSITIVE)
PROTECTED = ("personal_status", "age", "foreign_worker")
FEATURES = FeatureSet(
    numeric=(
        "duration_months",
        "credit_amount",
        "instalment_rate",
        "residence_since",
        "existing_credits",
        "dependants",
    ),
    categorical=(
        "checking_status",
        "credit_history",
        "purpose",
        "savings",
        "employment_since",
        "other_debtors",
        "property",
        "other_instalment_plans",
        "housing",
        "job",
        "telephone",
    ),
    context=PROTECTED,
)
#: The rule of today: the less there is on the checking account, the greater the risk.
RULE = {"column": "checking_status", "order": ("A11", "A12", "A13", "A14")}
#: From the data set's own cost matrix: a bad credit granted costs five times a good one refused.
MISSED_BAD, REFUSED_GOOD = 5.0, 1.0
#: Codes of `personal_status` that say female; the others say male.
FEMALE = ("A92", "A95")
YOUNG = 25


def with_header(raw: bytes) -> bytes:
    """Return the file as published with a line of column names before its rows."""
    return SEPARATOR.join(COLUMNS).encode() + b"\n" + raw


def read(raw: bytes) -> pd.DataFrame:
    """Return the published file as a typed frame of 21 named columns."""
    return read_table(with_header(raw), SPEC)


def cost_per_100(target: np.ndarray, scores: np.ndarray) -> float:
    """Return what 100 decisions cost when the cheaper side is taken for each score.

    A credit is refused from the score on at which refusing costs less than granting, which is
    1 / (1 + 5). `target` is 0/1 with 1 for bad, `scores` its probability, both of shape (rows,).
    """
    refused = scores >= REFUSED_GOOD / (REFUSED_GOOD + MISSED_BAD)
    missed = float(((target == 1) & ~refused).sum()) * MISSED_BAD
    lost = float(((target == 0) & refused).sum()) * REFUSED_GOOD
    return 100 * (missed + lost) / len(target)


def slices(inputs: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """Return who belongs to each protected group: boolean arrays of shape (rows,) by name."""
    female = inputs["personal_status"].isin(FEMALE).to_numpy()
    young = (inputs["age"] <= YOUNG).to_numpy()
    return {"sex=female": female, "sex=male": ~female, "age=young": young, "age=older": ~young}


def slice_auc(inputs: pd.DataFrame, target: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Return the ROC AUC within each protected group that holds both outcomes."""
    return {
        name: roc_auc(target[rows], scores[rows])
        for name, rows in slices(inputs).items()
        if 0 < target[rows].sum() < rows.sum()
    }
