"""The fields of a scoping document that are not rows, section by section.

Every field may be empty in a draft; which ones a submitted document needs, by tier, is the
readiness policy's word.
"""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

_NOT_NEGATIVE = [MinValueValidator(0)]
_ZERO_TO_FOUR = [MinValueValidator(0), MaxValueValidator(4)]


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return an optional amount of the document's currency, two decimals, never negative."""
    return models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE, **options
    )


def tier_answer(help_text: str) -> "models.PositiveSmallIntegerField[Any, Any]":
    """Return one answer of the tier assessment, 0 (harmless) to 4 (grave)."""
    return models.PositiveSmallIntegerField(
        null=True, blank=True, validators=_ZERO_TO_FOUR, help_text=help_text
    )


class ProblemFields(models.Model):
    """What is wrong today, for whom, and what a prediction changes."""

    class Autonomy(models.TextChoices):
        ASSIST = "assist"
        RECOMMEND = "recommend"
        DECIDE_WITH_REVIEW = "decide_with_review"
        DECIDE = "decide"

    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, max_length=1500)
    problem_statement = models.TextField(blank=True)
    current_process = models.TextField(blank=True, help_text="How is it done today?")
    decision_informed = models.TextField(blank=True)
    acting_role = models.CharField(
        max_length=100, blank=True, help_text="Who acts on a prediction, such as a team lead."
    )
    action_on_output = models.TextField(blank=True)
    autonomy = models.CharField(max_length=20, choices=Autonomy.choices, blank=True)
    intended_use = models.TextField(blank=True)
    out_of_scope_use = models.TextField(blank=True)
    foreseeable_misuse = models.TextField(blank=True)
    in_scope = models.TextField(blank=True, help_text="One thing a line.")
    out_of_scope = models.TextField(blank=True, help_text="One thing a line.")
    parked_ideas = models.TextField(
        blank=True, help_text="Nice to have, one a line: parked, not lost."
    )

    class Meta:
        abstract = True


class ValueFields(models.Model):
    """What it is worth, what errors cost, and what building and running it costs."""

    currency = models.CharField(max_length=3, blank=True, default="EUR")
    false_positive_cost = money()
    false_negative_cost = money()
    error_cost_basis = models.TextField(blank=True)
    build_cost = money()
    tooling_cost = money()
    labelling_cost = money()
    annual_run_cost = money()
    annual_maintenance_cost = money()
    cost_note = models.TextField(blank=True, help_text="Needed where a cost is zero.")
    annual_benefit_low = money()
    annual_benefit = money(help_text="The likely value of a year.")
    annual_benefit_high = money()
    benefit_basis = models.TextField(blank=True)
    benefit_measured_by = models.TextField(blank=True)

    class Meta:
        abstract = True


class DataFields(models.Model):
    """What is predicted, from what, tested how, and when the truth is known."""

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

    class GroundTruth(models.TextChoices):
        YES = "yes"
        DELAYED = "delayed"
        PROXY = "proxy"
        NO = "no"

    ml_task = models.CharField("ML task", max_length=20, choices=Task.choices, blank=True)
    target = models.CharField(max_length=100, blank=True, help_text="Column to be predicted.")
    is_time_ordered = models.BooleanField(
        default=False, help_text="Do the rows arrive in time, and is the model used on later ones?"
    )
    split_strategy = models.CharField(max_length=10, choices=Split.choices, blank=True)
    ground_truth = models.CharField(
        "ground truth in production", max_length=10, choices=GroundTruth.choices, blank=True
    )
    ground_truth_delay_days = models.PositiveIntegerField(null=True, blank=True)
    ground_truth_method = models.TextField(blank=True)

    class Meta:
        abstract = True


class EffortFields(models.Model):
    """Why machine learning, and who knows the work."""

    why_ml = models.TextField("why ML", blank=True)
    simplest_alternative = models.TextField(blank=True)
    experts_interviewed = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class TierFields(models.Model):
    """The answers from which the risk tier is computed."""

    class TierOverride(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    tier_exposure = tier_answer("How many people or how much money depends on it?")
    tier_purpose = tier_answer("How much does the decision weigh for those it is about?")
    tier_autonomy = tier_answer("How little does a person check before it takes effect?")
    tier_reversibility = tier_answer("How hard is it to undo a wrong decision?")
    tier_override = models.CharField(max_length=10, choices=TierOverride.choices, blank=True)
    tier_override_reason = models.TextField(blank=True)

    class Meta:
        abstract = True


class EthicsFields(models.Model):
    """Ethics, fairness, explanation, security and privacy."""

    class EthicsOutcome(models.TextChoices):
        NOT_NEEDED = "not_needed"
        NEEDED = "needed"
        CLEAR = "clear"
        CONDITIONS = "conditions"
        REFUSED = "refused"

    class Explainability(models.TextChoices):
        NONE = "none"
        GLOBAL = "global"
        PER_DECISION = "per_decision"

    class Dpia(models.TextChoices):
        NOT_NEEDED = "not_needed"
        NEEDED = "needed"
        DONE = "done"

    ethics_outcome = models.CharField(max_length=12, choices=EthicsOutcome.choices, blank=True)
    ethics_conditions = models.TextField(blank=True, help_text="One condition a line.")
    ethics_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ethics_reviewed_on = models.DateField(null=True, blank=True)
    protected_attributes = models.TextField(blank=True)
    fairness_slices = models.TextField(
        blank=True, help_text="One slice a line, such as sex or region; criteria name them."
    )
    fairness_metrics = models.TextField(blank=True)
    fairness_tolerances = models.TextField(blank=True)
    fairness_justification = models.TextField(blank=True, help_text="If there is no fairness plan.")
    explainability = models.CharField(max_length=12, choices=Explainability.choices, blank=True)
    explainability_audience = models.CharField(max_length=200, blank=True)
    explainability_deliverable = models.CharField(max_length=200, blank=True)
    threats = models.TextField(blank=True, help_text="One threat a line.")
    dpia = models.CharField("DPIA", max_length=12, choices=Dpia.choices, blank=True)
    retention_days = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class OperationFields(models.Model):
    """How it is served, watched over by people, retrained and retired."""

    class DeploymentMode(models.TextChoices):
        BATCH = "batch"
        ONLINE = "online"
        STREAM = "stream"
        EDGE = "edge"
        REPORT = "report"

    deployment_mode = models.CharField(max_length=10, choices=DeploymentMode.choices, blank=True)
    consumer = models.CharField(max_length=200, blank=True)
    target_environment = models.CharField(max_length=50, blank=True)
    latency_limit_ms = models.PositiveIntegerField(null=True, blank=True)
    freshness_limit = models.CharField(max_length=100, blank=True)
    volume_per_day = models.PositiveIntegerField(null=True, blank=True)
    fallback = models.TextField(blank=True)
    rollback = models.TextField(blank=True)
    oversight_person = models.TextField("human oversight by", blank=True)
    oversight_override = models.TextField(blank=True)
    oversight_stop = models.TextField(blank=True)
    oversight_training = models.TextField(blank=True)
    retraining_policy = models.TextField(blank=True)
    retraining_triggers = models.TextField(blank=True, help_text="One trigger a line.")
    retirement_criteria = models.TextField(blank=True, help_text="One trigger a line.")
    demo_dataset = models.CharField(
        max_length=200, blank=True, help_text="The data every demo uses, such as dataset_version:1."
    )
    custom_fields = models.JSONField(
        default=dict, blank=True, help_text="Fields of your organisation, by its schema."
    )

    class Meta:
        abstract = True
