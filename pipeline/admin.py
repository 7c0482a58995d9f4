"""Browse what the pipeline holds; every change is a command behind REST or a page."""

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from governance.admin.base import link
from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Experiment,
    Job,
    ModelVersion,
    Monitor,
    Prediction,
    RegisteredModel,
    RetrainingPolicy,
    Run,
)
from projects.admin.base import ReadOnlyAdmin


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ReadOnlyAdmin):
    """Dataset versions by digest."""

    list_display = ["__str__", "project", "row_count", "target", "digest", "registered_at"]
    list_filter = ["project", "name"]
    list_select_related = ["project"]
    search_fields = ["name", "digest", "content_digest", "origin"]
    date_hierarchy = "registered_at"


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    """MLflow's experiments and their projects."""

    list_display = ["name", "project", "experiment_id", "in_mlflow"]
    list_filter = ["project"]
    list_select_related = ["project"]
    search_fields = ["name", "experiment_id"]

    @admin.display(description="MLflow")
    def in_mlflow(self, experiment: Experiment) -> SafeString | str:
        return link(f"/mlflow/#/experiments/{experiment.experiment_id}", "open")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Training runs as they were logged through the gateway."""

    list_display = ["__str__", "project", "status", "launched_as", "started_at", "in_mlflow"]
    list_filter = ["status", "project", "experiment"]
    list_select_related = ["project", "experiment"]
    search_fields = ["run_id", "name", "launched_as"]
    date_hierarchy = "started_at"

    @admin.display(description="MLflow")
    def in_mlflow(self, run: Run) -> SafeString | str:
        place = f"/mlflow/#/experiments/{run.experiment.experiment_id}/runs/{run.run_id}"
        return link(place, "open")


@admin.register(RegisteredModel)
class RegisteredModelAdmin(ReadOnlyAdmin):
    """Registered models and their projects."""

    list_display = ["name", "project", "is_governed", "created_at"]
    list_filter = ["is_governed", "project"]
    list_select_related = ["project"]
    search_fields = ["name"]


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Model versions with the digest of their files."""

    list_display = ["__str__", "registered_as", "registered_at", "files_digest", "lineage"]
    list_filter = ["model__project", "model"]
    list_select_related = ["model"]
    search_fields = ["model__name", "files_digest", "registered_as"]
    date_hierarchy = "registered_at"

    def view_on_site(self, version: ModelVersion) -> str:
        return f"/lineage/{version.model.name}/{version.number}/"

    @admin.display(description="lineage")
    def lineage(self, version: ModelVersion) -> SafeString | str:
        return link(self.view_on_site(version), "show")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    """What serves, under which decision."""

    list_display = ["slug", "project", "environment", "status", "version", "verified_at"]
    list_filter = ["status", "environment", "project"]
    list_select_related = ["project", "environment", "version__model"]
    search_fields = ["slug", "model__name", "status_reason"]

    def view_on_site(self, deployment: Deployment) -> str:
        return reverse("pipeline:deployment", args=[deployment.slug])


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    """Answered rows and their labels."""

    list_display = ["prediction_id", "deployment", "occurred_at", "score", "label"]
    list_filter = ["deployment", "label"]
    list_select_related = ["deployment"]
    search_fields = ["prediction_id"]
    show_full_result_count = False


@admin.register(Monitor)
class MonitorAdmin(ReadOnlyAdmin):
    """Limits on drift and performance."""

    list_display = ["__str__", "psi_limit", "metric_key", "min_performance", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["deployment"]


@admin.register(DriftReport)
class DriftReportAdmin(ReadOnlyAdmin):
    """What monitors saw."""

    list_display = ["__str__", "version", "row_count", "labelled_count", "is_kept", "health"]
    list_filter = ["monitor__deployment"]
    list_select_related = ["monitor__deployment", "version__model"]
    date_hierarchy = "window_end"

    @admin.display(description="limits kept", boolean=True)
    def is_kept(self, report: DriftReport) -> bool:
        return not report.has_breach

    @admin.display(description="health")
    def health(self, report: DriftReport) -> SafeString | str:
        slug = report.monitor.deployment.slug
        return link(reverse("pipeline:deployment", args=[slug]), slug)


@admin.register(RetrainingPolicy)
class RetrainingPolicyAdmin(ReadOnlyAdmin):
    """When candidates are trained, and within which envelope."""

    list_display = ["__str__", "on_breach", "every_days", "is_active"]
    list_filter = ["is_active", "on_breach"]
    list_select_related = ["deployment"]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Background work."""

    list_display = ["__str__", "project", "status", "progress", "message", "attempts", "queued_at"]
    list_filter = ["status", "kind", "project"]
    list_select_related = ["project"]
    search_fields = ["subject_ref", "message", "requested_as"]
    date_hierarchy = "queued_at"
