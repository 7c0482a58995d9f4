"""Sprints, who has how much time in them, and what they came to."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from projects.models.append_only import AppendOnly
from projects.models.project import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class SprintQuerySet(models.QuerySet["Sprint"]):
    """Sprints as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "SprintQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def to_reaffirm(self) -> "SprintQuerySet":
        """Keep running sprints whose scope has been replaced since they started."""
        return self.filter(status=Sprint.Status.ACTIVE, scope__status="superseded")


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
    scope = models.ForeignKey(
        "projects.ScopingDocument",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="sprints",
        help_text="The scope it started under; re-affirmed when a later one is approved.",
    )
    model_ref = models.CharField(
        max_length=100,
        blank=True,
        help_text="For release and monitor sprints: the version, such as model_version:3.",
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

    @property
    def is_on_superseded_scope(self) -> bool:
        """Tell whether it runs under a scope that was replaced: re-affirm or close it."""
        return (
            self.status == self.Status.ACTIVE
            and self.scope is not None
            and self.scope.status == "superseded"
        )


class SprintCapacity(models.Model):
    """The time one person has for one sprint."""

    sprint = models.ForeignKey(Sprint, on_delete=models.CASCADE, related_name="capacities")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    days = models.FloatField(validators=[MinValueValidator(0)], help_text="Working days.")
    points = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Story points the person can take on."
    )

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "sprint capacities"
        constraints = [
            models.UniqueConstraint(fields=["sprint", "person"], name="sprint_capacity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.sprint}"


class SprintSnapshot(AppendOnly):
    """What a sprint came to, frozen when it ended: nothing that happens later changes it.

    `data` holds, besides the sprint's name, goal and dates:

    - `commitment`, `added`, `removed`, `done`, `carried_over`, `cancelled`: lists of
      `{"item": "work_item:1", "title", "kind", "points", "hours"}`; one that was carried over
      says in `to` where it went.
    - `daily`: for each day `{"date", "remaining_points", "remaining_items", "remaining_hours",
      "done_points", "scope_points"}`.
    - `series`: the same days whole, as `rules.sprint_series.as_data` writes them and
      `from_data` reads them back.
    - `person_days`, `kill_criteria`, `retrospective` and `forced_because`.

    `digest` is the SHA-256 of its canonical JSON, which the ledger entry of the end repeats.
    """

    sprint = models.OneToOneField(Sprint, on_delete=models.PROTECT, related_name="snapshot")
    data = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Snapshot of {self.sprint}"
