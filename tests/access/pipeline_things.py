"""What addresses of the pipeline name."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Promotion
from pipeline.models import DriftReport, Job, Monitor, RegisteredModel, RetrainingPolicy
from pipeline.services import data
from projects import content_store
from projects.models import Project
from tests.factories import session_actor
from tests.governance.faces import PIXEL
from tests.pipeline.conftest import DATASHEET, World, csv_of, rows_of

WINDOW = {"window_start": "2009-06-01T00:00:00Z", "window_end": "2009-07-01T00:00:00Z"}


def build(project: Project, promotion: Promotion, template: Path) -> dict[str, Any]:
    """Return one of everything that addresses of the pipeline name."""
    own = RegisteredModel.objects.create(name="served-calls", project=project)
    # A second model, since the first one has its deployment.
    RegisteredModel.objects.create(name="another", project=project)
    rules = promotion.review.policy_version
    world = World(project, template, own, promotion.environment, rules)
    dataset = _dataset(project)
    run = world.run(dataset)
    version = world.version(run=run)
    deployment = world.deployment(version)
    monitor = Monitor.objects.create(deployment=deployment)
    report = DriftReport.objects.create(
        monitor=monitor, **WINDOW, row_count=1, labelled_count=0, features=[], performance={},
        limits={"psi": 0.2}, breaches=[], version=version,
        plots=[{"title": "dot", "attachment": content_store.put(PIXEL)}],
    )  # fmt: skip
    return {
        "dataset": dataset,
        "run": run,
        "experiment": run.experiment,
        "model-version": version,
        "deployment": deployment,
        "monitor": monitor,
        "report": report,
        "retraining": RetrainingPolicy.objects.create(deployment=deployment),
        "job": Job.objects.create(
            project=project, kind="monitor", requested_as="system:schedule",
            queued_at=timezone.now(),
        ),
    }  # fmt: skip


def _dataset(project: Project) -> Any:
    upload = data.DatasetUpload(
        project=project, name="calls", content=csv_of(rows_of(200)), target="y",
        expected=data.Expected(separator=";"), datasheet=DATASHEET,
    )  # fmt: skip
    return data.register_dataset_version(
        upload, actor=session_actor(User.objects.get(username="sam"))
    )
