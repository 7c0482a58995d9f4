"""What serves, what it answered, and what became true later."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from governance.models import Environment, Promotion
from pipeline.models.run import ModelVersion, RegisteredModel
from projects.models import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    """Deployments as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "DeploymentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Deployment(models.Model):
    """A scoring address that serves whatever version stands promoted to its environment."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        SERVING = "serving"
        REFUSED = "refused"
        STOPPED = "stopped"

    slug = models.SlugField(unique=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="deployments")
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="deployments")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.WAITING, editable=False
    )
    status_reason = models.TextField(blank=True)
    input_schema = models.JSONField(
        default=list, blank=True, help_text="Columns that callers send; a new version must fit."
    )
    decision_threshold = models.FloatField(default=0.5)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments"
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "environment"], name="deployment_one_per_environment"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def ref(self) -> str:
        return f"deployment:{self.pk}"


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Predictions as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "PredictionQuerySet":
        return self.filter(deployment__project__in=Project.objects.visible_to(actor))


class Prediction(models.Model):
    """One answered row with its inputs; the label arrives later, if ever."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="predictions")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    prediction_id = models.CharField(max_length=64, unique=True)
    occurred_at = models.DateTimeField(help_text="When the case happened, not when it was sent.")
    received_at = models.DateTimeField(default=timezone.now)
    features = models.JSONField()
    score = models.FloatField()
    label = models.PositiveSmallIntegerField(null=True, blank=True)
    labelled_at = models.DateTimeField(null=True, blank=True)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["deployment", "occurred_at"])]

    def __str__(self) -> str:
        return self.prediction_id
