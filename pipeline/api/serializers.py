"""What the REST resources of this app show and read; nothing here decides."""

from typing import Any

from rest_framework import serializers

from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Experiment,
    Job,
    ModelVersion,
    Monitor,
    RetrainingPolicy,
    Run,
)


class DatasetVersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    registered_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = DatasetVersion
        fields = [
            "id",
            "ref",
            "project",
            "name",
            "number",
            "digest",
            "content_digest",
            "media_type",
            "separator",
            "target",
            "positive",
            "origin",
            "row_count",
            "columns",
            "profile",
            "datasheet",
            "registered_by",
            "registered_at",
        ]
        read_only_fields = fields


class DatasetUploadSerializer(serializers.Serializer[Any]):
    """A file with what is declared about it, as multipart form data."""

    project = serializers.CharField(help_text="Number or slug.")
    name = serializers.SlugField(max_length=100)
    file = serializers.FileField(allow_empty_file=True)
    separator = serializers.CharField(max_length=4, default=",", trim_whitespace=False)
    target = serializers.CharField(max_length=100)
    positive = serializers.CharField(max_length=100, default="", allow_blank=True)
    required_columns = serializers.ListField(child=serializers.CharField(), default=list)
    numeric_columns = serializers.ListField(child=serializers.CharField(), default=list)
    origin = serializers.CharField(default="", allow_blank=True)
    datasheet = serializers.JSONField(default=dict)


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Experiment
        fields = ["id", "experiment_id", "name", "project", "created_by"]
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer[Run]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    experiment = serializers.CharField(source="experiment.name", read_only=True)
    launched_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Run
        fields = [
            "id",
            "ref",
            "run_id",
            "project",
            "experiment",
            "name",
            "status",
            "launched_by",
            "launched_as",
            "sprint",
            "work_item",
            "dataset",
            "params",
            "metrics",
            "tags",
            "started_at",
            "ended_at",
        ]
        read_only_fields = fields


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    model = serializers.CharField(source="model.name", read_only=True)
    project = serializers.CharField(source="model.project.slug", read_only=True)
    run = serializers.SlugRelatedField[Any](slug_field="run_id", read_only=True)
    registered_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "ref",
            "project",
            "model",
            "number",
            "run",
            "source",
            "artifact_path",
            "files_digest",
            "signature",
            "format_problem",
            "registered_by",
            "registered_as",
            "registered_at",
        ]
        read_only_fields = fields


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    version = serializers.SerializerMethodField()
    digest = serializers.CharField(source="promotion.files_digest", read_only=True, default="")

    class Meta:
        model = Deployment
        fields = [
            "id",
            "ref",
            "slug",
            "project",
            "model",
            "environment",
            "status",
            "status_reason",
            "version",
            "promotion",
            "digest",
            "input_schema",
            "decision_threshold",
            "verified_at",
            "created_at",
        ]
        read_only_fields = fields

    def get_version(self, deployment: Deployment) -> int | None:
        return deployment.version.number if deployment.version else None


class NewDeploymentSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=50)
    model = serializers.CharField(max_length=200, help_text="Name of the registered model.")
    environment = serializers.CharField(max_length=50)
    input_schema = serializers.ListField(child=serializers.DictField(), default=list)
    decision_threshold = serializers.FloatField(default=0.5)


class StopSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(default="", allow_blank=True)


class MonitorSerializer(serializers.ModelSerializer[Monitor]):
    deployment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Monitor
        fields = [
            "id",
            "ref",
            "deployment",
            "metric_key",
            "psi_limit",
            "min_performance",
            "performance_limits",
            "min_rows",
            "window_days",
            "opens_finding",
            "starts_retraining",
            "is_active",
        ]
        read_only_fields = fields


class MonitorSettingsSerializer(serializers.Serializer[Any]):
    """What a monitor watches for; fields left out keep their value."""

    deployment = serializers.CharField(help_text="Number or slug.")
    metric_key = serializers.CharField(max_length=60, required=False)
    psi_limit = serializers.FloatField(min_value=0, required=False)
    min_performance = serializers.FloatField(required=False, allow_null=True)
    performance_limits = serializers.DictField(child=serializers.FloatField(), required=False)
    min_rows = serializers.IntegerField(min_value=1, required=False)
    window_days = serializers.IntegerField(min_value=1, max_value=3650, required=False)
    opens_finding = serializers.BooleanField(required=False)
    starts_retraining = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)


class WindowSerializer(serializers.Serializer[Any]):
    window_start = serializers.DateTimeField()
    window_end = serializers.DateTimeField()


class DriftReportSerializer(serializers.ModelSerializer[DriftReport]):
    deployment = serializers.CharField(source="monitor.deployment.slug", read_only=True)
    version = serializers.SerializerMethodField()

    class Meta:
        model = DriftReport
        fields = [
            "id",
            "ref",
            "deployment",
            "monitor",
            "version",
            "window_start",
            "window_end",
            "row_count",
            "labelled_count",
            "features",
            "performance",
            "limits",
            "breaches",
            "plots",
            "created_at",
        ]
        read_only_fields = fields

    def get_version(self, report: DriftReport) -> int | None:
        return report.version.number if report.version else None


class RetrainingPolicySerializer(serializers.ModelSerializer[RetrainingPolicy]):
    deployment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = RetrainingPolicy
        fields = ["id", "ref", "deployment", "on_breach", "every_days", "envelope", "is_active"]
        read_only_fields = fields


class RetrainingSettingsSerializer(serializers.Serializer[Any]):
    """When and within which envelope to retrain; fields left out keep their value."""

    deployment = serializers.CharField(help_text="Number or slug.")
    on_breach = serializers.BooleanField(required=False)
    every_days = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    envelope = serializers.DictField(required=False)
    is_active = serializers.BooleanField(required=False)


class JobSerializer(serializers.ModelSerializer[Job]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    requested_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Job
        fields = [
            "id",
            "ref",
            "project",
            "kind",
            "status",
            "subject_ref",
            "params",
            "result",
            "progress",
            "message",
            "is_cancel_requested",
            "attempts",
            "requested_as",
            "requested_by",
            "queued_at",
            "started_at",
            "ended_at",
        ]
        read_only_fields = fields
