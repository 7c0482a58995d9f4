"""Criteria as MLflow's `MetricThreshold` arguments over REST."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.serializers import ScopingDocumentDetailSerializer
from projects.models import Criterion
from projects.services import metric_thresholds
from projects.services.metric_thresholds import ThresholdImport


class NotExpressedSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Key of the criterion.")
    reason = serializers.CharField()
    is_left_out = serializers.BooleanField(help_text="Whether it is not exported at all.")


class MetricThresholdsSerializer(serializers.Serializer[Any]):
    thresholds = serializers.DictField(
        help_text="By metric, the keyword arguments of mlflow.models.MetricThreshold."
    )
    baseline = serializers.CharField(help_text="Whose result is MLflow's baseline, if any.")
    not_expressed = NotExpressedSerializer(many=True)


class NewMetricThresholdsSerializer(serializers.Serializer[Any]):
    thresholds = serializers.DictField(
        help_text="By metric: threshold, min_absolute_change, min_relative_change and "
        "greater_is_better, as mlflow.models.MetricThreshold takes them."
    )
    baseline = serializers.CharField(
        required=False, allow_blank=True, help_text="Name of the baseline, or champion."
    )
    level = serializers.ChoiceField(
        choices=[level for level in Criterion.Level.choices if level[0] != "kill"],
        required=False,
        help_text="Of new criteria; must unless given.",
    )
    gates = serializers.ListField(child=serializers.CharField(), required=False)


class MetricThresholdsMixin:
    """The thresholds of a document, out and in."""

    @extend_schema(responses=MetricThresholdsSerializer, filters=False)
    @action(detail=True, url_path="metric-thresholds", pagination_class=None)
    def metric_thresholds(self: Any, request: Request, pk: str) -> Response:
        """Return the criteria as MLflow can judge them, and what it cannot say by name."""
        exported = metric_thresholds.thresholds_of(self.get_object())
        return Response(MetricThresholdsSerializer(exported).data)

    @extend_schema(request=NewMetricThresholdsSerializer, responses=ScopingDocumentDetailSerializer)
    @metric_thresholds.mapping.post
    def import_metric_thresholds(self: Any, request: Request, pk: str) -> Response:
        """Write thresholds into the criteria of a draft."""
        document = self.get_object()
        given = ThresholdImport(**self.read(NewMetricThresholdsSerializer))
        draft = metric_thresholds.import_thresholds(document, given, actor=self.actor)
        return cast("Response", self.answer(draft))
