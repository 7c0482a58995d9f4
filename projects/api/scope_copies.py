"""Templates of scopes, and drafts that begin from one or from another scope."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.base import actor_of
from projects.api.serializers import ScopingDocumentDetailSerializer
from projects.errors import NotFound
from projects.models import Project, ScopingDocument
from projects.services import scope_copies


class TargetSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField(help_text="Project whose next version begins here.")


class ScopeTemplateSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()


class ScopeTemplateDetailSerializer(ScopeTemplateSerializer):
    content = serializers.DictField(help_text="What stands in [brackets] is to be replaced.")


class CopyMixin:
    """The copy of a scoping document as an action of its resource."""

    @extend_schema(request=TargetSerializer, responses={201: ScopingDocumentDetailSerializer})
    @action(detail=True, methods=["post"])
    def copy(self: Any, request: Request, pk: str) -> Response:
        """Begin a draft of a project from this document, of the same or of another project."""
        source: ScopingDocument = self.get_object()
        project = _target(request)
        draft = scope_copies.start_from(project, source, actor=self.actor)
        return self.answer(draft, 201)  # type: ignore[no-any-return]


class ScopeTemplateViewSet(viewsets.ViewSet):
    lookup_field = "key"
    lookup_value_regex = "[a-z0-9-]+"

    @extend_schema(responses=ScopeTemplateSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the templates that a draft may begin from."""
        actor_of(request)
        return Response(ScopeTemplateSerializer(scope_copies.templates(), many=True).data)

    @extend_schema(responses=ScopeTemplateDetailSerializer)
    def retrieve(self, request: Request, key: str) -> Response:
        """Show one template with its content."""
        actor_of(request)
        return Response(ScopeTemplateDetailSerializer(scope_copies.template_named(key)).data)

    @extend_schema(request=TargetSerializer, responses={201: ScopingDocumentDetailSerializer})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, key: str) -> Response:
        """Begin a draft of a project from this template."""
        actor, project = actor_of(request), _target(request)
        template = scope_copies.template_named(key)
        draft = scope_copies.start_from_template(project, template, actor=actor)
        return Response(ScopingDocumentDetailSerializer(draft).data, status=201)


def _target(request: Request) -> Project:
    body = TargetSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    wanted = body.validated_data["project"]
    project = Project.objects.visible_to(actor_of(request)).filter(pk=wanted).first()
    if project is None:
        raise NotFound("There is no such project, or it is not yours to see.")
    return project
