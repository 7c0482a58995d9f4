"""REST of the boards: limits on work in progress, the order of the work, runs of an item."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.base import GovernedViewSet
from projects.errors import InvalidInput
from projects.models import Project, WipLimit, WorkItem
from projects.rules.wip import LIMITED_COLUMNS, MOST, Wip
from projects.services import item_runs, ranking, wip_limits
from projects.services.item_runs import ItemRuns, JudgedRun
from projects.services.wip_limits import NewLimit


class RankSerializer(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, help_text="Work item to stand before.")
    after = serializers.IntegerField(required=False, help_text="Work item to stand after.")


class RankedSerializer(serializers.Serializer[WorkItem]):
    id = serializers.IntegerField(source="pk")
    ref = serializers.CharField()
    rank = serializers.FloatField()


class RunIdSerializer(serializers.Serializer[Any]):
    run = serializers.CharField(max_length=64, help_text="Run id, as MLflow's page shows it.")


class RunResultSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    metric_key = serializers.CharField()
    state = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    limit = serializers.FloatField(allow_null=True)
    sentence = serializers.CharField()


class JudgedRunSerializer(serializers.Serializer[JudgedRun]):
    run_id = serializers.CharField(source="run.run_id")
    name = serializers.CharField(source="run.name")
    status = serializers.CharField(source="run.status")
    metrics = serializers.DictField(source="run.metrics", child=serializers.FloatField())
    is_eligible = serializers.BooleanField(source="run.is_eligible")
    url = serializers.CharField(source="run.url")
    results = RunResultSerializer(many=True)


class ItemRunsSerializer(serializers.Serializer[ItemRuns]):
    is_live = serializers.BooleanField()
    runs = JudgedRunSerializer(many=True)


class WipLimitSerializer(serializers.Serializer[Any]):
    most = serializers.IntegerField(min_value=1, max_value=MOST)
    mode = serializers.ChoiceField(choices=WipLimit.Mode.choices, default=WipLimit.Mode.WARN)


class WipSerializer(serializers.Serializer[Wip]):
    column = serializers.CharField()
    held = serializers.IntegerField(help_text="Items in all active sprints of the project.")
    most = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(choices=WipLimit.Mode.choices)


class WipLimitsSerializer(serializers.Serializer[Any]):
    limits = serializers.DictField(
        child=WipLimitSerializer(), help_text="By column; a column that is left out has none."
    )


class WorkItemBoardActions(GovernedViewSet):
    """What boards and backlog do with one item."""

    @extend_schema(request=RankSerializer, responses=RankedSerializer)
    @action(detail=True, methods=["post"])
    def rank(self, request: Request, pk: str) -> Response:
        """Put an item right before or right after another one."""
        item = self.get_object()
        body = RankSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sides = {name: self._seen(number, name) for name, number in body.validated_data.items()}
        ranking.rank_work_item(item, actor=self.actor, **sides)
        return Response(RankedSerializer(item).data)

    @extend_schema(responses=ItemRunsSerializer)
    @action(detail=True)
    def runs(self, request: Request, pk: str) -> Response:
        """Show an item's runs against the criteria of the approved scope."""
        return Response(ItemRunsSerializer(item_runs.runs_of_item(self.get_object())).data)

    @extend_schema(request=RunIdSerializer, responses=ItemRunsSerializer)
    @action(detail=True, methods=["post"], url_path="link-run")
    def link_run(self, request: Request, pk: str) -> Response:
        """Tie one of the project's runs to the item."""
        item = self.get_object()
        item_runs.link_known_run(item, self._run_of(request), actor=self.actor)
        return Response(ItemRunsSerializer(item_runs.runs_of_item(item)).data)

    @extend_schema(request=RunIdSerializer, responses=ItemRunsSerializer)
    @action(detail=True, methods=["post"], url_path="unlink-run")
    def unlink_run(self, request: Request, pk: str) -> Response:
        """Take a run off the item."""
        item = self.get_object()
        item_runs.unlink_known_run(item, self._run_of(request), actor=self.actor)
        return Response(ItemRunsSerializer(item_runs.runs_of_item(item)).data)

    def _seen(self, number: int, field: str) -> WorkItem:
        found = WorkItem.objects.all().visible_to(self.actor).filter(pk=number).first()
        if found is None:
            raise InvalidInput(
                f"There is no work item {number} that you can see.",
                code="unknown_reference",
                details={"field": field},
            )
        return found

    @staticmethod
    def _run_of(request: Request) -> str:
        body = RunIdSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["run"])


class ProjectBoardActions(GovernedViewSet):
    """The limits of a project's boards."""

    @extend_schema(responses=WipSerializer(many=True))
    @action(detail=True, url_path="wip-limits")
    def wip_limits(self, request: Request, pk: str) -> Response:
        """Show what each column holds over all active sprints, and what it may hold."""
        return self._held(self.get_object())

    @extend_schema(request=WipLimitsSerializer, responses=WipSerializer(many=True))
    @wip_limits.mapping.put
    def set_wip_limits(self, request: Request, pk: str) -> Response:
        """Replace the limits."""
        project = self.get_object()
        body = WipLimitsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {name: NewLimit(**one) for name, one in body.validated_data["limits"].items()}
        wip_limits.set_wip_limits(project, wanted, actor=self.actor)
        return self._held(project)

    @staticmethod
    def _held(project: Project) -> Response:
        held = wip_limits.wip_of(project)
        rows: Any = [held[column] for column in LIMITED_COLUMNS]
        return Response(WipSerializer(rows, many=True).data)
