"""What the pipeline tells the pages of a project; plugged in by RUN_SOURCE, DEPLOYMENT_SOURCE."""

import hashlib
import json
import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.timezone import now

from governance.services.evaluating import standing_review
from pipeline.adapters import runs as mlflow_runs
from pipeline.adapters.source_control import COMMIT
from pipeline.models import Deployment, DriftReport, Run
from pipeline.services import mirror, refreshing
from pipeline.services.criterion_facts import but_seed, seed_of
from pipeline.services.loading import why_not_standing
from pipeline.services.mirror import run_url
from pipeline.services.ties import Ties
from projects.actors import system
from projects.errors import DomainError
from projects.facts import DeploymentFact, RunFact
from projects.models import Project, WorkItem

logger = logging.getLogger(__name__)

#: Several readers of one page ask MLflow once in this time.
FRESH = timedelta(seconds=1)


def runs_of(project: Project) -> list[RunFact]:
    """Return the project's training runs, oldest first, in two queries and one per data set."""
    runs = list(
        Run.objects.filter(project=project)
        .select_related("dataset", "experiment", "launched_by")
        .order_by("started_at", "pk")
    )
    released = {
        ref: standing_review("dataset_version", ref, "data") is not None
        for ref in {run.dataset.ref for run in runs if run.dataset}
    }
    return [_run_fact(run, released) for run in runs]


def deployments_of(project: Project) -> list[DeploymentFact]:
    """Return the project's deployments by name, each with the newest word on its health."""
    return deployments_of_all([project])[project.pk]


def deployments_of_all(projects: Sequence[Project]) -> dict[int, list[DeploymentFact]]:
    """Return each project's deployments by name, in one query."""
    newest = DriftReport.objects.filter(monitor__deployment=OuterRef("pk")).order_by("-window_end")
    rows = Deployment.objects.filter(project__in=projects).select_related(
        "environment", "version__model", "promotion__review", "promotion__environment"
    )
    found: dict[int, list[DeploymentFact]] = defaultdict(list)
    for one in rows.annotate(last_breaches=Subquery(newest.values("breaches")[:1])):
        found[one.project_id].append(_deployment_fact(one))
    return found


def refresh_runs(run_ids: Sequence[str]) -> None:
    """Read runs that are going on from MLflow's store; what cannot be read stays as it was."""
    due = Run.objects.filter(run_id__in=run_ids, mirrored_at__lt=now() - FRESH)
    for run_id in due.exclude(status__in=mirror.ENDED).values_list("run_id", flat=True):
        try:
            refreshing.refresh_run(run_id)
        except DomainError as error:
            logger.warning("Run %s was not read anew: %s", run_id, error.message)


def tie_run(run_id: str, item: WorkItem) -> None:
    """Let our row and MLflow's tags of a run name the item that it was linked to."""
    run = Run.objects.select_related("project", "work_item").get(run_id=run_id)
    mirror.tie_run(run, Ties(work_item=item), actor=system("gateway"))
    _tag(run_id, item)


def untie_run(run_id: str, item: WorkItem) -> None:
    """Let a run that was taken off an item no longer name it."""
    run = Run.objects.select_related("project", "work_item").filter(run_id=run_id).first()
    if run is not None and run.work_item == item:
        mirror.untie_work_item(run, actor=system("gateway"))
        _tag(run_id, None)


def _tag(run_id: str, item: WorkItem | None) -> None:
    # The tie itself holds in our rows; MLflow's tags only show it to those who look there.
    try:
        mlflow_runs.tag_work_item(run_id, item)
    except DomainError as error:
        logger.warning("The tags of run %s were not written: %s", run_id, error.message)


def _run_fact(run: Run, released: Mapping[str, bool]) -> RunFact:
    ended = run.ended_at
    finished = run.status == "FINISHED"
    return RunFact(
        run_id=run.run_id,
        name=str(run),
        status=run.status,
        started_at=run.started_at,
        ended_at=ended,
        metrics={name: float(value) for name, value in run.metrics.items() if _is_finite(value)},
        work_item=run.work_item_id,
        sprint=run.sprint_id,
        launched_by=str(run.launched_by or run.launched_as),
        is_eligible=finished and run.dataset is not None and released[run.dataset.ref],
        compute_seconds=((ended or now()) - run.started_at).total_seconds(),
        url=run_url(run),
        commit=str(run.tags.get(COMMIT) or ""),
        dataset=run.dataset.ref if run.dataset else "",
        alike=_alike(run),
        seed=seed_of(run.params),
    )


def _alike(run: Run) -> str:
    """Return a text that runs share which differ in their seed alone."""
    parts = [run.experiment_id, run.dataset_id, but_seed(run.params)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _is_finite(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)  # type: ignore[arg-type]


def _deployment_fact(deployment: Any) -> DeploymentFact:
    halted = why_not_standing(deployment.promotion) if deployment.promotion else ""
    health = {"serving": "healthy"}.get(deployment.status, str(deployment.status))
    if halted:
        health = "refused"
    elif deployment.last_breaches:
        health = "breach"
    return DeploymentFact(
        name=deployment.slug,
        environment=deployment.environment.name,
        status=str(deployment.status),
        health=health,
        reason=halted or deployment.status_reason,
        model_ref=deployment.version.ref if deployment.version else "",
        url=reverse("pipeline:deployment", args=[deployment.slug]),
    )
