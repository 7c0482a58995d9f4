"""What the commands of governance take over REST."""

from typing import Any

from rest_framework import serializers

from governance.models import Finding, GateReview, SignOff
from projects.models import Stakeholder


class PolicyVersionInput(serializers.Serializer[Any]):
    name = serializers.SlugField(help_text="Policy that the text belongs to, such as `standard`.")
    title = serializers.CharField(max_length=200)
    text = serializers.CharField(trim_whitespace=False, help_text="YAML.")


class ReviewRequestInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    gate = serializers.SlugField()
    subject_kind = serializers.ChoiceField(choices=GateReview.SubjectKind.choices)
    subject_ref = serializers.CharField(max_length=200, help_text="Such as `model_version:7`.")
    due_on = serializers.DateField(required=False, allow_null=True, default=None)


class ConditionInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=1000)
    due_on = serializers.DateField()


class SignatureInput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    outcome = serializers.ChoiceField(choices=SignOff.Outcome.choices)
    meaning = serializers.CharField(max_length=300)
    reason = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    password = serializers.CharField(
        trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )
    bindings_digest = serializers.RegexField(r"^[0-9a-f]{64}$")
    conditions = ConditionInput(many=True, required=False, default=list)


class TextInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=4000)


class EvidenceInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    subject_kind = serializers.ChoiceField(choices=GateReview.SubjectKind.choices)
    subject_ref = serializers.CharField(max_length=200)
    kind = serializers.SlugField()
    title = serializers.CharField(max_length=200)
    data = serializers.DictField()  # type: ignore[assignment] # hides the serializer's own


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


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)


class ResolutionInput(serializers.Serializer[Any]):
    resolution = serializers.CharField(max_length=4000)


class WaiverInput(serializers.Serializer[Any]):
    review = serializers.IntegerField()
    requirement_key = serializers.CharField(max_length=100)
    reason = serializers.CharField(max_length=4000)
    compensating_control = serializers.CharField(max_length=4000)
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    expires_at = serializers.DateTimeField()


class DelegationInput(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Slug or number.")
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
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
