"""Our own rows of what MLflow holds, written when it is written: facts, ledger and lineage.

Dashboards, gates and serving read these rows; what only MLflow knows is read through an adapter
and refreshed before anything is decided on it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from governance.models import LineageNode
from governance.services import lineage
from ledger import services as ledger
from pipeline.models import DatasetVersion, Experiment, ModelVersion, RegisteredModel, Run
from pipeline.services import ties
from pipeline.services.ties import Ties
from projects.actors import Actor
from projects.errors import NotPermitted
from projects.models import Project
from projects.services.scoping import approved_scope

#: MLflow's run states after which nothing more is expected.
ENDED = frozenset({"FINISHED", "FAILED", "KILLED"})


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a run says it used, as MLflow keeps it."""

    name: str
    digest: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run as MLflow's store tells it, in plain values."""

    run_id: str
    experiment_id: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    lifecycle: str = "active"
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetInput, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A model version with what the server found in its files."""

    model_name: str
    number: int
    source: str
    run_id: str | None
    artifact_path: str
    files_digest: str
    signature: Mapping[str, Any]
    format_problem: str
    copied_files: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def mirror_experiment(
    experiment_id: str, name: str, project: Project, *, actor: Actor
) -> Experiment:
    """Record an experiment that was created in MLflow, or its new name."""
    values = {"name": name, "project": project}
    experiment, is_new = Experiment.objects.update_or_create(
        experiment_id=experiment_id,
        defaults=values,
        create_defaults={**values, "created_by": actor.user},
    )
    if is_new:
        ledger.append(
            "experiment.created",
            subject=f"experiment:{experiment_id}",
            actor=actor,
            data={"name": name, "project": project.slug},
        )
    return experiment


@transaction.atomic
def mirror_run_created(facts: RunFacts, bound: Ties, *, actor: Actor) -> Run:
    """Record a run that `actor` has just started; the author is never read from a tag."""
    experiment = Experiment.objects.select_related("project").get(experiment_id=facts.experiment_id)
    run = Run.objects.create(
        run_id=facts.run_id,
        experiment=experiment,
        project=experiment.project,
        launched_by=actor.user,
        launched_as=actor.ref,
        sprint=bound.sprint,
        work_item=bound.work_item,
        dataset=bound.dataset,
        **_mutable(facts),
    )
    ledger.append(
        "run.created",
        subject=run.ref,
        actor=actor,
        data={"experiment": experiment.name, "name": run.name, **bound.refs()},
    )
    _record_lineage(run)
    ties.link_work_item(run, actor=actor)
    return run


@transaction.atomic
def tie_run(run: Run, bound: Ties, *, actor: Actor) -> None:
    """Tie a run to what its launcher named after it had started."""
    changes = {name: value for name, value in bound.items() if value is not None}
    if not changes:
        return
    former = run.work_item
    Run.objects.filter(pk=run.pk).update(**changes)
    run.refresh_from_db()
    if former is not None and former != run.work_item:
        ties.unlink_work_item(run, former, actor=actor)
    _record_lineage(run)
    ties.link_work_item(run, actor=actor)


@transaction.atomic
def untie_work_item(run: Run, *, actor: Actor) -> None:
    """Take a run off its work item; the item's events keep that it was on it."""
    former = run.work_item
    if former is None:
        return
    Run.objects.filter(pk=run.pk).update(work_item=None)
    run.refresh_from_db()
    ties.unlink_work_item(run, former, actor=actor)


@transaction.atomic
def mirror_run(facts: RunFacts, *, actor: Actor | None = None) -> Run:
    """Bring our row of a run up to date; record its end once, if `actor` has just ended it."""
    run = Run.objects.select_for_update().select_related("project").get(run_id=facts.run_id)
    has_ended = run.status not in ENDED and facts.status in ENDED
    for name, value in _mutable(facts).items():
        setattr(run, name, value)
    if run.dataset is None:
        run.dataset = dataset_of(run.project, facts)
    run.save()
    if has_ended:
        _record_lineage(run)
    if has_ended and actor is not None:
        metrics = {k: ledger.decimal_text(v) for k, v in facts.metrics.items() if math.isfinite(v)}
        ledger.append(
            "run.finished",
            subject=run.ref,
            actor=actor,
            data={"status": facts.status, "metrics": metrics},
        )
    return run


@transaction.atomic
def mirror_run_deleted(run_id: str, *, actor: Actor) -> None:
    """Record that a run was deleted in MLflow; our row stays."""
    ledger.append("run.deleted", subject=f"run:{run_id}", actor=actor)


@transaction.atomic
def mirror_registered_model(name: str, project: Project, *, actor: Actor) -> RegisteredModel:
    """Record a registered model that was created in MLflow; it is governed from the start."""
    model, is_new = RegisteredModel.objects.get_or_create(
        name=name, defaults={"project": project, "created_by": actor.user}
    )
    if is_new:
        ledger.append(
            "registered_model.created",
            subject=f"registered_model:{model.pk}",
            actor=actor,
            data={"name": name, "project": project.slug},
        )
    return model


@transaction.atomic
def forget_registered_model(name: str) -> None:
    """Remove our row of a registered model that never had a version.

    Raises:
        NotPermitted: code `versions_are_kept`, it has or had versions.
    """
    model = RegisteredModel.objects.get(name=name)
    if model.versions.exists():
        raise NotPermitted(
            f"{name} has versions, whose record is kept; it cannot be deleted.",
            code="versions_are_kept",
        )
    model.delete()


@transaction.atomic
def mirror_model_version(facts: VersionFacts, *, actor: Actor) -> ModelVersion:
    """Record a version with the digest of its bytes and who registered it."""
    model = RegisteredModel.objects.select_related("project").get(name=facts.model_name)
    run = Run.objects.filter(run_id=facts.run_id).first() if facts.run_id else None
    version = ModelVersion.objects.create(
        model=model,
        number=facts.number,
        run=run,
        source=facts.source,
        artifact_path=facts.artifact_path,
        files_digest=facts.files_digest,
        signature=dict(facts.signature),
        format_problem=facts.format_problem,
        registered_by=actor.user,
        registered_as=actor.ref,
    )
    ledger.append(
        "model_version.created",
        subject=version.ref,
        actor=actor,
        data={
            "model": model.name,
            "number": facts.number,
            "run": facts.run_id,
            "files_digest": facts.files_digest,
            "files": dict(facts.copied_files),
            "format_problem": facts.format_problem or None,
        },
    )
    _record_version_lineage(version)
    return version


@transaction.atomic
def mirror_version_deleted(model_name: str, number: int, *, actor: Actor) -> None:
    """Record that a version was deleted in MLflow; our row stays, with its digest."""
    version = ModelVersion.objects.filter(model__name=model_name, number=number).first()
    if version is not None:
        ledger.append("model_version.deleted", subject=version.ref, actor=actor)


def dataset_of(project: Project, facts: RunFacts) -> DatasetVersion | None:
    """Return the registered dataset version that a run names first, if it names one."""
    found = datasets_of(project, facts)
    return next(iter(found.values()), None)


def datasets_of(project: Project, facts: RunFacts) -> dict[str, DatasetVersion]:
    """Return the registered dataset versions that a run names, by the name that it gives them."""
    tagged = ties.tagged_dataset(project, facts.tags)
    found = {tagged.name: tagged} if tagged else {}
    for given in facts.datasets:
        version = ties.dataset_by_digest(project, given.name, given.digest)
        if version is not None:
            found.setdefault(given.name, version)
    return found


def _mutable(facts: RunFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "status": facts.status,
        "params": dict(facts.params),
        "metrics": {k: v if math.isfinite(v) else str(v) for k, v in facts.metrics.items()},
        "tags": dict(facts.tags),
        "started_at": facts.started_at,
        "ended_at": facts.ended_at,
        "mirrored_at": timezone.now(),
    }


def _record_lineage(run: Run) -> None:
    node = _run_node(run)
    for thing, kind in ((run.dataset, "trained_on"), (run.work_item, "for"), (run.sprint, "in")):
        if thing is None:
            continue
        other = lineage.record_node(_tie_node(thing), project=run.project)
        lineage.record_edge(other, node, kind)
    _record_scope(run, node)


def _record_scope(run: Run, node: LineageNode) -> None:
    """Hang the run's sprint below the scope that holds now; without a sprint, the run itself."""
    document = approved_scope(run.project)
    if document is None:
        return
    scoped = node
    if run.sprint is not None:
        scoped = lineage.record_node(_tie_node(run.sprint), project=run.project)
    lineage.record_edge(lineage.scope_node(document), scoped, "scopes")


def _tie_node(thing: Any) -> lineage.Node:
    if isinstance(thing, DatasetVersion):
        return lineage.Node("dataset", thing.ref, str(thing), thing.digest)
    kind = thing.ref.partition(":")[0]
    return lineage.Node(kind, thing.ref, str(thing))


def _run_node(run: Run) -> LineageNode:
    node = lineage.Node("run", run.ref, str(run), url=run_url(run))
    return lineage.record_node(node, project=run.project)


def run_url(run: Run) -> str:
    """Return where MLflow's own pages show the run."""
    return f"/mlflow/#/experiments/{run.experiment.experiment_id}/runs/{run.run_id}"


def _record_version_lineage(version: ModelVersion) -> None:
    url = f"/lineage/{version.model.name}/{version.number}/"
    node = lineage.record_node(
        lineage.Node("model_version", version.ref, str(version), version.files_digest, url),
        project=version.model.project,
    )
    if version.run is not None:
        lineage.record_edge(_run_node(version.run), node, "produced")
