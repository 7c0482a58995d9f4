"""One graph from scope to prediction; nodes name their thing by kind, reference and digest."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from projects.models import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class LineageNodeQuerySet(models.QuerySet["LineageNode"]):
    """Nodes as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "LineageNodeQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))


class LineageNode(models.Model):
    """A thing that took part, as it was when it took part."""

    class Kind(models.TextChoices):
        SCOPE = "scope"
        DATASET = "dataset"
        SPRINT = "sprint"
        WORK_ITEM = "work_item"
        RUN = "run"
        MODEL_VERSION = "model_version"
        EVIDENCE = "evidence"
        GATE_REVIEW = "gate_review"
        SIGN_OFF = "sign_off"
        PROMOTION = "promotion"
        DEPLOYMENT = "deployment"
        PREDICTIONS = "predictions"
        DRIFT_REPORT = "drift_report"
        FINDING = "finding"
        POLICY = "policy"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    ref = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=200)
    url = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = LineageNodeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "ref", "digest"], name="lineage_node_once"),
        ]

    def __str__(self) -> str:
        return self.label


class LineageEdgeQuerySet(models.QuerySet["LineageEdge"]):
    """Edges as an actor sees them: both ends must be visible."""

    def visible_to(self, actor: "Actor") -> "LineageEdgeQuerySet":
        projects = Project.objects.visible_to(actor)
        return self.filter(source__project__in=projects, target__project__in=projects)


class LineageEdge(models.Model):
    """`source` led to `target`, in the way that `kind` says."""

    source = models.ForeignKey(LineageNode, on_delete=models.PROTECT, related_name="outgoing")
    target = models.ForeignKey(LineageNode, on_delete=models.PROTECT, related_name="incoming")
    kind = models.SlugField(help_text="trained_on, produced, judged_by, signed_by, promoted_by …")
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = LineageEdgeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "kind"], name="lineage_edge_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.target}"
