"""Work items over REST; every change is one command."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from projects.api import work_item_serializers as serializers
from projects.api.board import WorkItemBoardActions
from projects.api.exchange import ExchangeActions
from projects.api.views import CommandViewSet, user_named
from projects.api.work_item_talk import TalkActions
from projects.errors import InvalidInput
from projects.models import Sprint, WorkItem
from projects.services import dependencies, time_boxes, work_items
from projects.services.work_item_editing import edit_work_item
from projects.services.work_items import NewWorkItem

DETAIL = serializers.WorkItemDetailSerializer


class WorkItemViewSet(ExchangeActions, WorkItemBoardActions, TalkActions, CommandViewSet):
    queryset = WorkItem.objects.select_related("project", "assignee", "created_by")
    serializer_class = DETAIL
    filterset_fields = ("project", "project__slug", "sprint", "status", "kind", "outcome", "parent")
    ordering_fields = ("rank", "created_at")
    #: Fields of the body that name another row, with where it is looked up.
    named_rows: ClassVar[dict[str, Any]] = {"sprint": Sprint, "parent": WorkItem}

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        # What is read ahead would be old after a command.
        return rows.prefetch_related("depends_on") if self.action == "list" else rows

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        if self.action == "list":
            return serializers.WorkItemSerializer
        return super().get_serializer_class()

    @extend_schema(request=serializers.NewWorkItemSerializer, responses={201: DETAIL})
    def create(self, request: Request) -> Response:
        """Add an item to the backlog or to a sprint."""
        body = self.read(serializers.NewWorkItemSerializer)
        project = self.project(body.pop("project"))
        new = NewWorkItem(**self._named(body))
        return self.answer(work_items.add_work_item(project, new, actor=self.actor), 201)

    @extend_schema(request=serializers.ChangeWorkItemSerializer, responses=DETAIL)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what the item says; status, sprint and outcome have commands of their own."""
        item = self.get_object()
        body = self.read(serializers.ChangeWorkItemSerializer)
        unknown = set(request.data) - set(serializers.ChangeWorkItemSerializer().fields)
        if unknown:
            raise InvalidInput(
                f"These fields cannot be edited: {', '.join(sorted(unknown))}.",
                code="invalid_work_item",
                details={"errors": {name: ["This cannot be edited."] for name in unknown}},
            )
        version = body.pop("version", None)
        row = edit_work_item(item, self._named(body), actor=self.actor, version=version)
        return self.answer(row)

    @extend_schema(request=serializers.MoveSerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move an item to another column."""
        item = self.get_object()
        to = self.read(serializers.MoveSerializer)["to"]
        return self.answer(work_items.move_work_item(item, to, actor=self.actor))

    @extend_schema(request=serializers.ScheduleSerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str) -> Response:
        """Take an item into a sprint."""
        item = self.get_object()
        number = self.read(serializers.ScheduleSerializer)["sprint"]
        sprint = cast("Sprint", self.related(Sprint.objects.all(), number, "sprint"))
        return self.answer(work_items.schedule_work_item(item, sprint, actor=self.actor))

    @extend_schema(request=serializers.ConclusionSerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def conclude(self, request: Request, pk: str) -> Response:
        """Finish an item whose kind ends with an outcome."""
        item = self.get_object()
        body = self.read(serializers.ConclusionSerializer)
        return self.answer(work_items.conclude_work_item(item, actor=self.actor, **body))

    @extend_schema(request=serializers.StopItemSerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """Stop at the end of the time box, and say what was found."""
        item = self.get_object()
        body = self.read(serializers.StopItemSerializer)
        return self.answer(time_boxes.stop_at_time_box(item, actor=self.actor, **body))

    @extend_schema(request=serializers.ExtensionSerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """Extend the time box, once."""
        item = self.get_object()
        body = self.read(serializers.ExtensionSerializer)
        return self.answer(time_boxes.extend_time_box(item, actor=self.actor, **body))

    @extend_schema(request=serializers.DependencySerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def depend(self, request: Request, pk: str) -> Response:
        """Let the item wait for another."""
        item, needed = self._with_needed()
        return self.answer(dependencies.add_dependency(item, needed, actor=self.actor))

    @extend_schema(request=serializers.DependencySerializer, responses=DETAIL)
    @action(detail=True, methods=["post"])
    def undepend(self, request: Request, pk: str) -> Response:
        """Let the item no longer wait for another."""
        item, needed = self._with_needed()
        return self.answer(dependencies.remove_dependency(item, needed, actor=self.actor))

    def _with_needed(self) -> tuple[WorkItem, WorkItem]:
        item = self.get_object()
        number = self.read(serializers.DependencySerializer)["on"]
        return item, cast("WorkItem", self.related(WorkItem.objects.all(), number, "on"))

    def _named(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put rows in the place of the numbers and the name that the body gives."""
        for field, model in self.named_rows.items():
            if field in body:
                body[field] = self.related(model.objects.all(), body[field], field)
        if "assignee" in body:
            body["assignee"] = user_named(body["assignee"]) if body["assignee"] else None
        return body
