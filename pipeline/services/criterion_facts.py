"""What the criteria of a scope ask of a model version beyond its run's metrics.

Only what some criterion asks for is looked up, so that a scope of plain thresholds costs nothing.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.gateway import paths
from pipeline.gateway.digest import tree_files
from pipeline.models import DatasetVersion, DriftReport, ModelVersion, Run
from pipeline.services.mirror import RunFacts

Rows = list[Mapping[str, Any]]

#: Parameters by which runs may differ and still be the same experiment under another seed.
SEEDS = ("seed", "random_state")
_TEST_PREFIX = "test_"


def facts_for(
    criteria: Rows, version: ModelVersion, run: RunFacts, datasets: Mapping[str, DatasetVersion]
) -> dict[str, Any]:
    """Return, as JSON, what the criteria look up: `governance.rules.criteria_check` reads it."""
    sources = {row.get("source", "metric") for row in criteria}
    found: dict[str, Any] = {
        "run_id": run.run_id,
        "dataset_digest": next((one.digest for one in datasets.values()), ""),
    }
    if "param" in sources:
        found["params"] = dict(run.params)
    if "tag" in sources:
        found["tags"] = {k: v for k, v in run.tags.items() if not k.startswith("mlflow.log-")}
    if "artifact" in sources:
        found["artifacts"] = artifact_sizes(version)
    if "dataset" in sources:
        found["dataset"] = _profile_numbers(datasets)
    if "monitoring" in sources:
        found["monitoring"] = _monitoring(version)
    if any(
        row.get("min_runs", 1) > 1 or row.get("aggregate", "last") != "last" for row in criteria
    ):
        found["seed_runs"] = seed_runs(run)
    if any(row.get("test_use_limit") is not None for row in criteria):
        found["test_uses"] = test_uses(run)
    return found


def artifact_sizes(version: ModelVersion) -> dict[str, int]:
    """Return the size in bytes of each file of the version, by its path within the version."""
    try:
        files = tree_files(paths.on_disk(version.artifact_path))
    except OSError:
        return {}
    return {name: path.stat().st_size for name, path in files}


def seed_runs(run: RunFacts) -> list[dict[str, Any]]:
    """Return the metrics of the finished runs that differ from this one in their seed alone.

    Oldest first, the run itself included; of several runs with one seed the newest counts, so
    that repeating a lucky seed adds nothing.
    """
    own = Run.objects.filter(run_id=run.run_id).first()
    if own is None:
        return []
    finished = Run.objects.filter(
        experiment=own.experiment, dataset=own.dataset, status="FINISHED"
    ).order_by("started_at", "pk")
    alike = [one for one in finished if but_seed(one.params) == but_seed(own.params)]
    by_seed = {
        seed_of(one.params): one for one in alike if seed_of(one.params) != seed_of(own.params)
    }
    by_seed[seed_of(own.params)] = own
    return [dict(one.metrics) for one in sorted(by_seed.values(), key=lambda one: one.started_at)]


def test_uses(run: RunFacts) -> int:
    """Count the project's runs that were evaluated on the test data, this one included.

    Runs on another registered data set do not count: its test rows are others.
    """
    own = Run.objects.filter(run_id=run.run_id).first()
    if own is None:
        return 0
    runs = Run.objects.filter(project=own.project)
    if own.dataset is not None:
        runs = runs.filter(dataset=own.dataset)
    looked = (metrics for metrics in runs.values_list("metrics", flat=True).iterator())
    return sum(any(name.startswith(_TEST_PREFIX) for name in metrics) for metrics in looked)


def _looks_at_seeds(row: Mapping[str, Any]) -> bool:
    return bool(row.get("min_runs", 1) > 1) or row.get("aggregate", "last") != "last"


def but_seed(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters by which runs of one experiment differ in more than their seed."""
    return {name: value for name, value in params.items() if name not in SEEDS}


def seed_of(params: Mapping[str, Any]) -> str:
    """Return the seed that a run was given, under whichever name."""
    return "/".join(str(params.get(name, "")) for name in SEEDS)


def _profile_numbers(datasets: Mapping[str, DatasetVersion]) -> dict[str, float]:
    """Return numbers of the data: rows, columns, and per column missing, unknown and distinct.

    Names are `rows`, `columns`, `COLUMN.missing` and so on. Of several data sets the one with the
    fewest rows answers.
    """
    least = min(datasets.values(), key=lambda one: one.row_count, default=None)
    if least is None:
        return {}
    columns = least.profile.get("columns") or {}
    numbers: dict[str, float] = {"rows": least.row_count, "columns": len(least.columns)}
    for name, described in columns.items():
        for part in ("missing", "unknown", "distinct"):
            if isinstance(described.get(part), int | float):
                numbers[f"{name}.{part}"] = described[part]
    return numbers


def _monitoring(version: ModelVersion) -> dict[str, Any]:
    """Return the newest report on this very version: its performance, and the largest drift."""
    report = DriftReport.objects.filter(version=version).order_by("-window_end").first()
    if report is None:
        return {}
    drifts = [one.get("psi") for one in report.features.values() if isinstance(one, Mapping)]
    known = [value for value in drifts if isinstance(value, int | float)]
    worst = {"max_psi": max(known)} if known else {}
    return {
        "numbers": {**worst, "rows": report.row_count, **report.performance},
        "window_start": report.window_start.isoformat(),
        "window_end": report.window_end.isoformat(),
    }
