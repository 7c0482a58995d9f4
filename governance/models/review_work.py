"""What surrounds a review: who is asked, what was printed, what was run."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from governance.models.review import GateReview, SignOff
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from projects.actors import Actor


class ReviewAssignmentQuerySet(models.QuerySet["ReviewAssignment"]):
    """Assignments as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ReviewAssignmentQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))

    def current(self) -> "ReviewAssignmentQuerySet":
        return self.filter(ended_at__isnull=True)

    def waiting(self) -> "ReviewAssignmentQuerySet":
        """Keep those of open reviews that the person has not signed as they stand."""
        signed = SignOff.objects.filter(
            review=OuterRef("review"),
            signer=OuterRef("user"),
            role=OuterRef("role"),
            bindings_digest=OuterRef("review__bindings_digest"),
        )
        return self.filter(~Exists(signed), review__status=GateReview.Status.OPEN)


class ReviewAssignment(models.Model):
    """Who of a role's holders is asked to sign a review; it restricts nobody else."""

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=30, choices=Stakeholder.Role.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)
    assigned_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["assigned_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "role"],
                condition=Q(ended_at__isnull=True),
                name="review_assignment_one_for_a_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()}"

    @property
    def ref(self) -> str:
        return f"review_assignment:{self.pk}"


class DossierQuerySet(models.QuerySet["Dossier"]):
    """Dossiers as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "DossierQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))


class Dossier(models.Model):
    """A review printed whole as it was at a moment, kept under the SHA-256 of its bytes."""

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="dossiers")
    digest = models.CharField(max_length=64)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    issued_at = models.DateTimeField(default=timezone.now)

    objects = DossierQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["review", "digest"], name="dossier_once"),
        ]

    def __str__(self) -> str:
        return f"{self.review} {self.digest[:12]}"

    @property
    def ref(self) -> str:
        return f"dossier:{self.pk}"


class CheckRunQuerySet(models.QuerySet["CheckRun"]):
    """Runs of checks as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "CheckRunQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))

    def waiting(self) -> "CheckRunQuerySet":
        return self.filter(status=CheckRun.Status.QUEUED)


class CheckRun(models.Model):
    """A check that takes work: a script or a training run done again; the row is the queue.

    What it found holds for `bindings_digest` alone.
    """

    class Kind(models.TextChoices):
        SCRIPT = "script"
        REPRODUCTION = "reproduction"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="check_runs")
    key = models.CharField(max_length=100, help_text="Key of the requirement.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    params = models.JSONField(default=dict)
    bindings_digest = models.CharField(max_length=64)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.QUEUED, editable=False
    )
    result = models.JSONField(default=dict, blank=True)
    message = models.CharField(max_length=500, blank=True)
    requested_as = models.CharField(max_length=100)
    requested_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = CheckRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "key"],
                condition=Q(status__in=["queued", "running"]),
                name="check_run_one_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.review}"

    @property
    def ref(self) -> str:
        return f"check_run:{self.pk}"
