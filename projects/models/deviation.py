"""Criteria that were loosened after the scope was agreed."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from projects.models.project import Project
from projects.models.scope import ScopingDocument

if TYPE_CHECKING:
    from projects.actors import Actor


class DeviationQuerySet(models.QuerySet["Deviation"]):
    """Deviations as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "DeviationQuerySet":
        return self.filter(scope__project__in=Project.objects.visible_to(actor))


class Deviation(models.Model):
    """A locked criterion loosened by a later version; it needs a decision of its own.

    `before` and `after` hold the criterion as the two versions' snapshots have it; `after` is
    null where the criterion was removed.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        REFUSED = "refused"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.PROTECT, related_name="deviations")
    criterion_key = models.SlugField(max_length=60)
    before = models.JSONField()
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    is_result_seen = models.BooleanField(
        null=True, help_text="Had a result on the test data been seen when it was loosened?"
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PROPOSED, editable=False
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.TextField(blank=True)

    objects = DeviationQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["scope", "criterion_key"], name="deviation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_key} loosened in {self.scope}"

    @property
    def ref(self) -> str:
        return f"deviation:{self.pk}"
