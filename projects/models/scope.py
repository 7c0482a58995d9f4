"""The scoping document: what was agreed, in versions."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.project import Project
from projects.models.scope_sections import (
    DataFields,
    EffortFields,
    EthicsFields,
    OperationFields,
    ProblemFields,
    TierFields,
    ValueFields,
)

if TYPE_CHECKING:
    from projects.actors import Actor

#: Of the content; a loader refuses one it does not know.
CONTENT_SCHEMA = 2


class ScopingDocumentQuerySet(models.QuerySet["ScopingDocument"]):
    """Scoping documents as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ScopingDocumentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def approved(self) -> "ScopingDocumentQuerySet":
        return self.filter(status=ScopingDocument.Status.APPROVED)


class ScopingDocument(
    ProblemFields,
    ValueFields,
    DataFields,
    EffortFields,
    TierFields,
    EthicsFields,
    OperationFields,
):
    """One version of a project's agreed scope; read-only from the moment it is submitted."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        SUBMITTED = "submitted"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        SUPERSEDED = "superseded"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="scoping_documents")
    version = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    schema_version = models.PositiveSmallIntegerField(default=CONTENT_SCHEMA, editable=False)
    editors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    snapshot = models.JSONField(
        null=True, blank=True, editable=False, help_text="What was submitted, whole."
    )
    readiness_policy = models.CharField(
        max_length=100,
        blank=True,
        editable=False,
        help_text="Policy version and digest that judged the submission.",
    )
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = ScopingDocumentQuerySet.as_manager()

    class Meta:
        ordering = ["project", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "version"], name="scoping_document_version_once"
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status="approved"),
                name="scoping_document_one_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | (Q(submitted_at__isnull=False) & ~Q(content_hash=""))
                | Q(status="withdrawn"),
                name="scoping_document_submitted_has_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project.name} scope v{self.version}"

    @property
    def ref(self) -> str:
        return f"scoping_document:{self.pk}"

    @property
    def is_editable(self) -> bool:
        return self.status == self.Status.DRAFT
