"""Background work as a row: state, progress, cancel and retry, whatever queue carries it."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "JobQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Job(models.Model):
    """One piece of background work; django-q2 delivers at least once, this row makes it once."""

    class Kind(models.TextChoices):
        TRAINING = "training"
        RUN_CHECK = "run_check"
        PROFILE_DATASET = "profile_dataset"
        APPLY_PROMOTION = "apply_promotion"
        MONITOR = "monitor"
        RETRAIN = "retrain"
        RECONCILE = "reconcile"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="jobs")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.QUEUED, editable=False
    )
    subject_ref = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    message = models.CharField(max_length=500, blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_as = models.CharField(max_length=100)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress_is_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def ref(self) -> str:
        return f"job:{self.pk}"
