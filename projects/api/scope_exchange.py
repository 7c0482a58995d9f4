"""REST of import and export of scoping documents."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.base import GovernedViewSet
from projects.api.exchange import YES, ImportedSerializer
from projects.models import Project, ScopingDocument
from projects.rules.scope_files import PARTS, WHOLE
from projects.rules.text_files import MOST_BYTES
from projects.services import scope_exchange
from projects.services.scope_exchange import Target
from projects.web import as_file


class ScopeImportSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    document = serializers.IntegerField(
        required=False, help_text="Open draft to write into; a new version without it."
    )
    part = serializers.ChoiceField(choices=PARTS, default=WHOLE)
    file = serializers.FileField(help_text="JSON of a whole document, or CSV of one part.")


class ImportedScopeSerializer(ImportedSerializer):
    document = serializers.IntegerField(allow_null=True)


class ScopeExchangeActions(GovernedViewSet):
    """Scoping documents in and out of files."""

    @extend_schema(
        request={"multipart/form-data": ScopeImportSerializer},
        responses=ImportedScopeSerializer,
        parameters=[OpenApiParameter("dry_run", bool, description="Show each row's fate only.")],
    )
    @action(detail=False, methods=["post"], url_path="import")
    def import_file(self, request: Request) -> Response:
        """Import a file, or with `dry_run=1` say what would become of each field and row."""
        body = ScopeImportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        project = get_object_or_404(Project.objects.visible_to(self.actor), pk=given["project"])
        target = Target(project, self._draft(project, given.get("document")), given["part"])
        data = given["file"].read(MOST_BYTES + 1)
        if request.query_params.get("dry_run", "").lower() in YES:
            found: Any = scope_exchange.dry_run(target, data, actor=self.actor)
            written = None
        else:
            found, draft = scope_exchange.import_scope(target, data, actor=self.actor)
            written = draft.pk
        answer = {**ImportedSerializer(found).data, "document": written}
        return Response(answer)

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/json"): dict},
        parameters=[OpenApiParameter("part", str, enum=list(PARTS), default=WHOLE)],
    )
    @action(detail=True)
    def export(self, request: Request, pk: str) -> HttpResponse:
        """Return the document as JSON, or one part of it as CSV."""
        file = scope_exchange.export_scope(
            self.get_object(), request.query_params.get("part", WHOLE)
        )
        return as_file(file.text, file.name, file.media_type)

    def _draft(self, project: Project, number: int | None) -> ScopingDocument | None:
        if number is None:
            return None
        return get_object_or_404(project.scoping_documents, pk=number)
