"""Facts about what governance judges here: model versions and dataset versions, read afresh."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Max, Q

from governance.subjects import SubjectFacts, primary_key
from pipeline.gateway import paths
from pipeline.gateway.digest import file_digest, tree_digest
from pipeline.models import DatasetVersion, ModelVersion, Monitor, Run
from pipeline.services import criterion_facts, describing, mirror, refreshing
from pipeline.services.makers import makers_of, people
from pipeline.services.mirror import RunFacts
from projects import content_store
from projects.errors import NotFound
from projects.models import Project, ScopingDocument
from projects.services.scope_changes import frozen_criteria_hash, frozen_hash

_COMMIT = "mlflow.source.git.commit"
_DIRTY = "mlflow.source.git.dirty"


class ModelVersionResolver:
    """Facts of a model version: files hashed from disk, run read from MLflow, data and scope."""

    def resolve(self, ref: str) -> SubjectFacts:
        """Return the facts as they are now; the run is read from MLflow's store each time."""
        version = _model_version(ref)
        project = version.model.project
        facts = refreshing.refresh_run(version.run.run_id) if version.run else None
        datasets = mirror.datasets_of(project, facts) if facts else {}
        scope = ScopingDocument.objects.approved().filter(project=project).first()
        runs = Run.objects.select_related("work_item", "sprint")
        run = runs.filter(model_versions=version).first()
        makers = makers_of(version, run, facts, list(datasets.values()), scope)
        return SubjectFacts(
            label=str(version),
            project=project,
            bindings=_bindings(version, facts, datasets, scope),
            metrics=_metrics(facts),
            attributes={
                **_of_version(version),
                **_of_run(run, facts),
                **_of_datasets(datasets),
                **_of_scope(scope),
                **_of_monitors(version),
                "criterion_facts": _for_criteria(version, facts, datasets, scope),
            },
            authors=makers.authors,
            unmapped=makers.unmapped,
            traces=makers.traces,
        )

    def project_of(self, ref: str) -> Project:
        """Return the project of the registered model."""
        return _model_version(ref).model.project


class DatasetVersionResolver:
    """Facts of a dataset version: the file hashed again, its datasheet and who registered it."""

    def resolve(self, ref: str) -> SubjectFacts:
        """Return the facts as they are now."""
        dataset = _dataset_version(ref)
        return SubjectFacts(
            label=str(dataset),
            project=dataset.project,
            bindings={
                "dataset": stored_digest(dataset),
                "datasheet": _json_digest(dataset.datasheet),
            },
            attributes={
                "datasheet": dataset.datasheet,
                "leaks": leaks(dataset),
                "profile": dataset.profile,
                "dataset_name": dataset.name,
                **describing.of_dataset(dataset),
            },
            authors={"dataset": people(dataset.registered_by_id)},
            traces={"dataset": f"registered {dataset}"},
            unmapped=() if dataset.registered_by_id else ("dataset",),
        )

    def project_of(self, ref: str) -> Project:
        """Return the project that the data were registered for."""
        return _dataset_version(ref).project


def stored_digest(dataset: DatasetVersion) -> str:
    """Return the SHA-256 of the stored file as it is now; empty if it is gone."""
    try:
        return file_digest(content_store.path(dataset.digest))
    except OSError:
        return ""


def leaks(dataset: DatasetVersion) -> list[str]:
    """Return the columns that the datasheet marks as unknown when a prediction is made."""
    columns = dataset.datasheet.get("columns", {})
    notes = columns.items() if isinstance(columns, Mapping) else ((c["name"], c) for c in columns)
    return [n for n, note in notes if note.get("is_known_at_prediction") is False]


def run_digest(facts: RunFacts) -> str:
    """Return the SHA-256 over what a sign-off means by "this run"."""
    return _json_digest(
        {
            "run_id": facts.run_id,
            "status": facts.status,
            "lifecycle": facts.lifecycle,
            "params": dict(facts.params),
            "metrics": {name: repr(float(value)) for name, value in facts.metrics.items()},
            "datasets": sorted([d.name, d.digest, d.context] for d in facts.datasets),
            "source": {k: v for k, v in facts.tags.items() if k.startswith("mlflow.source.")},
        }
    )


def _model_version(ref: str) -> ModelVersion:
    rows = ModelVersion.objects.select_related("model__project", "run")
    version = rows.filter(pk=primary_key(ref, "model_version")).first()
    if version is None:
        raise NotFound("There is no such model version.", code="no_such_subject")
    return version


def _dataset_version(ref: str) -> DatasetVersion:
    rows = DatasetVersion.objects.select_related("project")
    dataset = rows.filter(pk=primary_key(ref, "dataset_version")).first()
    if dataset is None:
        raise NotFound("There is no such dataset version.", code="no_such_subject")
    return dataset


def _bindings(
    version: ModelVersion,
    facts: RunFacts | None,
    datasets: Mapping[str, DatasetVersion],
    scope: ScopingDocument | None,
) -> dict[str, str]:
    bindings = {"model_files": files_digest(version)}
    if facts is not None:
        bindings["run"] = run_digest(facts)
    bindings |= {f"dataset:{name}": stored_digest(found) for name, found in datasets.items()}
    if scope is not None:
        bindings["scope"] = frozen_hash(scope)
        bindings["criteria"] = frozen_criteria_hash(scope)
    return bindings


def files_digest(version: ModelVersion) -> str:
    """Return the digest of the version's files as they lie on disk now; empty if they are gone."""
    try:
        return tree_digest(paths.on_disk(version.artifact_path))
    except OSError:
        return ""


def _metrics(facts: RunFacts | None) -> dict[str, float]:
    return {name: float(value) for name, value in facts.metrics.items()} if facts else {}


def _of_version(version: ModelVersion) -> dict[str, Any]:
    return {
        "model_name": version.model.name,
        "model_number": version.number,
        "signature": bool(version.signature.get("inputs") and version.signature.get("outputs")),
        "features": describing.features_of(version),
        "format_problem": version.format_problem,
        "registered_files_digest": version.files_digest,
    }


def _of_run(run: Run | None, facts: RunFacts | None) -> dict[str, Any]:
    if run is None or facts is None:
        return {"run_id": "", "run_status": "", "commit": "", "commit_dirty": None, "seed": None}
    dirty = facts.tags.get(_DIRTY, "").lower()
    return {
        "run_id": facts.run_id,
        "run_status": facts.status if facts.lifecycle == "active" else "DELETED",
        "run_started_at": run.started_at.isoformat(),
        "commit": facts.tags.get(_COMMIT, ""),
        "commit_dirty": {"true": True, "false": False}.get(dirty),
        "params": describing.params_of(facts),
        "seed": facts.params.get("seed") or facts.params.get("random_state"),
        "work_item_ref": run.work_item.ref if run.work_item else "",
        "sprint_ref": run.sprint.ref if run.sprint else "",
    }


def _of_datasets(datasets: Mapping[str, DatasetVersion]) -> dict[str, Any]:
    return {
        "dataset_refs": sorted({dataset.ref for dataset in datasets.values()}),
        "datasets": {name: describing.of_dataset(found) for name, found in datasets.items()},
    }


def _of_scope(scope: ScopingDocument | None) -> dict[str, Any]:
    return {} if scope is None else {"scope_ref": scope.ref, "scope_version": scope.version}


def _of_monitors(version: ModelVersion) -> dict[str, Any]:
    """Return what watches a deployment of this version, and when it last reported on it."""
    watching = Monitor.objects.filter(is_active=True, deployment__version=version)
    reported = Max("reports__created_at", filter=Q(reports__version=version))
    rows = watching.annotate(last=reported).values_list(
        "pk", "deployment__slug", "window_days", "last"
    )
    return {
        "monitors": [
            {
                "ref": f"monitor:{pk}",
                "name": f"monitor of {slug}",
                "window_days": days,
                "last_report_at": last and last.isoformat(),
            }
            for pk, slug, days, last in rows
        ]
    }


def _for_criteria(
    version: ModelVersion,
    facts: RunFacts | None,
    datasets: Mapping[str, DatasetVersion],
    scope: ScopingDocument | None,
) -> dict[str, Any]:
    if facts is None or scope is None:
        return {}
    criteria = list((scope.snapshot or {}).get("criteria") or ())
    return criterion_facts.facts_for(criteria, version, facts, datasets)


def _json_digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
