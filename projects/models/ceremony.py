"""The meetings: what was shown, said, decided and promised."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from projects.models.project import Project
from projects.models.sprint import Sprint
from projects.models.work import WorkItem

if TYPE_CHECKING:
    from projects.actors import Actor


class CeremonyQuerySet(models.QuerySet["Ceremony"]):
    """Meetings as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "CeremonyQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Ceremony(models.Model):
    """One meeting that was held: of a sprint, or at a milestone of the project."""

    class Kind(models.TextChoices):
        PLANNING = "planning", "Sprint planning"
        REVIEW = "review", "Sprint review"
        RETROSPECTIVE = "retrospective"
        KICKOFF = "kickoff", "Planning kickoff"
        POST_RESEARCH = "post_research", "Post-research discussion"
        POST_EXPERIMENTATION = "post_experimentation", "Post-experimentation review"
        ACCEPTANCE = "acceptance", "MVP review"
        PREPRODUCTION = "preproduction", "Pre-production review"

    class Decision(models.TextChoices):
        GO = "go"
        RESCOPE = "rescope", "Re-scope"
        STOP = "stop"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="ceremonies")
    sprint = models.ForeignKey(
        Sprint, on_delete=models.PROTECT, null=True, blank=True, related_name="ceremonies"
    )
    kind = models.CharField(max_length=22, choices=Kind.choices)
    held_on = models.DateField()
    attendees = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    notes = models.TextField(blank=True)
    output = models.JSONField(
        default=dict, blank=True, help_text="What this kind of meeting has to bring, by name."
    )
    demo_dataset = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = CeremonyQuerySet.as_manager()

    class Meta:
        ordering = ["-held_on", "-pk"]
        verbose_name_plural = "ceremonies"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.held_on}"

    @property
    def ref(self) -> str:
        return f"ceremony:{self.pk}"


class FeedbackItem(models.Model):
    """What somebody said of what was shown; negative feedback becomes work."""

    class Sentiment(models.TextChoices):
        POSITIVE = "positive"
        NEGATIVE = "negative"
        IDEA = "idea"

    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="feedback")
    sentiment = models.CharField(max_length=10, choices=Sentiment.choices)
    text = models.TextField()
    said_by = models.CharField(max_length=100, blank=True)
    work_item = models.ForeignKey(
        WorkItem, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class RetrospectiveNote(models.Model):
    """What a retrospective wants to keep, to change or to try."""

    class Kind(models.TextChoices):
        KEEP = "keep"
        CHANGE = "change"
        TRY = "try"

    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="retro_notes")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    text = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class RetrospectiveActionQuerySet(models.QuerySet["RetrospectiveAction"]):
    """Promises as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "RetrospectiveActionQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class RetrospectiveAction(models.Model):
    """A promise of a retrospective; shown in every later one until it is closed."""

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        DROPPED = "dropped"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="retro_actions")
    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="actions")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due = models.DateField()
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.OPEN, editable=False
    )
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    closing_note = models.TextField(blank=True, editable=False)

    objects = RetrospectiveActionQuerySet.as_manager()

    class Meta:
        ordering = ["due", "pk"]

    def __str__(self) -> str:
        return self.text

    @property
    def ref(self) -> str:
        return f"retrospective_action:{self.pk}"
