"""What the commands of governance take over REST."""

from typing import Any

from rest_framework import serializers

from governance.models import Finding, GateReview, SignOff
from projects.models import Stakeholder

#: What a file of evidence may be; the page shows pictures and offers the rest for download.
EVIDENCE_TYPES = frozenset(
    {
        "application/json",
        "application/pdf",
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "text/csv",
        "text/markdown",
        "text/plain",
    }
)
MAX_EVIDENCE_BYTES = 10 * 1024 * 1024


class PolicyVersionInput(serializers.Serializer[Any]):
    name = serializers.SlugField(help_text="Policy that the text belongs to, such as `standard`.")
    title = serializers.CharField(max_length=200)
    text = serializers.CharField(trim_whitespace=False, help_text="YAML; it may be wrong still.")
    note = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="What changes, and why."
    )


class DraftInput(serializers.Serializer[Any]):
    text = serializers.CharField(required=False, trim_whitespace=False)
    note = serializers.CharField(required=False, allow_blank=True)
    version_lock = serializers.IntegerField(help_text="Of the draft that was read.")


class PolicyTextInput(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False, help_text="YAML.")
    policy = serializers.SlugField(required=False, default="standard")


class PublishingInput(serializers.Serializer[Any]):
    password = serializers.CharField(
        trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )


class ReviewRequestInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    gate = serializers.SlugField()
    subject_kind = serializers.ChoiceField(choices=GateReview.SubjectKind.choices)
    subject_ref = serializers.CharField(max_length=200, help_text="Such as `model_version:7`.")
    due_on = serializers.DateField(required=False, allow_null=True, default=None)


class CheckRunsInput(serializers.Serializer[Any]):
    keys = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        default=list,
        help_text="Requirements; without any, all that take work and have no result yet.",
    )


class ConditionInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=1000)
    due_on = serializers.DateField()
    blocks_gate = serializers.SlugField(
        required=False,
        allow_blank=True,
        default="",
        help_text="Gate that the same subject cannot pass before this is met.",
    )


class SignatureInput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    outcome = serializers.ChoiceField(choices=SignOff.Outcome.choices)
    meaning = serializers.CharField(max_length=300)
    reason = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    password = serializers.CharField(
        trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )
    bindings_digest = serializers.RegexField(r"^[0-9a-f]{64}$")
    page_token = serializers.CharField(
        max_length=1000, help_text="From `signing-statement/`; good for one signature."
    )
    conditions = ConditionInput(many=True, required=False, default=list)


class EligibilityQuery(serializers.Serializer[Any]):
    user = serializers.CharField(
        required=False, default="", help_text="User name: only what is said of this person."
    )
    everybody = serializers.BooleanField(
        required=False, default=False, help_text="Also people whose roles the gate does not ask."
    )


class OutlookQuery(EligibilityQuery):
    project = serializers.CharField(help_text="Slug or number.")
    subject_kind = serializers.ChoiceField(choices=GateReview.SubjectKind.choices)
    subject_ref = serializers.CharField(max_length=200, help_text="Such as `model_version:7`.")


class StatementQuery(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    outcome = serializers.ChoiceField(
        choices=SignOff.Outcome.choices, default=SignOff.Outcome.APPROVED
    )


class TextInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=4000)


class EvidenceInput(serializers.Serializer[Any]):
    """Evidence as JSON, or as multipart form data with a file and `data` as JSON text."""

    project = serializers.CharField(help_text="Slug or number.")
    subject_kind = serializers.ChoiceField(choices=GateReview.SubjectKind.choices)
    subject_ref = serializers.CharField(max_length=200)
    kind = serializers.SlugField()
    title = serializers.CharField(max_length=200)
    data = serializers.JSONField(  # type: ignore[assignment] # hides the serializer's own
        required=False, default=dict
    )
    file = serializers.FileField(required=False)

    def validate_data(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("Send one JSON object.")
        return value

    def validate_file(self, value: Any) -> Any:
        if value.content_type not in EVIDENCE_TYPES:
            known = ", ".join(sorted(EVIDENCE_TYPES))
            raise serializers.ValidationError(f"{value.content_type} is not one of {known}.")
        if value.size > MAX_EVIDENCE_BYTES:
            limit = MAX_EVIDENCE_BYTES // 1024**2
            raise serializers.ValidationError(f"The file is larger than {limit} MB.")
        return value


class PromotionInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    model_name = serializers.CharField(max_length=200)
    model_version = serializers.IntegerField(min_value=1)
    subject_ref = serializers.CharField(max_length=200, help_text="Such as `model_version:7`.")
    environment = serializers.SlugField()
    reason = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class FindingInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    subject_kind = serializers.CharField(max_length=20)
    subject_ref = serializers.CharField(max_length=200)
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=8000, allow_blank=True, default="")
    severity = serializers.ChoiceField(choices=Finding.Severity.choices)
    data = serializers.DictField(required=False, default=dict)  # type: ignore[assignment]
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    owner = serializers.CharField(
        required=False, allow_null=True, default=None, help_text="User name."
    )
    recommended_action = serializers.CharField(
        max_length=4000, required=False, allow_blank=True, default=""
    )
    review = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="In which it was found."
    )


class PlanInput(serializers.Serializer[Any]):
    """What is left out stays as it is; null takes it away."""

    owner = serializers.CharField(required=False, allow_null=True, help_text="User name.")
    due_on = serializers.DateField(required=False, allow_null=True)
    recommended_action = serializers.CharField(
        max_length=4000, required=False, allow_blank=True, default=""
    )
    reason = serializers.CharField(
        max_length=4000,
        required=False,
        allow_blank=True,
        default="",
        help_text="Needed to put the date off.",
    )


class RegradeInput(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Finding.Severity.choices)
    reason = serializers.CharField(max_length=4000)


class MeetInput(serializers.Serializer[Any]):
    """How a condition was met: in words, by evidence, or both."""

    note = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    evidence = serializers.IntegerField(required=False, allow_null=True, default=None)


class PasswordField(serializers.CharField):
    """The password that confirms an act; it is compared and never kept."""

    def __init__(self) -> None:
        super().__init__(trim_whitespace=False, write_only=True, style={"input_type": "password"})


class OverrideInput(serializers.Serializer[Any]):
    promotion = serializers.IntegerField()
    incident = serializers.CharField(max_length=100, help_text="Its number or address.")
    reason = serializers.CharField(max_length=4000)
    hours = serializers.IntegerField(help_text="The policy says how many there may be.")
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    password = PasswordField()


class ConfirmationInput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    password = PasswordField()


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)


class RollBackInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)
    version = serializers.IntegerField(
        min_value=1,
        required=False,
        allow_null=True,
        default=None,
        help_text="An earlier good version; without one, the last.",
    )


class RetirementInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class ResolutionInput(serializers.Serializer[Any]):
    resolution = serializers.CharField(max_length=4000)


class WaiverInput(serializers.Serializer[Any]):
    review = serializers.IntegerField()
    requirement_key = serializers.CharField(max_length=100)
    reason = serializers.CharField(max_length=4000)
    compensating_control = serializers.CharField(max_length=4000)
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    expires_at = serializers.DateTimeField(help_text="180 days ahead at most.")
    password = PasswordField()


class DelegationInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    gate = serializers.SlugField(
        required=False,
        allow_blank=True,
        default="",
        help_text="The only gate at which it counts; left out, it counts at every.",
    )
    delegate = serializers.CharField(help_text="User name.")
    reason = serializers.CharField(max_length=4000)
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()


class MayDeployQuery(serializers.Serializer[Any]):
    model = serializers.CharField(max_length=200)
    version = serializers.IntegerField(min_value=1)
    environment = serializers.SlugField()


class TraceQuery(serializers.Serializer[Any]):
    model = serializers.CharField(max_length=200)
    version = serializers.IntegerField(min_value=1)
