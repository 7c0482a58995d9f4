"""Sprints and the work in them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from projects.models.project import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class SprintQuerySet(models.QuerySet["Sprint"]):
    """Sprints as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "SprintQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Sprint(models.Model):
    """A time box of a kind; its kind decides what must hold before it may start."""

    class Kind(models.TextChoices):
        DISCOVERY = "discovery"
        RESEARCH_SPIKE = "research_spike"
        EXPERIMENT = "experiment"
        BUILD = "build"
        RELEASE = "release"
        MONITOR = "monitor"

    class Status(models.TextChoices):
        PLANNED = "planned"
        ACTIVE = "active"
        CLOSED = "closed"
        CANCELLED = "cancelled"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="sprints")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    goal = models.TextField()
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.PLANNED, editable=False
    )
    starts_on = models.DateField()
    ends_on = models.DateField()
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    review_notes = models.TextField(blank=True)
    dataset_refs = models.JSONField(
        default=list, blank=True, help_text='Dataset versions it works on: ["dataset_version:1"].'
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = SprintQuerySet.as_manager()

    class Meta:
        ordering = ["project", "starts_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                name="sprint_name_once",
                violation_error_message="The project has a sprint of this name.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="sprint_ends_after_start",
                violation_error_message="A sprint cannot end before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def ref(self) -> str:
        return f"sprint:{self.pk}"


class WorkItemQuerySet(models.QuerySet["WorkItem"]):
    """Work items as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "WorkItemQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class WorkItem(models.Model):
    """A piece of work; a refuted hypothesis is as done as a supported one."""

    class Kind(models.TextChoices):
        EPIC = "epic"
        STORY = "story"
        TASK = "task"
        BUG = "bug"
        SPIKE = "spike"
        HYPOTHESIS = "hypothesis"
        EXPERIMENT = "experiment"
        DATA = "data"
        REVIEW = "review"
        FINDING = "finding"

    class Status(models.TextChoices):
        BACKLOG = "backlog"
        TODO = "todo", "To do"
        DOING = "doing"
        REVIEW = "review"
        DONE = "done"
        DROPPED = "dropped"

    class Outcome(models.TextChoices):
        SUPPORTED = "supported"
        REFUTED = "refuted"
        INCONCLUSIVE = "inconclusive"
        CONCLUDED = "concluded"
        ANSWERED = "answered"
        TIME_BOX_EXPIRED = "time_box_expired"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="work_items")
    sprint = models.ForeignKey(
        Sprint, on_delete=models.PROTECT, null=True, blank=True, related_name="work_items"
    )
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.BACKLOG, editable=False
    )
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True, editable=False)
    conclusion = models.TextField(blank=True, editable=False)
    points = models.PositiveSmallIntegerField(null=True, blank=True)
    metric_key = models.CharField(max_length=120, blank=True)
    expected_effect = models.CharField(max_length=200, blank=True)
    time_box_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    run_ids = models.JSONField(default=list, blank=True, editable=False)
    rank = models.FloatField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["project", "rank", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"work_item:{self.pk}"


class WorkItemEvent(models.Model):
    """One change of one work item, kept for ever: charts are computed from these."""

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)
    kind = models.CharField(
        max_length=30, help_text="created, moved, sprint_changed, points_changed …"
    )
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.item_id} {self.kind}"
