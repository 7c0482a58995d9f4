"""Deviations over REST: read, explain, decide."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.base import GovernedViewSet
from projects.models import Deviation
from projects.services import deviations


class DeviationSerializer(serializers.ModelSerializer[Deviation]):
    project = serializers.IntegerField(source="scope.project_id", read_only=True)
    proposed_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Deviation
        fields = ("id", "ref", "project", "scope", "criterion_key", "before", "after", "reason",
                  "is_result_seen", "status", "proposed_by", "proposed_at", "decided_by",
                  "decided_at", "decision_note")  # fmt: skip


class ExplanationSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    is_result_seen = serializers.BooleanField(
        help_text="Had a result been seen? What the record shows cannot be denied."
    )


class DeviationDecisionSerializer(serializers.Serializer[Any]):
    is_accepted = serializers.BooleanField()
    note = serializers.CharField(required=False, allow_blank=True)


class DeviationViewSet(GovernedViewSet):
    queryset = Deviation.objects.select_related("scope__project", "proposed_by", "decided_by")
    serializer_class = DeviationSerializer
    filterset_fields = ("scope", "scope__project", "status", "criterion_key")
    ordering_fields = ("proposed_at",)

    @extend_schema(request=ExplanationSerializer, responses=DeviationSerializer)
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: str) -> Response:
        """Say why a criterion was loosened, and whether a result had been seen."""
        deviation = self.get_object()
        body = self._read(ExplanationSerializer)
        row = deviations.explain_deviation(deviation, actor=self.actor, **body)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=DeviationDecisionSerializer, responses=DeviationSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Accept or refuse a loosened criterion; a token may not."""
        deviation = self.get_object()
        body = self._read(DeviationDecisionSerializer)
        row = deviations.decide_deviation(deviation, actor=self.actor, **body)
        return Response(self.get_serializer(row).data)

    def _read(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)
