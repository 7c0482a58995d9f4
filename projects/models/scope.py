"""The scoping document: what was agreed, in versions, and the rows that gates and charts read."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from projects.models.project import Project

if TYPE_CHECKING:
    from projects.actors import Actor


class ScopingDocumentQuerySet(models.QuerySet["ScopingDocument"]):
    """Scoping documents as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "ScopingDocumentQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def approved(self) -> "ScopingDocumentQuerySet":
        return self.filter(status=ScopingDocument.Status.APPROVED)


class ScopingDocument(models.Model):
    """One version of a project's agreed scope; read-only from the moment it is submitted."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        SUBMITTED = "submitted"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        SUPERSEDED = "superseded"

    class Task(models.TextChoices):
        CLASSIFICATION = "classification"
        REGRESSION = "regression"
        RANKING = "ranking"
        FORECASTING = "forecasting"
        CLUSTERING = "clustering"
        ANOMALY = "anomaly"
        GENERATION = "generation"
        OTHER = "other"

    class Split(models.TextChoices):
        RANDOM = "random"
        TEMPORAL = "temporal"
        GROUPED = "grouped"

    class DeploymentMode(models.TextChoices):
        BATCH = "batch"
        ONLINE = "online"
        STREAM = "stream"
        EDGE = "edge"
        REPORT = "report"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="scoping_documents")
    version = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, max_length=1500)
    problem_statement = models.TextField(blank=True)
    current_process = models.TextField(blank=True, help_text="How is it done today?")
    decision_informed = models.TextField(blank=True)
    action_on_output = models.TextField(blank=True)
    ml_task = models.CharField(max_length=20, choices=Task.choices, blank=True)
    why_ml = models.TextField(blank=True)
    simplest_alternative = models.TextField(blank=True)
    intended_use = models.TextField(blank=True)
    out_of_scope_use = models.TextField(blank=True)
    target = models.CharField(max_length=100, blank=True, help_text="Column to be predicted.")
    is_time_ordered = models.BooleanField(
        default=False, help_text="Do the rows arrive in time, and is the model used on later ones?"
    )
    split_strategy = models.CharField(max_length=10, choices=Split.choices, blank=True)
    false_positive_cost = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    false_negative_cost = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    annual_run_cost = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    annual_benefit = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    experts_interviewed = models.PositiveIntegerField(default=0)
    deployment_mode = models.CharField(max_length=10, choices=DeploymentMode.choices, blank=True)
    fallback = models.TextField(blank=True)
    monitoring_plan = models.TextField(blank=True)
    retraining_policy = models.TextField(blank=True)
    open_questions = models.TextField(blank=True)
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


class ScopeRow(models.Model):
    """A row that belongs to one version of the scope."""

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE)

    class Meta:
        abstract = True
        ordering = ["pk"]


class Objective(ScopeRow):
    """What shall be better afterwards, as a number with where it stands today."""

    class Kind(models.TextChoices):
        BUSINESS = "business"
        ML = "ml", "ML"
        ECONOMIC = "economic"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="objectives")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    statement = models.CharField(max_length=300)
    metric = models.CharField(max_length=100, blank=True)
    baseline_value = models.FloatField(null=True, blank=True)
    target_value = models.FloatField(null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    method = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.statement


class Criterion(ScopeRow):
    """A machine-checked condition, shaped on MLflow's MetricThreshold; locked with the scope."""

    class Level(models.TextChoices):
        MUST = "must"
        SHOULD = "should"
        GUARDRAIL = "guardrail"
        KILL = "kill"

    class DatasetRole(models.TextChoices):
        VALIDATION = "validation"
        TEST = "test"
        BACKTEST = "backtest"
        PRODUCTION = "production"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="criteria")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    level = models.CharField(max_length=10, choices=Level.choices)
    metric_key = models.CharField(max_length=120, help_text="The metric's name in MLflow.")
    greater_is_better = models.BooleanField()
    threshold = models.FloatField(null=True, blank=True)
    min_absolute_change = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0)]
    )
    min_relative_change = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    max_absolute_drop = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    max_relative_drop = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    baseline = models.CharField(
        max_length=60, blank=True, help_text="Name of the baseline that changes are measured from."
    )
    dataset_role = models.CharField(
        max_length=12, choices=DatasetRole.choices, default=DatasetRole.TEST
    )
    gates = models.JSONField(
        default=list, blank=True, help_text='Gates that judge it, such as ["validation"].'
    )
    by_date = models.DateField(null=True, blank=True, help_text="For kill criteria.")
    rationale = models.TextField(blank=True)
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="criterion_key_once"),
            models.CheckConstraint(
                condition=Q(threshold__isnull=False)
                | Q(min_absolute_change__isnull=False)
                | Q(min_relative_change__isnull=False)
                | Q(max_absolute_drop__isnull=False)
                | Q(max_relative_drop__isnull=False),
                name="criterion_has_a_condition",
                violation_error_message="Give a threshold, a minimum change or a maximum drop.",
            ),
            models.CheckConstraint(
                condition=~Q(level="kill") | Q(by_date__isnull=False),
                name="criterion_kill_has_a_date",
                violation_error_message="A kill criterion needs the date by which it has to hold.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Baseline(ScopeRow):
    """What the model has to beat: today's process, a rule, a simple model, people, the champion."""

    class Kind(models.TextChoices):
        CURRENT_PROCESS = "current_process"
        HEURISTIC = "heuristic"
        SIMPLE_MODEL = "simple_model"
        HUMAN = "human"
        CHAMPION = "champion"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="baselines")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    metrics = models.JSONField(default=dict, blank=True, help_text='Such as {"test_roc_auc": 0.5}.')
    note = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["scope", "name"], name="baseline_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class PriorArt(ScopeRow):
    """Somebody's earlier result, and how much harder our case is."""

    class Kind(models.TextChoices):
        PAPER = "paper"
        OFFICIAL_DOCS = "official_docs"
        BOOK = "book"
        BLOG = "blog"
        TUTORIAL = "tutorial"
        VENDOR = "vendor"
        INTERNAL = "internal"

    class Reproduced(models.TextChoices):
        NO = "no"
        PARTIAL = "partial"
        YES = "yes"

    class Difficulty(models.TextChoices):
        EASIER = "easier"
        SAME = "same"
        HARDER = "harder"
        MUCH_HARDER = "much_harder"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="prior_art")
    reference = models.CharField(max_length=300)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    claim = models.CharField(max_length=200, blank=True)
    reproduced = models.CharField(max_length=10, choices=Reproduced.choices, default=Reproduced.NO)
    our_value = models.CharField(max_length=100, blank=True)
    difficulty_delta = models.CharField(max_length=12, choices=Difficulty.choices, blank=True)
    delta_reason = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "prior art"

    def __str__(self) -> str:
        return self.reference


class Approach(ScopeRow):
    """A way to solve it, with the time it may take before it is judged."""

    class Rung(models.IntegerChoices):
        NONE = 0, "no model"
        RULES = 1, "rules"
        TRADITIONAL = 2, "traditional ML"
        COMPLEX = 3, "complex AI"

    class Novelty(models.TextChoices):
        STANDARD = "standard"
        ADAPTED = "adapted"
        OWN = "own"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="approaches")
    name = models.CharField(max_length=100)
    rung = models.PositiveSmallIntegerField(choices=Rung.choices)
    novelty = models.CharField(max_length=10, choices=Novelty.choices, default=Novelty.STANDARD)
    time_box_days = models.PositiveSmallIntegerField(null=True, blank=True)
    success_signal = models.CharField(max_length=300, blank=True)
    rank = models.PositiveSmallIntegerField(default=1)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "approaches"

    def __str__(self) -> str:
        return self.name


class DataSource(ScopeRow):
    """Where the data comes from, who owns it, and whether it may be used."""

    class Access(models.TextChoices):
        GRANTED = "granted"
        REQUESTED = "requested"
        NONE = "none"

    class PersonalData(models.TextChoices):
        NONE = "none"
        PERSONAL = "personal"
        SPECIAL = "special"

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="data_sources"
    )
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.NONE)
    personal_data = models.CharField(
        max_length=10, choices=PersonalData.choices, default=PersonalData.NONE
    )
    lawful_basis = models.CharField(max_length=200, blank=True)
    license = models.CharField(max_length=100, blank=True)
    known_gaps = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class FeatureNote(ScopeRow):
    """A column whose use needs a word: is it known when the prediction is made?"""

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="feature_notes"
    )
    column = models.CharField(max_length=100)
    is_known_at_prediction = models.BooleanField()
    is_used = models.BooleanField()
    note = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["scope", "column"], name="feature_note_column_once"),
        ]

    def __str__(self) -> str:
        return self.column


class Estimate(ScopeRow):
    """Three-point estimate of one phase, in person days."""

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="estimates")
    phase = models.CharField(max_length=60)
    optimistic_days = models.FloatField(validators=[MinValueValidator(0)])
    likely_days = models.FloatField(validators=[MinValueValidator(0)])
    pessimistic_days = models.FloatField(validators=[MinValueValidator(0)])
    basis = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(optimistic_days__lte=F("likely_days"))
                & Q(likely_days__lte=F("pessimistic_days")),
                name="estimate_points_in_order",
                violation_error_message="Optimistic, likely, pessimistic: they must rise.",
            ),
        ]

    def __str__(self) -> str:
        return self.phase


class Risk(ScopeRow):
    """What may go wrong, how bad that is, and who does what about it."""

    class Category(models.TextChoices):
        DATA = "data"
        MODEL = "model"
        OPERATIONS = "operations"
        LEGAL = "legal"
        ETHICAL = "ethical"
        SECURITY = "security"
        PEOPLE = "people"
        SCHEDULE = "schedule"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="risks")
    title = models.CharField(max_length=200)
    category = models.CharField(max_length=12, choices=Category.choices)
    probability = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    impact = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    mitigation = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return self.title

    @property
    def score(self) -> int:
        return self.probability * self.impact
