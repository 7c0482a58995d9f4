"""REST resources of this app: lists and details of what the caller may see, commands as actions."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.base import GovernanceViewSet
from governance.models import Environment
from pipeline import access
from pipeline.api import serializers as shapes
from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Experiment,
    Job,
    ModelVersion,
    Monitor,
    RegisteredModel,
    RetrainingPolicy,
    Run,
)
from pipeline.services import data, exploring, jobs, monitoring, retraining, serving
from projects.errors import InvalidInput, NotFound


class PipelineViewSet(GovernanceViewSet):
    """Lists and details, and what the commands beside them need."""

    def deployment(self, name: str) -> Deployment:
        """Return the deployment of this number or slug."""
        match = {"pk": int(name)} if name.isdecimal() else {"slug": name}
        rows = Deployment.objects.select_related(
            "project", "model", "version__model", "version__run__dataset"
        )
        found: Deployment = self.visible(rows, f"deployment {name}", **match)
        return found

    def accepted(self, job: Job) -> Response:
        """Return the job that does the work."""
        return self.answer(job, status=202, shape=shapes.JobSerializer)


class DatasetVersionViewSet(PipelineViewSet):
    queryset = DatasetVersion.objects.select_related("project", "registered_by")
    serializer_class = shapes.DatasetVersionSerializer
    filterset_fields = ["project__slug", "name", "digest"]
    ordering_fields = ["registered_at", "number"]

    @extend_schema(
        request={"multipart/form-data": shapes.DatasetUploadSerializer},
        responses={201: shapes.DatasetVersionSerializer},
    )
    def create(self, request: Request) -> Response:
        values = self.read(shapes.DatasetUploadSerializer)
        upload = data.DatasetUpload(
            project=self.project(values["project"]),
            name=values["name"],
            content=values["file"].read(),
            target=values["target"],
            expected=data.Expected(
                separator=values["separator"],
                positive=values["positive"],
                columns=tuple(values["required_columns"]),
                numeric=tuple(values["numeric_columns"]),
            ),
            origin=values["origin"],
            datasheet=_read_datasheet(values["datasheet"]),
        )
        dataset = data.register_dataset_version(upload, actor=self.actor)
        return self.answer(dataset, status=201)

    def get_parsers(self) -> list[Any]:
        if getattr(self, "action_map", {}).get("post") == "create":
            return [MultiPartParser()]
        return list(super().get_parsers())

    @extend_schema(request=None, responses={202: shapes.JobSerializer})
    @action(detail=True, methods=["post"])
    def explore(self, request: Request, pk: str | None = None) -> Response:
        job = exploring.enqueue_exploration(self.get_object(), actor=self.actor)
        return self.accepted(job)


def _read_datasheet(value: Any) -> dict[str, Any]:
    """Return the datasheet; multipart forms carry it as JSON text."""
    try:
        sheet = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidInput(
            f"The datasheet is not JSON: {error}.", code="wrong_datasheet"
        ) from error
    if not isinstance(sheet, dict):
        raise InvalidInput("The datasheet must be a JSON object.", code="wrong_datasheet")
    return sheet


class ExperimentViewSet(PipelineViewSet):
    queryset = Experiment.objects.select_related("project", "created_by")
    serializer_class = shapes.ExperimentSerializer
    filterset_fields = ["project__slug", "name", "experiment_id"]
    ordering_fields = ["name"]


class RunViewSet(PipelineViewSet):
    queryset = Run.objects.select_related("project", "experiment", "launched_by")
    serializer_class = shapes.RunSerializer
    filterset_fields = ["project__slug", "run_id", "status", "sprint", "work_item", "dataset"]
    ordering_fields = ["started_at"]


class ModelVersionViewSet(PipelineViewSet):
    queryset = ModelVersion.objects.select_related("model__project", "run", "registered_by")
    serializer_class = shapes.ModelVersionSerializer
    filterset_fields = ["model__project__slug", "model__name", "number", "run__run_id"]
    ordering_fields = ["registered_at", "number"]


class DeploymentViewSet(PipelineViewSet):
    queryset = Deployment.objects.select_related(
        "project", "model", "environment", "version", "promotion"
    )
    serializer_class = shapes.DeploymentSerializer
    filterset_fields = ["project__slug", "slug", "status", "model__name", "environment__name"]
    ordering_fields = ["slug", "created_at"]

    @extend_schema(
        request=shapes.NewDeploymentSerializer, responses={201: shapes.DeploymentSerializer}
    )
    def create(self, request: Request) -> Response:
        values = self.read(shapes.NewDeploymentSerializer)
        models = RegisteredModel.objects.select_related("project")
        environment = Environment.objects.filter(name=values["environment"]).first()
        if environment is None:
            raise NotFound(f"There is no environment {values['environment']}.")
        new = serving.NewDeployment(
            slug=values["slug"],
            model=self.visible(models, f"registered model {values['model']}", name=values["model"]),
            environment=environment,
            input_schema=values["input_schema"],
            decision_threshold=values["decision_threshold"],
        )
        deployment = serving.create_deployment(new, actor=self.actor)
        return self.answer(deployment, status=201)

    @extend_schema(request=shapes.StopSerializer, responses=shapes.DeploymentSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        reason = self.read(shapes.StopSerializer)["reason"]
        stopped = serving.stop_deployment(self.get_object(), actor=self.actor, reason=reason)
        return self.answer(stopped)


class MonitorViewSet(PipelineViewSet):
    queryset = Monitor.objects.select_related("deployment__project")
    serializer_class = shapes.MonitorSerializer
    filterset_fields = ["deployment__slug", "is_active"]
    ordering_fields = ["id"]

    @extend_schema(
        request=shapes.MonitorSettingsSerializer, responses={201: shapes.MonitorSerializer}
    )
    def create(self, request: Request) -> Response:
        values = self.read(shapes.MonitorSettingsSerializer)
        deployment = self.deployment(values.pop("deployment"))
        monitor = monitoring.configure_monitor(deployment, values, actor=self.actor)
        return self.answer(monitor, status=201)

    @extend_schema(request=shapes.WindowSerializer, responses={202: shapes.JobSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str | None = None) -> Response:
        window = self.read(shapes.WindowSerializer)
        job = monitoring.enqueue_monitor(
            self.get_object(),
            window_start=window["window_start"],
            window_end=window["window_end"],
            actor=self.actor,
        )
        return self.accepted(job)


class DriftReportViewSet(PipelineViewSet):
    queryset = DriftReport.objects.select_related("monitor__deployment", "version")
    serializer_class = shapes.DriftReportSerializer
    filterset_fields = ["monitor", "monitor__deployment__slug"]
    ordering_fields = ["window_end", "created_at"]


class RetrainingPolicyViewSet(PipelineViewSet):
    queryset = RetrainingPolicy.objects.select_related("deployment__project")
    serializer_class = shapes.RetrainingPolicySerializer
    filterset_fields = ["deployment__slug", "is_active"]
    ordering_fields = ["id"]

    @extend_schema(
        request=shapes.RetrainingSettingsSerializer,
        responses={201: shapes.RetrainingPolicySerializer},
    )
    def create(self, request: Request) -> Response:
        values = self.read(shapes.RetrainingSettingsSerializer)
        deployment = self.deployment(values.pop("deployment"))
        policy = retraining.configure_retraining(deployment, values, actor=self.actor)
        return self.answer(policy, status=201)

    @extend_schema(request=None, responses={202: shapes.JobSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str | None = None) -> Response:
        policy = self.get_object()
        access.require(self.actor, "retraining.run", policy.deployment.project)
        job = retraining.enqueue_retraining(policy, actor=self.actor, reason="Asked for by hand.")
        return self.accepted(job)


class JobViewSet(PipelineViewSet):
    queryset = Job.objects.select_related("project", "requested_by")
    serializer_class = shapes.JobSerializer
    filterset_fields = ["project__slug", "kind", "status", "subject_ref"]
    ordering_fields = ["queued_at"]

    @extend_schema(request=None, responses=shapes.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        return self.answer(jobs.cancel_job(self.get_object(), actor=self.actor))

    @extend_schema(request=None, responses=shapes.JobSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str | None = None) -> Response:
        return self.answer(jobs.retry_job(self.get_object(), actor=self.actor))
