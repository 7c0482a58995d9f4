"""What the REST resources of governance answer; commands take the serializers of `inputs`."""

from typing import Any

from rest_framework import serializers

from governance.models import (
    CheckRun,
    Condition,
    Delegation,
    DeniedAttempt,
    Environment,
    Evidence,
    Feedback,
    Finding,
    GateReview,
    LineageEdge,
    LineageNode,
    Override,
    Policy,
    PolicyVersion,
    Promotion,
    RequirementResult,
    SignOff,
    Waiver,
)


class PolicySerializer(serializers.ModelSerializer[Policy]):
    class Meta:
        model = Policy
        fields = ["id", "name", "title"]


class PolicyVersionSerializer(serializers.ModelSerializer[PolicyVersion]):
    policy = serializers.SlugRelatedField[Policy](slug_field="name", read_only=True)
    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = PolicyVersion
        fields = ["id", "policy", "number", "status", "text", "note", "digest", "created_by",
                  "created_at", "published_at", "version_lock"]  # fmt: skip


class PlacedProblemSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with a policy's text, where it stands and what to do."""

    path = serializers.CharField()
    line = serializers.IntegerField()
    column = serializers.IntegerField()
    message = serializers.CharField()
    hint = serializers.CharField()


class PolicyStandingSerializer(serializers.Serializer[Any]):
    """What is wrong with a text, and what it changes against the version that holds now."""

    problems = PlacedProblemSerializer(many=True)
    looser = serializers.ListField(child=serializers.CharField(), source="changes.looser")
    stricter = serializers.ListField(child=serializers.CharField(), source="changes.stricter")
    compared_with = serializers.CharField(source="former", default=None)


class PolicyVersionDetailSerializer(PolicyVersionSerializer):
    """One version with everybody who wrote on it and how its text stands."""

    editors = serializers.SlugRelatedField[Any](slug_field="username", many=True, read_only=True)
    standing = PolicyStandingSerializer()

    class Meta(PolicyVersionSerializer.Meta):
        fields = [*PolicyVersionSerializer.Meta.fields, "editors", "standing"]


class EnvironmentSerializer(serializers.ModelSerializer[Environment]):
    class Meta:
        model = Environment
        fields = ["id", "name", "alias", "mode", "gate", "rank"]


class OriginSerializer(serializers.Serializer[Any]):
    """Which policy version set a mode, and who had signed it."""

    policy_version = serializers.CharField(source="version")
    at = serializers.DateTimeField()
    signers = serializers.ListField(child=serializers.CharField())


class StandingVersionSerializer(serializers.ModelSerializer[Promotion]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Promotion
        fields = ["id", "project", "model_name", "model_version", "review", "applied_at"]


class EnvironmentOverviewSerializer(serializers.Serializer[Any]):
    """One environment with what stands there."""

    environment = EnvironmentSerializer()
    origin = OriginSerializer(allow_null=True)
    promotions = StandingVersionSerializer(many=True)
    let_through = serializers.IntegerField(help_text="Unapproved changes since the beginning.")
    last_let_through = serializers.DateTimeField(allow_null=True)


class RequirementResultSerializer(serializers.ModelSerializer[RequirementResult]):
    class Meta:
        model = RequirementResult
        fields = ["id", "evaluation", "key", "title", "check_name", "outcome", "message",
                  "detail", "is_blocking", "evaluated_at"]  # fmt: skip


class CheckRunSerializer(serializers.ModelSerializer[CheckRun]):
    class Meta:
        model = CheckRun
        fields = ["id", "review", "key", "kind", "params", "bindings_digest", "status", "result",
                  "message", "requested_as", "requested_at", "ended_at"]  # fmt: skip


class ConditionSerializer(serializers.ModelSerializer[Condition]):
    class Meta:
        model = Condition
        fields = ["id", "text", "due_on", "blocks_gate", "met_at"]


class OpenConditionSerializer(serializers.ModelSerializer[Condition]):
    """A promise with the review that rests on it."""

    project = serializers.CharField(source="sign_off.review.project.slug")
    review = serializers.IntegerField(source="sign_off.review_id")
    about = serializers.CharField(source="sign_off.review.subject_label")
    asked_by = serializers.CharField(source="sign_off.printed_name")
    met_by = serializers.CharField(source="met_by.username", default=None)

    class Meta:
        model = Condition
        fields = ["id", "project", "review", "about", "asked_by", "text", "due_on", "blocks_gate",
                  "met_at", "met_by", "note", "evidence"]  # fmt: skip


class SignOffSerializer(serializers.ModelSerializer[SignOff]):
    signer = serializers.CharField(source="signer.username")
    on_behalf_of = serializers.CharField(source="on_behalf_of.username", default=None)
    conditions = ConditionSerializer(many=True, read_only=True)
    held_roles = serializers.ListField(
        source="circumstances.held_roles", default=list, child=serializers.CharField(),
        help_text="Roles that the signer held when signing."
    )  # fmt: skip

    class Meta:
        model = SignOff
        fields = ["id", "review", "signer", "printed_name", "role", "on_behalf_of", "held_roles",
                  "outcome", "meaning", "reason", "statement", "bindings_digest", "policy_digest",
                  "method", "prior", "difference_digest", "carried_from", "signed_at",
                  "conditions"]  # fmt: skip


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    author = serializers.CharField(source="author.username")

    class Meta:
        model = Feedback
        fields = ["id", "review", "author", "text", "written_at"]


class AllowedActionSerializer(serializers.Serializer[Any]):
    """Whether the caller may do something now, and if not, why."""

    action = serializers.CharField()
    allowed = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class GateReviewSerializer(serializers.ModelSerializer[GateReview]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    policy_version = serializers.StringRelatedField[Any]()
    requested_by = serializers.CharField(source="requested_by.username", default=None)

    class Meta:
        model = GateReview
        fields = ["id", "project", "gate", "policy_version", "subject_kind", "subject_ref",
                  "subject_label", "tier", "status", "status_reason", "bindings_digest",
                  "requested_by", "requested_as", "requested_at", "due_on", "decided_at",
                  "expires_at", "renews"]  # fmt: skip


class GateReviewDetailSerializer(GateReviewSerializer):
    """One review with all that was judged and said, and what the caller may do next."""

    requirements = RequirementResultSerializer(many=True)
    check_runs = CheckRunSerializer(many=True)
    sign_offs = SignOffSerializer(many=True)
    feedback = FeedbackSerializer(many=True)
    unmet = serializers.ListField(child=serializers.CharField())
    allowed_actions = AllowedActionSerializer(many=True)

    class Meta(GateReviewSerializer.Meta):
        fields = [*GateReviewSerializer.Meta.fields, "bindings", "facts", "requirements",
                  "check_runs",
                  "sign_offs", "feedback", "unmet", "allowed_actions"]  # fmt: skip


class SignOffFateSerializer(serializers.Serializer[Any]):
    """Whether a sign-off outlived that the review was bound anew, and why."""

    role = serializers.CharField(source="survival.role")
    person = serializers.CharField()
    survives = serializers.BooleanField(source="survival.survives")
    reason = serializers.CharField(source="survival.reason")


class RefreshedReviewSerializer(GateReviewDetailSerializer):
    """A review that was bound anew: what moved, and what became of its sign-offs."""

    moved = serializers.ListField(child=serializers.CharField())
    fates = SignOffFateSerializer(many=True)

    class Meta(GateReviewDetailSerializer.Meta):
        fields = [*GateReviewDetailSerializer.Meta.fields, "moved", "fates"]


class DifferenceRowSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    was = serializers.CharField()
    now = serializers.CharField()
    note = serializers.CharField(help_text="added, removed, changed, or the step of a number.")


class ChangeSerializer(serializers.Serializer[Any]):
    """One thing that differs; `shape` says whether the rows are a table or lines of a text."""

    part = serializers.CharField()
    title = serializers.CharField()
    was = serializers.CharField()
    now = serializers.CharField()
    shape = serializers.ChoiceField(choices=["table", "lines"])
    rows = DifferenceRowSerializer(many=True)


class DifferencesSerializer(serializers.Serializer[Any]):
    """What a review binds that another did not, with the digest of what is shown."""

    since = serializers.IntegerField(allow_null=True, help_text="The review compared with.")
    digest = serializers.CharField()
    changes = ChangeSerializer(many=True)


class SigningStatementSerializer(serializers.Serializer[Any]):
    """All that somebody would sign now, and the token with which that is signed."""

    text = serializers.CharField()
    role = serializers.CharField()
    outcome = serializers.CharField()
    bindings = serializers.DictField(child=serializers.CharField())
    bindings_digest = serializers.CharField()
    prior = serializers.IntegerField(
        source="since.prior.pk", default=None, allow_null=True,
        help_text="Sign-off of the last approval, to which `changes` compares."
    )  # fmt: skip
    changes = ChangeSerializer(source="since.changes", many=True)
    difference_digest = serializers.CharField(source="since.digest", allow_blank=True)
    page_token = serializers.CharField()


class RefusalSerializer(serializers.Serializer[Any]):
    """A rule that keeps somebody from signing, by its name in the policy."""

    rule = serializers.CharField()
    sentence = serializers.CharField()
    recorded = serializers.CharField(
        source="source", help_text="Where the fact behind it is recorded."
    )


class EligibilitySerializer(serializers.Serializer[Any]):
    """Whether a person may sign in a role, and what stands against it."""

    user = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.get_full_name")
    role = serializers.CharField()
    is_asked = serializers.BooleanField(help_text="Whether the gate asks for this role.")
    may_sign = serializers.BooleanField()
    signed = serializers.BooleanField()
    on_behalf_of = serializers.CharField(source="on_behalf_of.username", default=None)
    reasons = serializers.ListField(child=serializers.CharField())
    refusals = RefusalSerializer(many=True)


class LackSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    sentence = serializers.CharField()


class OutlookSerializer(serializers.Serializer[Any]):
    """Who could sign a review if it were requested now."""

    gate = serializers.CharField(source="review.gate")
    tier = serializers.CharField(source="review.tier")
    policy_version = serializers.CharField(source="review.policy_version")
    lacks = LackSerializer(many=True)
    people = EligibilitySerializer(many=True)


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    produced_by = serializers.CharField(source="produced_by.username", default=None)

    class Meta:
        model = Evidence
        fields = ["id", "project", "subject_kind", "subject_ref", "kind", "title", "data",
                  "attachment", "media_type", "digest", "produced_by", "produced_as",
                  "produced_at"]  # fmt: skip


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    environment = serializers.SlugRelatedField[Any](slug_field="name", read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None)

    class Meta:
        model = Promotion
        fields = ["id", "project", "environment", "model_name", "model_version", "subject_ref",
                  "files_digest", "review", "status", "status_reason", "reason", "requested_by",
                  "requested_as", "requested_at", "approved_at", "claimed_by", "claimed_at",
                  "attempts", "applied_at", "rolled_back_at", "resumes_with_review",
                  "retirement", "retain_until"]  # fmt: skip


class DeniedAttemptSerializer(serializers.ModelSerializer[DeniedAttempt]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    policy_version = serializers.StringRelatedField[Any]()

    class Meta:
        model = DeniedAttempt
        fields = ["id", "at", "actor", "actor_name", "action", "target", "code", "message",
                  "project", "policy_version", "gate", "model_name"]  # fmt: skip


class FindingSerializer(serializers.ModelSerializer[Finding]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    owner = serializers.CharField(source="owner.username", default=None)
    resolved_by = serializers.CharField(source="resolved_by.username", default=None)
    closed_by = serializers.CharField(source="closed_by.username", default=None)

    class Meta:
        model = Finding
        fields = ["id", "project", "subject_kind", "subject_ref", "title", "description",
                  "severity", "status", "source", "owner", "due_on", "data", "opened_at",
                  "resolved_by", "resolution", "closed_by", "closed_at", "review",
                  "recommended_action"]  # fmt: skip


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """Break-glass; `review` is the after-review that has to settle it."""

    project = serializers.CharField(source="promotion.project.slug")
    review = serializers.IntegerField(source="promotion.review_id")
    requested_by = serializers.CharField(source="requested_by.username")
    confirmed_by = serializers.CharField(source="confirmed_by.username", default=None)

    class Meta:
        model = Override
        fields = ["id", "project", "promotion", "review", "incident", "reason", "hours", "status",
                  "status_reason", "requested_by", "requested_role", "requested_at",
                  "confirmed_by", "confirmed_role", "confirmed_at", "expires_at",
                  "ended_at"]  # fmt: skip


class WaiverSerializer(serializers.ModelSerializer[Waiver]):
    granted_by = serializers.CharField(source="granted_by.username")

    class Meta:
        model = Waiver
        fields = ["id", "review", "requirement_key", "reason", "compensating_control",
                  "granted_by", "granted_role", "granted_at", "expires_at",
                  "revoked_at"]  # fmt: skip


class DelegationSerializer(serializers.ModelSerializer[Delegation]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    holder = serializers.CharField(source="holder.username")
    delegate = serializers.CharField(source="delegate.username")

    class Meta:
        model = Delegation
        fields = ["id", "project", "role", "gate", "holder", "delegate", "reason", "valid_from",
                  "valid_to", "revoked_at"]  # fmt: skip


class LineageNodeSerializer(serializers.ModelSerializer[LineageNode]):
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = LineageNode
        fields = ["id", "project", "kind", "ref", "digest", "label", "url", "recorded_at"]


class LineageEdgeSerializer(serializers.ModelSerializer[LineageEdge]):
    class Meta:
        model = LineageEdge
        fields = ["id", "source", "target", "kind", "recorded_at"]


class LineageGraphSerializer(serializers.Serializer[Any]):
    """What led to one model version, and what it led to."""

    start = LineageNodeSerializer()
    nodes = LineageNodeSerializer(many=True)
    edges = LineageEdgeSerializer(many=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """Whether a model version may serve in an environment now."""

    allowed = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    promotion = serializers.IntegerField(source="promotion.pk", default=None, allow_null=True)
    review_url = serializers.CharField(allow_blank=True)


class DenialCountSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    times = serializers.IntegerField()


class DenialCountsSerializer(serializers.Serializer[Any]):
    by_code = DenialCountSerializer(many=True)
    by_action = DenialCountSerializer(many=True)
    by_person = DenialCountSerializer(many=True)
    by_model = DenialCountSerializer(many=True)
    by_policy = DenialCountSerializer(many=True)
