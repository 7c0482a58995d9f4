"""What a review copies of a dataset and of a model: enough to tell two apart, bounded in size."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.models import DatasetVersion, ModelVersion
from pipeline.services.mirror import RunFacts

_MOST_COLUMNS = 300
_MOST_PARAMS = 200
_LONGEST_PARAM = 300


def of_dataset(dataset: DatasetVersion) -> dict[str, Any]:
    """Return the schema of a dataset version and the figures of its profile."""
    columns = list(dataset.columns or ())[:_MOST_COLUMNS]
    return {
        "label": str(dataset),
        "row_count": dataset.row_count,
        "target": dataset.target,
        "target_rate": target_rate(dataset),
        "columns": columns,
        "missing": missing_shares(dataset, [str(one["name"]) for one in columns]),
    }


def target_rate(dataset: DatasetVersion) -> float | None:
    """Return the share of rows that hold the outcome to be predicted; None where it is unknown."""
    top = _described(dataset).get(dataset.target, {}).get("top") or ()
    counts = {str(one["value"]): one["count"] for one in top}
    if not dataset.row_count or dataset.positive not in counts:
        return None
    return round(float(counts[dataset.positive]) / dataset.row_count, 6)


def missing_shares(dataset: DatasetVersion, names: Sequence[str]) -> dict[str, float]:
    """Return the share of missing and unknown cells of each column that has any."""
    described = _described(dataset)
    shares = {}
    for name in names:
        about = described.get(name, {})
        lacking = about.get("missing", 0) + about.get("unknown", 0)
        if lacking and dataset.row_count:
            shares[name] = round(lacking / dataset.row_count, 6)
    return shares


def features_of(version: ModelVersion) -> list[dict[str, str]]:
    """Return the inputs that the model's signature declares."""
    inputs = version.signature.get("inputs") or ()
    named = (one for one in inputs if isinstance(one, Mapping) and "name" in one)
    features = [{"name": str(one["name"]), "type": str(one.get("type", ""))} for one in named]
    return features[:_MOST_COLUMNS]


def params_of(run: RunFacts) -> dict[str, str]:
    """Return the parameters of a run by name."""
    chosen = sorted(run.params.items())[:_MOST_PARAMS]
    return {name: str(value)[:_LONGEST_PARAM] for name, value in chosen}


def _described(dataset: DatasetVersion) -> Mapping[str, Any]:
    return (dataset.profile or {}).get("columns") or {}
