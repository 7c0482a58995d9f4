"""What MLflow holds, mirrored at write time by the gateway: experiments, runs, model versions."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from pipeline.models.dataset import DatasetVersion
from projects.models import Project, Sprint, WorkItem

if TYPE_CHECKING:
    from projects.actors import Actor


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    """Experiments as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ExperimentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Experiment(models.Model):
    """An MLflow experiment and the project it belongs to."""

    experiment_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=256)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="experiments")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RunQuerySet(models.QuerySet["Run"]):
    """Runs as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "RunQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Run(models.Model):
    """A training run; `launched_by` is the authenticated caller, never a client-written tag."""

    run_id = models.CharField(max_length=64, unique=True)
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="runs")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="runs")
    name = models.CharField(max_length=256, blank=True)
    status = models.CharField(max_length=20, default="RUNNING", help_text="MLflow's run status.")
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    launched_as = models.CharField(max_length=100, help_text="Actor reference, user or system.")
    sprint = models.ForeignKey(
        Sprint, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    work_item = models.ForeignKey(
        WorkItem, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    dataset = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    params = models.JSONField(default=dict, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    mirrored_at = models.DateTimeField(default=timezone.now)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return self.name or self.run_id

    @property
    def ref(self) -> str:
        return f"run:{self.run_id}"


class RegisteredModelQuerySet(models.QuerySet["RegisteredModel"]):
    """Registered models as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "RegisteredModelQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class RegisteredModel(models.Model):
    """A registered model of MLflow and its project; governed unless someone signed otherwise."""

    name = models.CharField(max_length=200, unique=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="registered_models")
    is_governed = models.BooleanField(default=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = RegisteredModelQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Model versions as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ModelVersionQuerySet":
        return self.filter(model__project__in=Project.objects.visible_to(actor))


class ModelVersion(models.Model):
    """A model version of MLflow with what MLflow does not keep: who registered which bytes.

    `files_digest` is SHA-256 over the sorted tree of the version's files, computed by the server
    when the version was created; `artifact_path` is relative to the artifact root.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, null=True, blank=True, related_name="model_versions"
    )
    source = models.CharField(max_length=500)
    artifact_path = models.CharField(max_length=500)
    files_digest = models.CharField(max_length=64, blank=True)
    signature = models.JSONField(default=dict, blank=True, help_text="MLflow's model signature.")
    format_problem = models.TextField(
        blank=True, help_text="Why the files may not be loaded; empty if they may."
    )
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    registered_as = models.CharField(max_length=100)
    registered_at = models.DateTimeField(default=timezone.now)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ["model", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="model_version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"

    @property
    def ref(self) -> str:
        return f"model_version:{self.pk}"
