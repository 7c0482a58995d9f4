"""What differs between versions of a scope, and editorial edits, over REST."""

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects import facts
from projects.api.deviations import DeviationSerializer
from projects.api.serializers import ScopingDocumentDetailSerializer, ScopingDocumentSerializer
from projects.errors import InvalidInput
from projects.rules.changes import Difference
from projects.services import scope_changes


class PieceSerializer(serializers.Serializer[Any]):
    change = serializers.ChoiceField(choices=["same", "added", "removed"])
    text = serializers.CharField(trim_whitespace=False)


class FieldDifferenceSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    pieces = PieceSerializer(many=True, help_text="Word by word, where both sides are texts.")
    is_editorial = serializers.BooleanField()
    verdict = serializers.CharField(help_text="Of criteria: tightened, loosened or neutral.")


class RiskScoreSerializer(serializers.Serializer[Any]):
    score = serializers.IntegerField(allow_null=True)
    band = serializers.CharField()


class RowDifferenceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    change = serializers.ChoiceField(choices=["added", "removed", "changed"])
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    fields = FieldDifferenceSerializer(many=True)  # type: ignore[assignment]
    verdict = serializers.CharField(help_text="Of criteria: tightened, loosened or neutral.")
    score_before = RiskScoreSerializer(allow_null=True, help_text="Of risks.")
    score_after = RiskScoreSerializer(allow_null=True, help_text="Of risks.")


class ListDifferenceSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    rows = RowDifferenceSerializer(many=True)


class DifferenceSerializer(serializers.Serializer[Difference]):
    fields = FieldDifferenceSerializer(many=True)  # type: ignore[assignment]
    lists = ListDifferenceSerializer(many=True)
    material = serializers.SerializerMethodField(help_text="Fields whose change must be signed.")
    loosened = serializers.ListField(child=serializers.CharField())

    def get_material(self, found: Difference) -> list[str]:
        return sorted(found.material)


class SurvivalSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    person = serializers.CharField(help_text="Who signed the approved version in this role.")
    survives = serializers.BooleanField()
    reason = serializers.CharField()


class ScopeChangesSerializer(serializers.Serializer[Any]):
    document = ScopingDocumentSerializer()
    against = ScopingDocumentSerializer(allow_null=True)
    difference = DifferenceSerializer(allow_null=True)
    edited_since_submission = DifferenceSerializer(allow_null=True)
    sign_offs = SurvivalSerializer(many=True)
    deviations = DeviationSerializer(many=True)
    signed_hash = serializers.CharField(help_text="What a sign-off of the document binds.")


class EditorialSerializer(serializers.Serializer[Any]):
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(allow_blank=True), help_text="title, summary, parked_ideas"
    )


AGAINST = OpenApiParameter(
    "against", OpenApiTypes.INT, description="Version to compare with; the parent unless given."
)


class ScopeChangesMixin:
    """A document beside another version of it, and its editorial edits."""

    @extend_schema(parameters=[AGAINST], responses=ScopeChangesSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def changes(self: Any, request: Request, pk: str) -> Response:
        """Say what differs from another version, and which sign-offs survive it."""
        document = self.get_object()
        wanted = request.query_params.get("against")
        if wanted is not None and not wanted.isdecimal():
            raise InvalidInput(
                "`against` is the number of a version.",
                code="invalid_version",
                details={"errors": [{"field": "against", "message": "This must be a number."}]},
            )
        against = scope_changes.compared_with(document, None if wanted is None else int(wanted))
        answer = {
            "document": document,
            "against": against,
            "difference": against and scope_changes.changes_between(against, document),
            "edited_since_submission": scope_changes.changes_since_approval(document),
            "sign_offs": facts.survivals_of(document),
            "deviations": document.deviations.select_related("decided_by", "proposed_by", "scope"),
            "signed_hash": scope_changes.signed_hash(document),
        }
        return Response(ScopeChangesSerializer(answer).data)

    @extend_schema(request=EditorialSerializer, responses=ScopingDocumentDetailSerializer)
    @action(detail=True, methods=["post"], url_path="edit-editorially")
    def edit_editorially(self: Any, request: Request, pk: str) -> Response:
        """Change the title, the summary or the parked ideas of the approved scope."""
        document = self.get_object()
        fields = self.read(EditorialSerializer)["fields"]
        edited = scope_changes.edit_editorially(document, fields, actor=self.actor)
        return cast("Response", self.answer(edited))
