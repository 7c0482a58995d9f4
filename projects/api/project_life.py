"""Pausing, resuming and closing a project as REST actions."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.serializers import ProjectSerializer
from projects.services import project_life


class ProjectLifeMixin:
    """The commands on a project's life, as actions of its resource."""

    @extend_schema(request=None, responses=ProjectSerializer)
    @action(detail=True, methods=["post"])
    def pause(self: Any, request: Request, pk: str) -> Response:
        """Let a project rest."""
        project = project_life.pause_project(self.get_object(), actor=self.actor)
        return Response(self.get_serializer(project).data)

    @extend_schema(request=None, responses=ProjectSerializer)
    @action(detail=True, methods=["post"])
    def resume(self: Any, request: Request, pk: str) -> Response:
        """Go on with a paused project."""
        project = project_life.resume_project(self.get_object(), actor=self.actor)
        return Response(self.get_serializer(project).data)

    @extend_schema(request=None, responses=ProjectSerializer)
    @action(detail=True, methods=["post"])
    def close(self: Any, request: Request, pk: str) -> Response:
        """End a project whose sprints have ended."""
        project = project_life.close_project(self.get_object(), actor=self.actor)
        return Response(self.get_serializer(project).data)
