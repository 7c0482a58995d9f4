"""The business use case and the people on it."""

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from projects.actors import Actor


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ProjectQuerySet":
        """Keep the projects on which the actor holds a role today; the system sees all."""
        if actor.is_system:
            return self
        on_it = Stakeholder.objects.current().filter(user=actor.user_id)
        return self.filter(pk__in=on_it.values("project"))


class Project(models.Model):
    """One business use case under governance; everything else hangs on it."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        CLOSED = "closed"

    class Tier(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    tier = models.CharField(max_length=10, choices=Tier.choices, default=Tier.MEDIUM)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        return f"project:{self.pk}"


class StakeholderQuerySet(models.QuerySet["Stakeholder"]):
    """Roles by time."""

    def current(self, on: date | None = None) -> "StakeholderQuerySet":
        """Keep the roles that are valid on the given day, today by default."""
        day = on or timezone.now().date()
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day), valid_from__lte=day)

    def visible_to(self, actor: "Actor") -> "StakeholderQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Stakeholder(models.Model):
    """One person in one role on one project, from a day to a day."""

    class Role(models.TextChoices):
        BUSINESS_OWNER = "business_owner"
        LEAD = "lead"
        DATA_OWNER = "data_owner"
        DATA_SCIENTIST = "data_scientist"
        DATA_ENGINEER = "data_engineer"
        ML_ENGINEER = "ml_engineer", "ML Engineer"
        VALIDATOR = "validator"
        RISK_OFFICER = "risk_officer"
        PRIVACY_OFFICER = "privacy_officer"
        SUBJECT_MATTER_EXPERT = "subject_matter_expert"
        OPERATIONS = "operations"
        EXECUTIVE = "executive"
        AUDITOR = "auditor"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="stakeholders")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stakeholder_roles"
    )
    role = models.CharField(max_length=30, choices=Role.choices)
    reporting_line = models.CharField(
        max_length=100,
        blank=True,
        help_text="Department that the person answers to, such as `Model risk`. At high risk a "
        "validator's differs from that of those who did the work.",
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects = StakeholderQuerySet.as_manager()

    class Meta:
        ordering = ["project", "role", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "role"], name="stakeholder_role_held_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="stakeholder_ends_after_start",
                violation_error_message="A role cannot end before it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()}"

    def is_valid_on(self, day: date) -> bool:
        """Return whether the role is held on the given day."""
        return self.valid_from <= day and (self.valid_to is None or self.valid_to >= day)
