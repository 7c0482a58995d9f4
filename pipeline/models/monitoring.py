"""What watches a deployment, what it saw, and within which envelope it may retrain."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from pipeline.models.deployment import Deployment
from pipeline.models.run import ModelVersion
from projects.models import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class MonitorQuerySet(models.QuerySet["Monitor"]):
    """Monitors as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "MonitorQuerySet":
        return self.filter(deployment__project__in=Project.objects.visible_to(actor))


class Monitor(models.Model):
    """Limits on drift and performance of one deployment, and what a breach does."""

    deployment = models.OneToOneField(Deployment, on_delete=models.PROTECT, related_name="monitor")
    reference_profile = models.JSONField(
        default=dict, help_text="Bins and shares of each feature in the training data."
    )
    metric_key = models.CharField(max_length=60, default="roc_auc")
    psi_limit = models.FloatField(default=0.2)
    min_performance = models.FloatField(null=True, blank=True)
    performance_limits = models.JSONField(
        default=dict, blank=True, help_text='More limits, such as {"calibration_error": 0.1}.'
    )
    min_rows = models.PositiveIntegerField(default=200)
    window_days = models.PositiveSmallIntegerField(
        default=30, help_text="Length of the windows that the schedule looks at."
    )
    opens_finding = models.BooleanField(default=True)
    starts_retraining = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)

    objects = MonitorQuerySet.as_manager()

    class Meta:
        ordering = ["deployment"]

    def __str__(self) -> str:
        return f"monitor of {self.deployment}"

    @property
    def ref(self) -> str:
        return f"monitor:{self.pk}"


class DriftReportQuerySet(models.QuerySet["DriftReport"]):
    """Drift reports as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "DriftReportQuerySet":
        return self.filter(monitor__deployment__project__in=Project.objects.visible_to(actor))


class DriftReport(models.Model):
    """What the monitor saw in one window, with the limits that held then."""

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="reports")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    row_count = models.PositiveIntegerField()
    labelled_count = models.PositiveIntegerField()
    features = models.JSONField(
        help_text="Per feature: psi, statistic, p_value, missing rate, whether it breached."
    )
    performance = models.JSONField(default=dict)
    limits = models.JSONField()
    breaches = models.JSONField(default=list, help_text="Sentences, worst first.")
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    plots = models.JSONField(
        default=list, blank=True, help_text='[{"title": ..., "attachment": SHA-256}] of SVG files.'
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = DriftReportQuerySet.as_manager()

    class Meta:
        ordering = ["-window_end", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["monitor", "window_start", "window_end"], name="drift_report_window_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monitor} {self.window_start:%Y-%m} to {self.window_end:%Y-%m}"

    @property
    def ref(self) -> str:
        return f"drift_report:{self.pk}"

    @property
    def has_breach(self) -> bool:
        return bool(self.breaches)


class RetrainingPolicyQuerySet(models.QuerySet["RetrainingPolicy"]):
    """Retraining policies as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "RetrainingPolicyQuerySet":
        return self.filter(deployment__project__in=Project.objects.visible_to(actor))


class RetrainingPolicy(models.Model):
    """When a candidate is trained by itself, and the envelope it must stay in.

    `envelope` fixes the features, the estimator and its parameter grid, the least rows, and how
    far the candidate may fall behind the champion before no promotion is requested.
    """

    deployment = models.OneToOneField(
        Deployment, on_delete=models.PROTECT, related_name="retraining_policy"
    )
    on_breach = models.BooleanField(default=True)
    every_days = models.PositiveIntegerField(null=True, blank=True)
    envelope = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)

    objects = RetrainingPolicyQuerySet.as_manager()

    class Meta:
        ordering = ["deployment"]
        verbose_name_plural = "retraining policies"

    def __str__(self) -> str:
        return f"retraining of {self.deployment}"

    @property
    def ref(self) -> str:
        return f"retraining_policy:{self.pk}"
