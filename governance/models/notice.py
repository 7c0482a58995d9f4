"""What people are told about reviews, and which of it they want by e-mail."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from governance.models.review import GateReview
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from projects.actors import Actor


class ReviewNoticeQuerySet(models.QuerySet["ReviewNotice"]):
    """Notices, which only the person who was told sees."""

    def visible_to(self, actor: "Actor") -> "ReviewNoticeQuerySet":
        return self.filter(user=actor.user_id, project__in=Project.objects.visible_to(actor))

    def unread(self) -> "ReviewNoticeQuerySet":
        return self.filter(read_at__isnull=True)

    def to_email(self) -> "ReviewNoticeQuerySet":
        """Keep those that were neither sent nor given up."""
        return self.filter(emailed_at__isnull=True, email_skipped="")


class ReviewNotice(models.Model):
    """Something that a person was told about a review; the queue of the e-mails to be sent.

    Of a review that was refused when it was requested there is only the project.
    """

    class Kind(models.TextChoices):
        ASKED = "asked", "Asked to sign"
        CHANGES = "changes", "Changes requested"
        BLOCKED = "blocked", "Nobody can sign"
        DECIDED = "decided"
        STALE = "stale", "Went stale"
        OVERDUE = "overdue"
        ENDING = "ending", "Approval is about to end"
        ENDED = "ended", "Approval ended"

    class Skipped(models.TextChoices):
        NO_ADDRESS = "no_address"
        NOT_WANTED = "not_wanted"
        LEFT = "left", "Left the project"
        GAVE_UP = "gave_up"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    review = models.ForeignKey(
        GateReview, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    role = models.CharField(
        max_length=30,
        choices=Stakeholder.Role.choices,
        blank=True,
        help_text="Role in which the person is asked to sign.",
    )
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    email_attempts = models.PositiveSmallIntegerField(default=0)
    email_tried_at = models.DateTimeField(null=True, blank=True)
    email_skipped = models.CharField(
        max_length=12, choices=Skipped.choices, blank=True, help_text="Why no e-mail was sent."
    )

    objects = ReviewNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["user", "read_at"], name="review_notice_of_user"),
            models.Index(fields=["emailed_at", "email_skipped"], name="review_notice_to_send"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def address(self) -> str:
        """Return the page of what it is about."""
        if self.review_id is not None:
            return reverse("governance:review", args=[self.review_id])
        return reverse("projects:project", args=[self.project.slug])


class NoticePreference(models.Model):
    """What one person wants by e-mail; without a row everything comes at once."""

    class Rhythm(models.TextChoices):
        AT_ONCE = "at_once", "At once, one message each"
        DAILY = "daily", "Once a day, all in one message"
        NEVER = "never", "Not at all; the inbox shows them"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_preference"
    )
    rhythm = models.CharField(max_length=10, choices=Rhythm.choices, default=Rhythm.AT_ONCE)
    muted = models.JSONField(default=list, blank=True, help_text="Kinds that stay in the inbox.")
    last_digest_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.get_rhythm_display()}"

    def wants(self, kind: str) -> bool:
        """Return whether notices of this kind go out by e-mail."""
        return self.rhythm != self.Rhythm.NEVER and kind not in self.muted
