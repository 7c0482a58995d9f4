"""The envelope of a retraining: what it holds, and how gaps are filled from the champion."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.models import ModelVersion
from pipeline.services.scoring import signature_columns
from projects.errors import InvalidInput

_COUNTS = frozenset({"train_months", "test_months", "min_rows", "seed"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a retraining may not go beyond; stored as JSON in the policy.

    Without features or approach the candidate is made as the champion was.
    `max_drop` is how far `metric` may fall behind the champion on the same rows before no
    promotion is requested.
    """

    features: Mapping[str, Any] = field(default_factory=dict)
    approach: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, list[Any]] | None = None
    train_months: int = 12
    test_months: int = 6
    min_rows: int = 500
    metric: str = "roc_auc"
    max_drop: float = 0.0
    seed: int = 7


def read_envelope(stored: Mapping[str, Any]) -> Envelope:
    """Return the envelope that a policy stores.

    Raises:
        InvalidInput: code `wrong_envelope`.
    """
    known = {one.name for one in dataclasses.fields(Envelope)}
    unknown = sorted(set(stored) - known)
    if unknown:
        raise InvalidInput(
            f"The envelope does not know {', '.join(unknown)}. It may hold "
            f"{', '.join(sorted(known))}.",
            code="wrong_envelope",
        )
    problem = _problem_of(stored)
    if problem:
        raise InvalidInput(f"The envelope's {problem}.", code="wrong_envelope")
    return Envelope(**stored)


def _problem_of(stored: Mapping[str, Any]) -> str:
    """Return what is wrong with the values of an envelope; empty if nothing is."""
    features = stored.get("features", {})
    uses = {"numeric", "categorical", "context"}
    if not isinstance(features, Mapping) or set(features) - uses:
        return "features must be lists under numeric, categorical and context"
    if features and not {"numeric", "categorical"} <= set(features):
        return "features must name both numeric and categorical columns"
    for name in _COUNTS & set(stored):
        value = stored[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            return f"{name} must be a whole number above 0"
    drop = stored.get("max_drop", 0.0)
    return "" if isinstance(drop, int | float) and drop >= 0 else "max_drop must not be negative"


def completed(envelope: Envelope, champion: ModelVersion) -> Envelope:
    """Fill what the envelope leaves open with how the champion was made."""
    made = champion.run.params if champion.run else {}
    changes: dict[str, Any] = {}
    if not envelope.features:
        changes["features"] = features_of(champion, str(made.get("context", "")))
    if not envelope.approach:
        changes["approach"] = str(made.get("approach", "gradient_boosting"))
    return dataclasses.replace(envelope, **changes)


def features_of(champion: ModelVersion, context: str) -> dict[str, list[str]]:
    """Return the champion's inputs by use; columns that it only watches are named by its run."""
    watched = [name for name in context.split(",") if name]
    columns = signature_columns(champion.signature)
    used = [column for column in columns if column.name not in watched]
    return {
        "numeric": [column.name for column in used if column.family == "number"],
        "categorical": [column.name for column in used if column.family != "number"],
        "context": [column.name for column in columns if column.name in watched],
    }
