"""Rows of a scoping document: data, effort, risks, people and operation."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from projects.models.scope import ScopingDocument
from projects.models.scope_rows import ScopeRow
from projects.models.scope_sections import money
from projects.models.sprint import Sprint


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

    class Labels(models.TextChoices):
        EXIST = "exist"
        DERIVABLE = "derivable"
        TO_COLLECT = "to_collect"
        NONE = "none"

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="data_sources"
    )
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    location = models.CharField(max_length=300, blank=True)
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.NONE)
    personal_data = models.CharField(
        max_length=10, choices=PersonalData.choices, default=PersonalData.NONE
    )
    lawful_basis = models.CharField(max_length=200, blank=True)
    license = models.CharField(max_length=100, blank=True)
    volume = models.CharField(max_length=100, blank=True)
    history = models.CharField(max_length=100, blank=True, help_text="Since when.")
    labels = models.CharField(max_length=12, choices=Labels.choices, blank=True)
    label_cost = money()
    refresh = models.CharField(max_length=100, blank=True, help_text="How often it is renewed.")
    quality_score = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(5)], help_text="0 unusable, 5 clean."
    )
    dataset_ref = models.CharField(
        max_length=100, blank=True, help_text="Registered version, such as dataset_version:1."
    )
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

    class Treatment(models.TextChoices):
        AVOID = "avoid"
        REDUCE = "reduce"
        TRANSFER = "transfer"
        ACCEPT = "accept"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="risks")
    title = models.CharField(max_length=200)
    category = models.CharField(max_length=12, choices=Category.choices)
    cause = models.CharField(max_length=300, blank=True)
    effect = models.CharField(max_length=300, blank=True)
    probability = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    impact = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    treatment = models.CharField(max_length=10, choices=Treatment.choices, blank=True)
    mitigation = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due = models.DateField(null=True, blank=True)
    residual_probability = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    residual_impact = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    accepted_because = models.TextField(blank=True)
    accepted_until = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.title

    @property
    def score(self) -> int:
        return self.probability * self.impact


class AffectedParty(ScopeRow):
    """A group of people whom the predictions touch."""

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="affected_parties"
    )
    group = models.CharField(max_length=100)
    size_order = models.CharField(max_length=60, blank=True, help_text="Such as tens of thousands.")
    effect = models.CharField(max_length=300, blank=True)
    is_vulnerable = models.BooleanField(default=False)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "affected parties"

    def __str__(self) -> str:
        return self.group


class Constraint(ScopeRow):
    """A limit from outside; a hard one with a number becomes a guardrail criterion."""

    class Kind(models.TextChoices):
        LATENCY = "latency"
        COST = "cost"
        PRIVACY = "privacy"
        EXPLAINABILITY = "explainability"
        PLATFORM = "platform"
        DEADLINE = "deadline"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="constraints")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    statement = models.CharField(max_length=300)
    is_hard = models.BooleanField(default=False)
    limit = models.FloatField(null=True, blank=True)
    criterion_key = models.SlugField(
        max_length=60, blank=True, help_text="Guardrail criterion that checks the number."
    )

    def __str__(self) -> str:
        return self.statement


class Assumption(ScopeRow):
    """Something taken to be true until somebody has looked."""

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="assumptions")
    statement = models.CharField(max_length=300)
    is_verified = models.BooleanField(default=False)
    how = models.CharField(max_length=300, blank=True, help_text="How it was or will be verified.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    spike = models.CharField(
        max_length=100, blank=True, help_text="Work item that verifies it, such as work_item:12."
    )

    def __str__(self) -> str:
        return self.statement


class FeasibilityRating(ScopeRow):
    """How feasible it is from one side: 0 is not, 3 is proven."""

    class Dimension(models.TextChoices):
        DATA = "data"
        TECHNICAL = "technical"
        INTEGRATION = "integration"
        PEOPLE = "people"
        LEGAL = "legal"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="feasibility")
    dimension = models.CharField(max_length=12, choices=Dimension.choices)
    rating = models.PositiveSmallIntegerField(validators=[MaxValueValidator(3)])
    note = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["scope", "dimension"], name="feasibility_rated_once"),
        ]

    def __str__(self) -> str:
        return self.get_dimension_display()


class Regulation(ScopeRow):
    """A framework, whether it applies, and as what."""

    class Applies(models.TextChoices):
        YES = "yes"
        NO = "no"
        UNCLEAR = "unclear"

    class Part(models.TextChoices):
        PROVIDER = "provider"
        DEPLOYER = "deployer"
        NOT_APPLICABLE = "not_applicable"

    class RiskClass(models.TextChoices):
        PROHIBITED = "prohibited"
        HIGH = "high"
        LIMITED = "limited"
        MINIMAL = "minimal"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="regulations")
    framework = models.CharField(max_length=100, help_text="Such as EU AI Act.")
    applies = models.CharField(max_length=10, choices=Applies.choices)
    part = models.CharField(
        "our part", max_length=15, choices=Part.choices, default=Part.NOT_APPLICABLE
    )
    risk_class = models.CharField(max_length=12, choices=RiskClass.choices, blank=True)
    rationale = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.framework


class Responsibility(ScopeRow):
    """What one person is for one activity: responsible, accountable, consulted or informed."""

    class Activity(models.TextChoices):
        SCOPE = "scope"
        DATA_RELEASE = "data_release"
        EXPERIMENT_REVIEW = "experiment_review"
        VALIDATION = "validation"
        PREPRODUCTION = "preproduction", "Pre-production"
        PRODUCTION = "production", "Production release"
        MONITORING = "monitoring"
        RETIREMENT = "retirement"

    class Raci(models.TextChoices):
        RESPONSIBLE = "responsible"
        ACCOUNTABLE = "accountable"
        CONSULTED = "consulted"
        INFORMED = "informed"

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="responsibilities"
    )
    activity = models.CharField(max_length=20, choices=Activity.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    raci = models.CharField("part", max_length=12, choices=Raci.choices)

    class Meta(ScopeRow.Meta):
        verbose_name_plural = "responsibilities"
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "activity", "person", "raci"], name="responsibility_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_activity_display()}: {self.person}"


class MonitoringSignal(ScopeRow):
    """What is watched in production, against which limit, and who does what then."""

    class Signal(models.TextChoices):
        DATA_QUALITY = "data_quality"
        DRIFT = "drift"
        PERFORMANCE = "performance"
        FAIRNESS = "fairness"
        COST = "cost"
        LATENCY = "latency"
        BUSINESS = "business"

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="monitoring_plan"
    )
    signal = models.CharField(max_length=15, choices=Signal.choices)
    metric = models.CharField(max_length=120, blank=True)
    threshold = models.CharField(max_length=100, blank=True)
    window = models.CharField(max_length=60, blank=True)
    frequency = models.CharField(max_length=60, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    action = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.get_signal_display()} {self.metric}".strip()


class PlannedSprint(ScopeRow):
    """How many sprints of a kind the plan holds, and how long they are."""

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="sprint_plan")
    kind = models.CharField(max_length=20, choices=Sprint.Kind.choices)
    goal = models.CharField(max_length=300)
    length_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    max_count = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])

    def __str__(self) -> str:
        return self.goal


class Milestone(ScopeRow):
    """One of the meetings that follow milestones, with its date or the reason to leave it out."""

    class Kind(models.TextChoices):
        KICKOFF = "kickoff", "Planning kickoff"
        POST_RESEARCH = "post_research", "Post-research discussion"
        POST_EXPERIMENTATION = "post_experimentation", "Post-experimentation review"
        SPRINT_REVIEWS = "sprint_reviews", "Development sprint reviews"
        ACCEPTANCE = "acceptance", "MVP review"
        PREPRODUCTION = "preproduction", "Pre-production review"

    scope = models.ForeignKey(ScopingDocument, on_delete=models.CASCADE, related_name="milestones")
    kind = models.CharField(max_length=22, choices=Kind.choices)
    planned_on = models.DateField(null=True, blank=True)
    audience = models.CharField(max_length=200, blank=True)
    waived_because = models.CharField(max_length=300, blank=True)

    class Meta(ScopeRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["scope", "kind"], name="milestone_once"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class OpenQuestion(ScopeRow):
    """A question somebody has to answer; a blocking one stops the submission until then."""

    scope = models.ForeignKey(
        ScopingDocument, on_delete=models.CASCADE, related_name="open_questions"
    )
    question = models.CharField(max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due = models.DateField(null=True, blank=True)
    is_blocking = models.BooleanField(default=False)
    answer = models.TextField(blank=True, help_text="Once there is one, the question is closed.")

    def __str__(self) -> str:
        return self.question
