"""Defects, promises, permitted deviations and passed-on rights."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from governance.models.review import Evidence, GateReview, SignOff
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from projects.actors import Actor


class FindingQuerySet(models.QuerySet["Finding"]):
    """Findings by state and as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "FindingQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def unresolved(self) -> "FindingQuerySet":
        return self.exclude(status=Finding.Status.CLOSED)

    def overdue(self, on: date) -> "FindingQuerySet":
        return self.unresolved().filter(due_on__lt=on)


class Finding(models.Model):
    """A defect found by a person, a monitor or a loader; closed only after verification."""

    class Severity(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        CRITICAL = "critical"

    class Status(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        CLOSED = "closed"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="findings")
    subject_kind = models.CharField(max_length=20)
    subject_ref = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.OPEN, editable=False
    )
    source = models.CharField(max_length=100, help_text="Actor reference that opened it.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_on = models.DateField(null=True, blank=True)
    recommended_action = models.TextField(blank=True)
    review = models.ForeignKey(
        GateReview,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="findings",
        help_text="The review in which it was found.",
    )
    data = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolution = models.TextField(blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["subject_kind", "subject_ref", "status"])]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"finding:{self.pk}"


class ConditionQuerySet(models.QuerySet["Condition"]):
    """Promises by state and as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ConditionQuerySet":
        return self.filter(sign_off__review__project__in=Project.objects.visible_to(actor))

    def unmet(self) -> "ConditionQuerySet":
        return self.filter(met_at__isnull=True)

    def overdue(self, on: date) -> "ConditionQuerySet":
        return self.filter(met_at__isnull=True, due_on__lt=on)


class Condition(models.Model):
    """A promise attached to a sign-off that approved with conditions."""

    sign_off = models.ForeignKey(SignOff, on_delete=models.PROTECT, related_name="conditions")
    text = models.TextField()
    due_on = models.DateField()
    blocks_gate = models.SlugField(
        blank=True, help_text="Gate that the same subject cannot pass before this is met."
    )
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True, help_text="How it was met.")
    evidence = models.ForeignKey(
        Evidence,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What shows that it was met.",
    )

    objects = ConditionQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def ref(self) -> str:
        return f"condition:{self.pk}"


class WaiverQuerySet(models.QuerySet["Waiver"]):
    """Waivers by time and as an actor sees them."""

    def live(self, now: datetime) -> "WaiverQuerySet":
        return self.filter(granted_at__lte=now, expires_at__gt=now, revoked_at__isnull=True)

    def visible_to(self, actor: "Actor") -> "WaiverQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))


class Waiver(models.Model):
    """A permitted deviation from one requirement of one review, with an end."""

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="waivers")
    requirement_key = models.CharField(max_length=100)
    reason = models.TextField()
    compensating_control = models.TextField()
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    granted_role = models.CharField(max_length=30, choices=Stakeholder.Role.choices)
    granted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WaiverQuerySet.as_manager()

    class Meta:
        ordering = ["-granted_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("granted_at")), name="waiver_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_key} until {self.expires_at:%Y-%m-%d}"

    @property
    def ref(self) -> str:
        return f"waiver:{self.pk}"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Delegations by time and as an actor sees them."""

    def live(self, now: datetime) -> "DelegationQuerySet":
        return self.filter(valid_from__lte=now, valid_to__gt=now, revoked_at__isnull=True)

    def visible_to(self, actor: "Actor") -> "DelegationQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Delegation(models.Model):
    """The right to decide in one role on one project, passed on for a time; never chained.

    It may be narrowed to one gate.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="delegations")
    role = models.CharField(max_length=30, choices=Stakeholder.Role.choices)
    gate = models.SlugField(
        blank=True, help_text="The only gate at which it counts; empty where it counts at every."
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_given"
    )
    delegate = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_held"
    )
    reason = models.TextField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="delegation_ends_after_start"
            ),
            models.CheckConstraint(
                condition=~Q(holder=F("delegate")), name="delegation_to_someone_else"
            ),
        ]

    def __str__(self) -> str:
        where = f" at the gate {self.gate}" if self.gate else ""
        return f"{self.delegate} for {self.holder} as {self.get_role_display()}{where}"

    def counts_at(self, gate: str) -> bool:
        """Return whether it counts at a gate, by whichever dates."""
        return self.gate in {"", gate}

    @property
    def ref(self) -> str:
        return f"delegation:{self.pk}"
