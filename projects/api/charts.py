"""Charts and sprint reports as REST answers them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.models import Project, Sprint
from projects.rules.charts.base import Chart
from projects.services.charts import ProjectCharts, sprint_charts
from projects.services.sprint_report import report_of


class ChartSerializer(serializers.Serializer[Chart]):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(help_text="What the chart says, in a sentence.")
    advice = serializers.CharField(help_text="What to do to get the chart, if it has no rows.")
    columns = serializers.ListField(child=serializers.CharField())
    table = serializers.ListField(
        child=serializers.DictField(), help_text="One object per point of the picture."
    )
    marks = serializers.DictField(help_text="Lines across the picture, such as a target.")
    digest = serializers.CharField(help_text="SHA-256; it changes with any of the numbers.")


class SprintReportSerializer(serializers.Serializer[dict[str, Any]]):
    sprint = serializers.DictField()
    project = serializers.DictField()
    is_final = serializers.BooleanField(help_text="Whether it is told from the frozen snapshot.")
    snapshot = serializers.DictField(allow_null=True)
    people = serializers.ListField(child=serializers.DictField())
    unit = serializers.ChoiceField(choices=["points", "hours", "count"])
    totals = serializers.DictField(child=serializers.DictField())
    work = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()),
        help_text="Items by fate: commitment, added, done, carried_over, cancelled, removed.",
    )
    hypotheses = serializers.ListField(child=serializers.DictField())
    experiments = serializers.ListField(child=serializers.DictField())
    spikes = serializers.ListField(child=serializers.DictField())
    runs = serializers.DictField()
    kill_criteria = serializers.ListField(child=serializers.DictField())
    planning = serializers.ListField(child=serializers.DictField())
    reviews = serializers.ListField(child=serializers.DictField())
    retrospectives = serializers.ListField(child=serializers.DictField())
    decisions = serializers.ListField(child=serializers.DictField())
    gates = serializers.ListField(child=serializers.DictField())
    next = serializers.DictField()


class ProjectChartsMixin:
    """The charts of a project as an action of its resource."""

    @extend_schema(responses=ChartSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, url_name="charts")
    def charts(self: Any, request: Request, pk: str) -> Response:
        """List the project's charts with their numbers."""
        project: Project = self.get_object()
        return Response([ChartSerializer(one).data for one in ProjectCharts(project).all()])


class SprintChartsMixin:
    """The charts and the report of a sprint as actions of its resource."""

    @extend_schema(responses=ChartSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, url_name="charts")
    def charts(self: Any, request: Request, pk: str) -> Response:
        """List the sprint's charts with their numbers, in every unit."""
        sprint: Sprint = self.get_object()
        return Response([ChartSerializer(one).data for one in sprint_charts(sprint)])

    @extend_schema(responses=SprintReportSerializer)
    @action(detail=True)
    def report(self: Any, request: Request, pk: str) -> Response:
        """Tell what came of the sprint: provisional while it runs, then from its snapshot."""
        sprint: Sprint = self.get_object()
        return Response(SprintReportSerializer(report_of(sprint)).data)
