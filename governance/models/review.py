"""Gate reviews: one passage of one subject through one gate, with all that was judged and said."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from governance.models.policy import PolicyVersion
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from projects.actors import Actor


class GateReviewQuerySet(models.QuerySet["GateReview"]):
    """Reviews as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "GateReviewQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def open(self) -> "GateReviewQuerySet":
        return self.filter(status=GateReview.Status.OPEN)

    def of_subject(self, kind: str, ref: str) -> "GateReviewQuerySet":
        return self.filter(subject_kind=kind, subject_ref=ref)


class GateReview(models.Model):
    """One passage of one subject through one gate, under one fixed policy version.

    `bindings` maps each bound part (`model_files`, `run`, `dataset:train`, `scope`, ...) to the
    digest it had when the review opened; sign-offs carry the digest of exactly this mapping.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        SUSPENDED = "suspended"
        STALE = "stale"
        EXPIRED = "expired"

    class SubjectKind(models.TextChoices):
        SCOPING_DOCUMENT = "scoping_document"
        DATASET_VERSION = "dataset_version"
        SPRINT = "sprint"
        MODEL_VERSION = "model_version"
        POLICY_VERSION = "policy_version"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="gate_reviews")
    gate = models.SlugField()
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=20, choices=SubjectKind.choices)
    subject_ref = models.CharField(max_length=200)
    subject_label = models.CharField(max_length=200)
    model_name = models.CharField(max_length=200, blank=True, help_text="Of a model version only.")
    model_version = models.PositiveIntegerField(null=True, blank=True)
    bindings = models.JSONField(default=dict)
    bindings_digest = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, help_text="Facts copied in when the review opened.")
    tier = models.CharField(max_length=10, choices=Project.Tier.choices)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.OPEN, editable=False
    )
    status_reason = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_as = models.CharField(max_length=100, help_text="Actor reference, user or system.")
    requested_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField(null=True, blank=True)
    escalated_at = models.DateTimeField(
        null=True, blank=True, help_text="When the lead was told that it is overdue."
    )
    renews = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="renewals",
        help_text="The approval of the same subject that this one takes over from.",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When what it binds was last read again."
    )
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = GateReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["subject_kind", "subject_ref", "gate"]),
            models.Index(fields=["status", "due_on"]),
            models.Index(fields=["model_name", "model_version", "status"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gate", "subject_kind", "subject_ref"],
                condition=Q(status="open"),
                name="gate_review_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "rejected"]) | Q(decided_at__isnull=False),
                name="gate_review_decided_has_time",
            ),
        ]

    def __str__(self) -> str:
        gate = self.gate.replace("_", " ")
        return f"{gate} of {self.subject_label}"

    @property
    def ref(self) -> str:
        return f"gate_review:{self.pk}"


class RequirementResultQuerySet(models.QuerySet["RequirementResult"]):
    """Outcomes as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "RequirementResultQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))

    def newest(self) -> "RequirementResultQuerySet":
        """Keep the newest evaluation of each review."""
        newest = (
            RequirementResult.objects.filter(review=OuterRef("review"))
            .order_by("-evaluation")
            .values("evaluation")[:1]
        )
        return self.filter(evaluation=Subquery(newest)).order_by("review", "pk")


class RequirementResult(models.Model):
    """The outcome of one requirement in one evaluation of one review; the newest counts."""

    class Outcome(models.TextChoices):
        PASS = "pass"  # noqa: S105 - an outcome, not a password
        FAIL = "fail"
        MISSING = "missing"
        ERROR = "error"
        STALE = "stale"
        MISMATCH = "mismatch"
        WAIVED = "waived"

    review = models.ForeignKey(GateReview, on_delete=models.CASCADE, related_name="results")
    evaluation = models.PositiveIntegerField(help_text="Counts the evaluations of this review.")
    key = models.CharField(max_length=100)
    title = models.CharField(max_length=300)
    check_name = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    message = models.TextField(help_text="What was compared, in one sentence.")
    detail = models.JSONField(default=dict, help_text="Value, threshold, source, versions.")
    is_blocking = models.BooleanField(default=True)
    evaluated_at = models.DateTimeField(default=timezone.now)

    objects = RequirementResultQuerySet.as_manager()

    class Meta:
        ordering = ["review", "-evaluation", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "evaluation", "key"], name="requirement_result_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.outcome}"


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Evidence by subject and as an actor sees it."""

    def visible_to(self, actor: "Actor") -> "EvidenceQuerySet":
        return self.filter(project__in=Project.objects.visible_to(actor))

    def of_subject(self, kind: str, ref: str) -> "EvidenceQuerySet":
        return self.filter(subject_kind=kind, subject_ref=ref)


class Evidence(models.Model):
    """Typed material for a decision, with the digest of its content and who produced it."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="evidence")
    subject_kind = models.CharField(max_length=20, choices=GateReview.SubjectKind.choices)
    subject_ref = models.CharField(max_length=200)
    kind = models.SlugField(help_text="eda_report, model_card, champion_comparison, plot …")
    title = models.CharField(max_length=200)
    data = models.JSONField(default=dict)
    attachment = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of a file in the content store."
    )
    media_type = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64)
    produced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    produced_as = models.CharField(max_length=100)
    produced_at = models.DateTimeField(default=timezone.now)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["-produced_at", "-pk"]
        indexes = [models.Index(fields=["subject_kind", "subject_ref", "kind"])]
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"evidence:{self.pk}"


class SignOffQuerySet(models.QuerySet["SignOff"]):
    """Sign-offs as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "SignOffQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))

    def update(self, **values: Any) -> int:
        raise TypeError("A sign-off is never changed; sign again.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("A sign-off is never deleted.")

    def counting(self, review: "GateReview") -> "SignOffQuerySet":
        """Keep those that were given to exactly what the review binds now."""
        counting = self.filter(review=review, bindings_digest=review.bindings_digest)
        return counting.order_by("sequence")


class SignOff(models.Model):
    """The binding decision of one person in one role; never changed, never deleted.

    The ORM refuses both here; the ledger holds the proof for whoever goes past the ORM.
    """

    class Outcome(models.TextChoices):
        APPROVED = "approved"
        APPROVED_WITH_CONDITIONS = "approved_with_conditions"
        CHANGES_REQUESTED = "changes_requested"
        REJECTED = "rejected"

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="sign_offs")
    signer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs"
    )
    printed_name = models.CharField(max_length=200)
    role = models.CharField(max_length=30, choices=Stakeholder.Role.choices)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=30, choices=Outcome.choices)
    meaning = models.CharField(max_length=300)
    reason = models.TextField(blank=True)
    statement = models.TextField(help_text="The text that was shown above the password.")
    bindings_digest = models.CharField(max_length=64)
    policy_digest = models.CharField(max_length=64)
    method = models.CharField(max_length=30)
    carried_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="carried_to",
        help_text="The sign-off of an earlier version that the policy let stand for this one.",
    )
    prior = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The approval whose difference to this one was shown above the password.",
    )
    difference_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the difference that was shown."
    )
    circumstances = models.JSONField(
        default=dict, help_text="Locale, session, address and browser; kept out of the ledger."
    )
    signed_at = models.DateTimeField(default=timezone.now)
    sequence = models.PositiveIntegerField(
        help_text="Version of the review that it was given to; two cannot share one."
    )

    objects = SignOffQuerySet.as_manager()

    class Meta:
        ordering = ["signed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["review", "sequence"], name="sign_off_once"),
        ]

    def __str__(self) -> str:
        return f"{self.printed_name} ({self.get_role_display()}): {self.get_outcome_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A sign-off is never changed; sign again.")
        super().save(*args, **kwargs)

    @property
    def ref(self) -> str:
        return f"sign_off:{self.pk}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A sign-off is never deleted.")


class SigningCounter(models.Model):
    """Wrong passwords of one person since the window began; bumped before each try is checked."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.failures} since {self.window_started_at:%H:%M}"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    """Opinions as an actor sees them."""

    def visible_to(self, actor: "Actor") -> "FeedbackQuerySet":
        return self.filter(review__project__in=Project.objects.visible_to(actor))


class Feedback(models.Model):
    """An advisory opinion; it never counts towards a quorum."""

    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="feedback")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    written_at = models.DateTimeField(default=timezone.now)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["written_at", "pk"]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return self.text[:60]
