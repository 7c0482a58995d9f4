"""Promotions: the record that a model version may move, and the queue of those to be applied."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from governance.models.policy import Environment, PolicyVersion
from governance.models.review import GateReview
from governance.rules.transitions import LIVE_PROMOTIONS
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from projects.actors import Actor


class PromotionQuerySet(models.QuerySet["Promotion"]):
    """Promotions by state and as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "PromotionQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def backed(self, at: datetime) -> "PromotionQuerySet":
        """Keep those that rest on an approval in time, or past an undecided review on break-glass.

        `governance.services.standing` says the same about one row, with the reason.
        """
        status = GateReview.Status
        in_time = Q(review__expires_at__isnull=True) | Q(review__expires_at__gt=at)
        approved = Q(review__status=status.APPROVED) & in_time
        undecided = Q(review__status__in=[status.OPEN, status.STALE])
        broken = Override.objects.live(at).filter(promotion=OuterRef("pk"))
        return self.filter(approved | (undecided & Exists(broken)))

    def live(self) -> "PromotionQuerySet":
        """Keep those that stand, wait or were halted; their files may not be touched."""
        return self.filter(status__in=LIVE_PROMOTIONS)

    def to_apply(self) -> "PromotionQuerySet":
        return self.filter(status__in=[Promotion.Status.APPROVED, Promotion.Status.APPLYING])

    def to_retire(self) -> "PromotionQuerySet":
        return self.filter(status=Promotion.Status.RETIRING)

    def moving_the_alias(self) -> "PromotionQuerySet":
        """Keep those whose alias a worker is about to set or to take away."""
        return self.filter(
            Q(status=Promotion.Status.APPLYING)
            | (Q(status=Promotion.Status.RETIRING) & ~Q(claimed_by=""))
        )

    def ever_applied(self) -> "PromotionQuerySet":
        return self.filter(applied_at__isnull=False)


class Promotion(models.Model):
    """The move of one model version to one environment; an approved row is the work queue."""

    class Status(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        APPLYING = "applying"
        APPLIED = "applied"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        SUSPENDED = "suspended"
        SUPERSEDED = "superseded"
        FAILED = "failed"
        RETIRING = "retiring"
        RETIRED = "retired"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="promotions")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    model_name = models.CharField(max_length=200, help_text="MLflow's registered model.")
    model_version = models.PositiveIntegerField()
    subject_ref = models.CharField(max_length=200, help_text="model_version:<pk>")
    files_digest = models.CharField(max_length=64)
    review = models.OneToOneField(GateReview, on_delete=models.PROTECT, related_name="promotion")
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.REQUESTED, editable=False
    )
    status_reason = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_as = models.CharField(max_length=100)
    requested_at = models.DateTimeField(default=timezone.now)
    approved_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=100, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    applied_at = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was undone; it is no good version to go back to."
    )
    resumes_with_review = models.BooleanField(
        default=False,
        editable=False,
        help_text="Suspended only since its review no longer stood; approved anew, it comes back.",
    )
    retirement = models.ForeignKey(
        GateReview,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="retired_promotions",
        help_text="The review that let it be retired.",
    )
    retain_until = models.DateField(
        null=True, blank=True, help_text="The version may not be deleted before this day."
    )
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["model_name", "model_version", "environment", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "model_name"],
                condition=Q(status="applied"),
                name="promotion_one_applied",
            ),
            models.CheckConstraint(
                condition=~Q(status="applied") | Q(applied_at__isnull=False),
                name="promotion_applied_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} v{self.model_version} to {self.environment}"

    @property
    def ref(self) -> str:
        return f"promotion:{self.pk}"


class OverrideQuerySet(models.QuerySet["Override"]):
    """Overrides by state and as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "OverrideQuerySet":
        return self.filter(promotion__project__in=Project.objects.visible_to(actor))

    def live(self, now: datetime) -> "OverrideQuerySet":
        return self.filter(status=Override.Status.ACTIVE, expires_at__gt=now)


class Override(models.Model):
    """Break-glass: a promotion past its open review, by two people, for hours."""

    class Status(models.TextChoices):
        REQUESTED = "requested"
        ACTIVE = "active"
        DECLINED = "declined"
        ENDED = "ended"

    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="overrides")
    incident = models.CharField(max_length=100, help_text="Its number or address.")
    reason = models.TextField()
    hours = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_role = models.CharField(max_length=30, choices=Stakeholder.Role.choices)
    requested_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_role = models.CharField(max_length=30, choices=Stakeholder.Role.choices, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.REQUESTED, editable=False
    )
    status_reason = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["promotion"],
                condition=Q(status__in=["requested", "active"]),
                name="override_one_unfinished",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("requested_by")),
                name="override_takes_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(status="active")
                | Q(confirmed_by__isnull=False, expires_at__isnull=False),
                name="override_active_is_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"Override of {self.promotion} ({self.incident})"

    @property
    def ref(self) -> str:
        return f"override:{self.pk}"


class DeniedAttemptQuerySet(models.QuerySet["DeniedAttempt"]):
    """Refusals as an actor sees them: those of the own projects and the own ones."""

    def visible_to(self, actor: "Actor") -> "DeniedAttemptQuerySet":
        if actor.is_system:
            return self
        return self.filter(Q(project__in=Project.objects.visible_to(actor)) | Q(actor=actor.ref))


class DeniedAttempt(models.Model):
    """Something that was refused: who tried what on what, and why not."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=300)
    code = models.CharField(max_length=60)
    message = models.TextField()
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    gate = models.CharField(max_length=50, blank=True)
    model_name = models.CharField(max_length=200, blank=True)

    objects = DeniedAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}"

    @property
    def ref(self) -> str:
        return f"denied_attempt:{self.pk}"
