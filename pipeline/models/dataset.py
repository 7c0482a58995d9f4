"""Dataset versions: bytes by digest, with schema, profile and datasheet."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from projects.models import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class DatasetVersionQuerySet(models.QuerySet["DatasetVersion"]):
    """Dataset versions as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "DatasetVersionQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class DatasetVersion(models.Model):
    """One immutable version of a dataset; the file lies in the content store under its digest.

    `datasheet` holds the seven sections of Gebru et al. (2021) and, under `columns`, what each
    column means and whether it is known when a prediction is made.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="dataset_versions")
    name = models.SlugField(max_length=100)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file's bytes.")
    content_digest = models.CharField(
        max_length=64, help_text="SHA-256 over all rows and all columns, whatever the file format."
    )
    media_type = models.CharField(max_length=60, default="text/csv")
    separator = models.CharField(max_length=4, default=",")
    target = models.CharField(max_length=100)
    positive = models.CharField(
        max_length=100, blank=True, help_text="Value of the target that is to be predicted."
    )
    origin = models.TextField(blank=True)
    row_count = models.PositiveIntegerField()
    columns = models.JSONField(help_text='[{"name": ..., "type": "number"|"category"}]')
    profile = models.JSONField(default=dict, blank=True)
    datasheet = models.JSONField(default=dict, blank=True)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    registered_at = models.DateTimeField(default=timezone.now)

    objects = DatasetVersionQuerySet.as_manager()

    class Meta:
        ordering = ["project", "name", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name", "number"], name="dataset_version_number_once"
            ),
            models.UniqueConstraint(
                fields=["project", "name", "digest"], name="dataset_version_digest_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def ref(self) -> str:
        return f"dataset_version:{self.pk}"
