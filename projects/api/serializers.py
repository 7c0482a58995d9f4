"""What REST answers show of this app's rows, and what its commands take."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from projects.models import Project, ScopingDocument, Stakeholder
from projects.services import scoping


class ProjectSerializer(serializers.ModelSerializer[Project]):
    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Project
        fields = ("id", "ref", "slug", "name", "summary", "status", "tier", "created_by",
                  "created_at")  # fmt: skip
        read_only_fields = ("id", "ref", "status", "created_by", "created_at")


class StakeholderSerializer(serializers.ModelSerializer[Stakeholder]):
    user = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Stakeholder
        fields = ("id", "project", "user", "role", "valid_from", "valid_to", "reporting_line")


class NewStakeholderSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    user = serializers.CharField(help_text="User name.")
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    valid_from = serializers.DateField(required=False)
    valid_to = serializers.DateField(required=False, allow_null=True)
    reporting_line = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Department."
    )


class EndOfRoleSerializer(serializers.Serializer[Any]):
    on = serializers.DateField(help_text="Last day on which the role counts.")


class ScopingDocumentSerializer(serializers.ModelSerializer[ScopingDocument]):
    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    submitted_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = ScopingDocument
        fields: tuple[str, ...] = (
            "id", "ref", "project", "version", "parent", "status", "title", "summary",
            "content_hash", "created_by", "created_at", "submitted_by", "submitted_at",
            "decided_at",
        )  # fmt: skip


class ScopingDocumentDetailSerializer(ScopingDocumentSerializer):
    content = serializers.SerializerMethodField()

    class Meta(ScopingDocumentSerializer.Meta):
        fields = (*ScopingDocumentSerializer.Meta.fields, "content")

    @extend_schema_field({"type": "object"})
    def get_content(self, document: ScopingDocument) -> dict[str, Any]:
        """Return what was submitted, or what the draft says now."""
        return document.snapshot or scoping.content_of(document)


class NewScopeSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    content = serializers.DictField(
        help_text="Fields by name, and lists: objectives, criteria, baselines, prior_art, "
        "approaches, data_sources, feature_notes, estimates, risks. Owners by user name."
    )


class ScopeContentSerializer(serializers.Serializer[Any]):
    content = serializers.DictField()
