"""How the risk tier of a project came about: every assessment, and who agreed to a lower tier."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from projects.models.append_only import AppendOnly, AppendOnlyQuerySet
from projects.models.project import Project
from projects.models.scope import ScopingDocument

if TYPE_CHECKING:
    from projects.actors import Actor


class TierAssessmentQuerySet(AppendOnlyQuerySet["TierAssessment"]):
    """Assessments as an actor sees them, and those that hold."""

    def visible_to(self, actor: "Actor") -> "TierAssessmentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def in_force(self) -> "TierAssessmentQuerySet":
        """Keep those that needed nobody's agreement or got it."""
        return self.filter(
            models.Q(needs_agreement=False) | models.Q(decision__is_agreed=True)
        ).order_by("-pk")


class TierAssessment(AppendOnly):
    """The four answers of the scorecard at one moment, and the tier that follows from them.

    One that makes the tier lower than it is, or than the answers give, changes nothing until
    somebody else has agreed.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="tier_assessments")
    scope = models.ForeignKey(
        ScopingDocument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The approved scope that it was made in; empty for one made outside a scope.",
    )
    scorecard = models.CharField(
        max_length=120, help_text="Version and digest of the scorecard that was used."
    )
    answers = models.JSONField(help_text="Answer from 0 to 4 by question.")
    former = models.CharField(max_length=10, choices=Project.Tier.choices)
    computed = models.CharField(
        max_length=10,
        choices=Project.Tier.choices,
        blank=True,
        help_text="Empty where an answer is missing.",
    )
    chosen = models.CharField(max_length=10, choices=Project.Tier.choices)
    reason = models.TextField()
    needs_agreement = models.BooleanField(default=False)
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    assessed_as = models.CharField(max_length=100)
    assessed_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = TierAssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["project", "-id"])]

    def __str__(self) -> str:
        return f"{self.chosen} on {self.assessed_at:%Y-%m-%d}"

    @property
    def ref(self) -> str:
        return f"tier_assessment:{self.pk}"

    @property
    def state(self) -> str:
        """Return `in force`, or what became of an assessment that needed agreement."""
        if not self.needs_agreement:
            return "in force"
        decision = getattr(self, "decision", None)
        if decision is None:
            return "waiting"
        return "in force" if decision.is_agreed else "declined"


class TierDecision(AppendOnly):
    """What a second person said to an assessment that makes the tier lower; there is one."""

    assessment = models.OneToOneField(
        TierAssessment, on_delete=models.PROTECT, related_name="decision"
    )
    is_agreed = models.BooleanField()
    note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.assessment}: {'agreed' if self.is_agreed else 'declined'}"
