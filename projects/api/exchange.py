"""REST of import and export of work items."""

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
from projects.errors import InvalidInput
from projects.models import Project
from projects.rules.fates import FATES, Fate, Import
from projects.rules.text_files import MOST_BYTES
from projects.services import exchange
from projects.web import as_file

YES = ("1", "true", "yes")


class ImportSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    file = serializers.FileField(help_text="CSV or JSON as exported here, or Jira's CSV.")
    skip_refused = serializers.BooleanField(default=False)


class FateSerializer(serializers.Serializer[Fate]):
    number = serializers.IntegerField(help_text="Line of the file, or place in the JSON list.")
    key = serializers.CharField()
    title = serializers.CharField()
    fate = serializers.ChoiceField(choices=FATES)
    # DRF takes declared fields off the class, so its own `errors` is not touched.
    errors = serializers.DictField()  # type: ignore[assignment]
    changes = serializers.ListField(child=serializers.CharField())


class ImportedSerializer(serializers.Serializer[Import]):
    is_done = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    shape = serializers.CharField()
    digest = serializers.CharField()
    unknown_columns = serializers.ListField(child=serializers.CharField())
    fates = FateSerializer(many=True)


class ExchangeActions(GovernedViewSet):
    """Work items in and out of files."""

    @extend_schema(
        request={"multipart/form-data": ImportSerializer},
        responses=ImportedSerializer,
        parameters=[OpenApiParameter("dry_run", bool, description="Show each row's fate only.")],
    )
    @action(detail=False, methods=["post"], url_path="import")
    def import_file(self, request: Request) -> Response:
        """Import a file, or with `dry_run=1` say what would become of each row."""
        body = ImportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        visible = Project.objects.visible_to(self.actor)
        project = get_object_or_404(visible, pk=given["project"])
        data = given["file"].read(MOST_BYTES + 1)
        if request.query_params.get("dry_run", "").lower() in YES:
            found = exchange.dry_run(project, data, actor=self.actor)
        else:
            found = exchange.import_work_items(
                project, data, actor=self.actor, skip_refused=given["skip_refused"]
            )
        return Response(ImportedSerializer(found).data)

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/json"): dict},
        parameters=[
            OpenApiParameter("project", int, required=True),
            OpenApiParameter("as", str, enum=["csv", "json"], default="csv"),
        ],
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> HttpResponse:
        """Return a project's items as a file."""
        number = request.query_params.get("project", "")
        if not number.isdecimal():
            raise InvalidInput("Name the project by its number.", code="project_missing")
        project = get_object_or_404(Project.objects.visible_to(self.actor), pk=int(number[:15]))
        form = request.query_params.get("as", "csv")
        text = exchange.export_work_items(project, form)
        return as_file(text, f"{project.slug}-backlog.{form}", exchange.MEDIA_TYPES[form])
