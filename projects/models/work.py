"""The work: items, what happened to them, and what people say about them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from projects.models.append_only import AppendOnly
from projects.models.project import Project
from projects.models.scope import ScopingDocument
from projects.models.sprint import Sprint

if TYPE_CHECKING:
    from projects.actors import Actor


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
        ABORTED = "aborted"
        ABANDONED = "abandoned"
        ANSWERED = "answered"
        UNANSWERED = "unanswered"
        TIME_BOX_EXPIRED = "time_box_expired"
        APPROVED = "approved"
        REJECTED = "rejected"
        CLOSED = "closed"
        ACCEPTED = "accepted"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="work_items")
    sprint = models.ForeignKey(
        Sprint, on_delete=models.PROTECT, null=True, blank=True, related_name="work_items"
    )
    depends_on = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="needed_by", editable=False
    )
    watchers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", editable=False
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
    hours = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0)], help_text="Estimated hours."
    )
    due_on = models.DateField(null=True, blank=True)
    external_key = models.CharField(
        max_length=100,
        blank=True,
        editable=False,
        help_text="Its key where it was imported from, such as DEP-12; an import finds it by this.",
    )
    details = models.JSONField(
        default=dict, blank=True, help_text="The kind's own fields; rules.work_item_kinds has them."
    )
    metric_key = models.CharField(max_length=120, blank=True)
    expected_effect = models.CharField(max_length=200, blank=True)
    time_box_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    time_box_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    time_box_extended_because = models.TextField(blank=True, editable=False)
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
        constraints = [
            models.UniqueConstraint(
                fields=["project", "external_key"],
                condition=~models.Q(external_key=""),
                name="work_item_external_key_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"work_item:{self.pk}"


class WorkItemEvent(AppendOnly):
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


class Comment(AppendOnly):
    """What somebody said on a work item, in Markdown; never changed afterwards."""

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author} on {self.item}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices, which only the person who was told sees."""

    def visible_to(self, actor: "Actor") -> "NoticeQuerySet":
        projects = Project.objects.visible_to(actor)
        return self.filter(user=actor.user_id, item__project__in=projects)


class Notice(models.Model):
    """Something a person was told: a mention, or a change of an item they watch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(WorkItem, on_delete=models.CASCADE, related_name="notices")
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "read_at"], name="notice_of_user")]

    def __str__(self) -> str:
        return self.text


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Attachments as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "AttachmentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class Attachment(models.Model):
    """A file on a work item or a scoping document, kept under the SHA-256 of its bytes."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="attachments")
    item = models.ForeignKey(
        WorkItem, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    scope = models.ForeignKey(
        ScopingDocument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="attachments",
    )
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes.")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(item__isnull=True) ^ models.Q(scope__isnull=True),
                name="attachment_on_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WipLimit(models.Model):
    """How many items one column of a project's boards may hold at once."""

    class Mode(models.TextChoices):
        WARN = "warn"
        BLOCK = "block"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="wip_limits")
    column = models.CharField(max_length=10, choices=WorkItem.Status.choices)
    most = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    mode = models.CharField(max_length=5, choices=Mode.choices, default=Mode.WARN)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "column"], name="wip_limit_once"),
        ]

    def __str__(self) -> str:
        return f"at most {self.most} in {self.get_column_display()}"
