"""REST resources of projects; every change is one command."""

from typing import Any, TypeVar, cast

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from projects.api import serializers
from projects.api.base import GovernedViewSet
from projects.api.board import ProjectBoardActions
from projects.api.charts import ProjectChartsMixin, SprintChartsMixin
from projects.api.matrix import DecisionMatrixMixin
from projects.api.metric_thresholds import MetricThresholdsMixin
from projects.api.project_life import ProjectLifeMixin
from projects.api.readiness import ReadinessMixin
from projects.api.scope_changes import ScopeChangesMixin
from projects.api.scope_copies import CopyMixin
from projects.api.scope_exchange import ScopeExchangeActions
from projects.api.sprints import NewSprintSerializer, SprintActions, SprintSerializer
from projects.api.tiers import TierMixin
from projects.errors import InvalidInput
from projects.models import Project, ScopingDocument, Sprint, Stakeholder
from projects.services import projects, scoping, sprints
from projects.services.sprints import SprintPlan

Row = TypeVar("Row", bound=Model)


class CommandViewSet(GovernedViewSet):
    """Reading, and the helpers by which a command is read and answered."""

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the request's body, checked."""
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def answer(self, row: Model, status: int = 200) -> Response:
        """Return the row as its detail shows it."""
        return Response(self.get_serializer(row).data, status=status)

    def project(self, number: int) -> Project:
        """Return a project that the caller may see, or 404."""
        return get_object_or_404(Project.objects.visible_to(self.actor), pk=number)

    def related(self, rows: "QuerySet[Row]", number: int | None, field: str) -> Row | None:
        """Return the visible row that a field of the body names."""
        if number is None:
            return None
        found = cast("Any", rows).visible_to(self.actor).filter(pk=number).first()
        if found is None:
            raise InvalidInput(
                f"There is no {field} {number} that you can see.",
                code="unknown_reference",
                details={"field": field},
            )
        return cast("Row", found)


def user_named(name: str) -> Any:
    """Return the active user of that name, or refuse."""
    user = get_user_model()._default_manager.filter(username=name, is_active=True).first()
    if user is None:
        raise InvalidInput(f"There is no active user named {name!r}.", code="unknown_user")
    return user


class ProjectViewSet(
    ProjectLifeMixin, TierMixin, ProjectBoardActions, ProjectChartsMixin, CommandViewSet
):
    queryset = Project.objects.select_related("created_by")
    serializer_class = serializers.ProjectSerializer
    filterset_fields = ("slug", "status", "tier")
    ordering_fields = ("name", "created_at")

    @extend_schema(responses={201: serializers.ProjectSerializer})
    def create(self, request: Request) -> Response:
        """Create a project and become its lead."""
        body = self.read(serializers.ProjectSerializer)
        return self.answer(projects.create_project(actor=self.actor, **body), 201)


class StakeholderViewSet(CommandViewSet):
    queryset = Stakeholder.objects.select_related("user", "project")
    serializer_class = serializers.StakeholderSerializer
    filterset_fields = ("project", "project__slug", "role", "user__username")
    ordering_fields = ("valid_from",)

    @extend_schema(
        request=serializers.NewStakeholderSerializer,
        responses={201: serializers.StakeholderSerializer},
    )
    def create(self, request: Request) -> Response:
        """Give a person a role."""
        body = self.read(serializers.NewStakeholderSerializer)
        project = self.project(body.pop("project"))
        user = user_named(body.pop("user"))
        role = body.pop("role")
        terms = projects.RoleTerms(**body)
        row = projects.assign_role(project, actor=self.actor, user=user, role=role, terms=terms)
        return self.answer(row, 201)

    @extend_schema(
        request=serializers.EndOfRoleSerializer, responses=serializers.StakeholderSerializer
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End a role on a day."""
        row = self.get_object()
        body = self.read(serializers.EndOfRoleSerializer)
        return self.answer(projects.end_role(row, actor=self.actor, **body))


class ScopingDocumentViewSet(
    CopyMixin,
    ReadinessMixin,
    DecisionMatrixMixin,
    ScopeChangesMixin,
    MetricThresholdsMixin,
    ScopeExchangeActions,
    CommandViewSet,
):
    queryset = ScopingDocument.objects.select_related("project", "created_by", "submitted_by")
    serializer_class = serializers.ScopingDocumentDetailSerializer
    filterset_fields = ("project", "project__slug", "status", "version")
    ordering_fields = ("version", "created_at")

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        if self.action == "list":
            return serializers.ScopingDocumentSerializer
        return super().get_serializer_class()

    @extend_schema(
        request=serializers.NewScopeSerializer,
        responses={201: serializers.ScopingDocumentDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """Write the project's next version as a draft."""
        body = self.read(serializers.NewScopeSerializer)
        project = self.project(body["project"])
        draft = scoping.write_draft(project, actor=self.actor, content=body["content"])
        return self.answer(draft, 201)

    @extend_schema(
        request=serializers.ScopeContentSerializer,
        responses=serializers.ScopingDocumentDetailSerializer,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Replace a draft's content."""
        document = self.get_object()
        content = self.read(serializers.ScopeContentSerializer)["content"]
        draft = scoping.write_draft(
            document.project, actor=self.actor, content=content, document=document
        )
        return self.answer(draft)

    @extend_schema(request=None, responses=serializers.ScopingDocumentDetailSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str) -> Response:
        """Submit a draft for review."""
        document = self.get_object()
        return self.answer(scoping.submit_scoping_document(document, actor=self.actor))

    @extend_schema(request=None, responses=serializers.ScopingDocumentDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a document back."""
        document = self.get_object()
        return self.answer(scoping.withdraw_scoping_document(document, actor=self.actor))


class SprintViewSet(SprintActions, SprintChartsMixin, CommandViewSet):
    queryset = Sprint.objects.select_related("project", "created_by", "scope")
    serializer_class = SprintSerializer
    filterset_fields = ("project", "project__slug", "status", "kind")
    ordering_fields = ("starts_on", "ends_on")

    @extend_schema(request=NewSprintSerializer, responses={201: SprintSerializer})
    def create(self, request: Request) -> Response:
        """Plan a sprint."""
        body = self.read(NewSprintSerializer)
        project = self.project(body.pop("project"))
        return self.answer(sprints.plan_sprint(project, SprintPlan(**body), actor=self.actor), 201)
