"""Rows of a scoping document: what it aims at, what it must beat, and how it may be solved."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from projects.models.scope import ScopingDocument
from projects.models.scope_sections import money


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
    horizon_days = models.PositiveIntegerField(null=True, blank=True)
    baseline_task = models.CharField(
        max_length=100,
        blank=True,
        help_text="If today's value is unknown: the task that finds it, such as work_item:12.",
    )

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
        SHADOW = "shadow"
        PRODUCTION = "production"

    class Source(models.TextChoices):
        METRIC = "metric"
        PARAM = "param"
        TAG = "tag"
        ARTIFACT = "artifact"
        DATASET = "dataset"
        MONITORING = "monitoring"
        ATTESTATION = "attestation"

    class Aggregate(models.TextChoices):
        LAST = "last"
        BEST = "best"
        MEAN = "mean"
        MIN = "min"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="criteria")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    level = models.CharField(max_length=10, choices=Level.choices)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.METRIC)
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
        max_length=120,
        blank=True,
        help_text="What changes are measured from: a baseline's name, champion, or "
        "same_run:METRIC for the gap between a slice and the whole.",
    )
    dataset_role = models.CharField(
        max_length=12, choices=DatasetRole.choices, default=DatasetRole.TEST
    )
    dataset_ref = models.CharField(
        max_length=100, blank=True, help_text="Dataset version, such as dataset_version:1."
    )
    slice = models.CharField(
        max_length=120,
        blank=True,
        help_text="A slice such as region=north, or all_slices:region for the worst one.",
    )
    aggregate = models.CharField(
        max_length=6, choices=Aggregate.choices, default=Aggregate.LAST, help_text="Over seeds."
    )
    min_runs = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Runs with different seeds."
    )
    confidence_key = models.CharField(
        max_length=120,
        blank=True,
        help_text="Metric that holds the confidence bound to be compared instead of the value.",
    )
    test_use_limit = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How often the test data may be looked at."
    )
    gates = models.JSONField(
        default=list, blank=True, help_text='Gates that judge it, such as ["validation"].'
    )
    is_blocking = models.BooleanField(default=True)
    by_date = models.DateField(null=True, blank=True, help_text="For kill criteria.")
    by_sprint = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="For kill criteria: the number of the sprint."
    )
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
                condition=~Q(level="kill") | Q(by_date__isnull=False) | Q(by_sprint__isnull=False),
                name="criterion_kill_has_a_date",
                violation_error_message="A kill criterion needs the date or the sprint by which "
                "it has to hold.",
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
    run_id = models.CharField("run", max_length=64, blank=True, help_text="MLflow's run id.")
    dataset_ref = models.CharField(max_length=100, blank=True)
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

    class Verdict(models.TextChoices):
        ADOPT = "adopt"
        ADAPT = "adapt"
        REJECT = "reject"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="prior_art")
    reference = models.CharField(max_length=300)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    claim = models.CharField(max_length=200, blank=True)
    claim_metric = models.CharField(max_length=100, blank=True)
    claim_value = models.FloatField(null=True, blank=True)
    dataset_similarity = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(3)],
        help_text="0 nothing like ours, 3 the same kind of data.",
    )
    is_code_available = models.BooleanField(default=False)
    license = models.CharField(max_length=100, blank=True)
    reproduced = models.CharField(max_length=10, choices=Reproduced.choices, default=Reproduced.NO)
    our_value = models.CharField(max_length=100, blank=True)
    run_id = models.CharField("run", max_length=64, blank=True, help_text="MLflow's run id.")
    difficulty_delta = models.CharField(max_length=12, choices=Difficulty.choices, blank=True)
    delta_reason = models.CharField(max_length=300, blank=True)
    effort_days = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)

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
    skills_needed = models.CharField(max_length=300, blank=True)
    build_days = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    annual_run_cost = money()
    why_this_rung = models.CharField(
        max_length=300, blank=True, help_text="Why nothing simpler is enough."
    )
    rank = models.PositiveSmallIntegerField(default=1)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "approaches"

    def __str__(self) -> str:
        return self.name


class DecisionWeight(ScopeRow):
    """How much one role cares for one criterion of the choice; a role's weights add up to 100."""

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="decision_weights"
    )
    role = models.CharField(max_length=60)
    criterion = models.CharField(max_length=100, help_text="Such as predictive quality.")
    weight = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "role", "criterion"], name="decision_weight_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.criterion} for {self.role}"


class DecisionScore(ScopeRow):
    """How well one approach does on one criterion of the choice, with what says so."""

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="decision_scores"
    )
    approach = models.CharField(max_length=100, help_text="Name of an approach above.")
    criterion = models.CharField(max_length=100)
    score = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)], help_text="1 poor, 5 excellent."
    )
    evidence = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "approach", "criterion"], name="decision_score_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approach}: {self.criterion}"
