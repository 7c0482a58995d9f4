"""The decision matrix of a scoping document as REST answers it."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.models import ScopingDocument
from projects.rules.decision_matrix import Ranking, Verdict
from projects.rules.decision_words import sentences_of
from projects.services.matrix import matrix_of


class FractionField(serializers.FloatField):
    """An exact fraction, written as the nearest number."""

    def to_representation(self, value: Any) -> Any:
        return round(float(value), 6)


class MatrixProblemSerializer(serializers.Serializer[Any]):
    row = serializers.CharField(help_text="List of the document in which to mend it.")
    sentence = serializers.CharField()


class MatrixScoreSerializer(serializers.Serializer[Any]):
    approach = serializers.CharField()
    criterion = serializers.CharField()
    score = serializers.IntegerField()
    evidence = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField()
    approach = serializers.CharField()
    total = FractionField()


class RankingSerializer(serializers.Serializer[Ranking]):
    role = serializers.CharField()
    winners = serializers.ListField(child=serializers.CharField())
    standings = StandingSerializer(many=True)


class FlipSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    criterion = serializers.CharField()
    weight = serializers.IntegerField(help_text="The weight the role gives it now.")
    at = FractionField(help_text="The weight past which the newcomer wins.")
    rises = serializers.BooleanField(help_text="Whether the newcomer wins above it, or below.")
    winner = serializers.CharField()
    newcomer = serializers.CharField()


class BandSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    criterion = serializers.CharField()
    weight = serializers.IntegerField()
    low = FractionField()
    high = FractionField()


class DecisionMatrixSerializer(serializers.Serializer[Verdict]):
    approaches = serializers.ListField(child=serializers.CharField(), source="grid.approaches")
    criteria = serializers.ListField(child=serializers.CharField(), source="grid.criteria")
    weights = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        source="grid.weights",
        help_text="By role, then by criterion.",
    )
    scores = serializers.SerializerMethodField()
    problems = MatrixProblemSerializer(many=True)
    rankings = RankingSerializer(many=True)
    choices = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The roles that would choose each approach.",
    )
    is_agreed = serializers.BooleanField()
    flips = FlipSerializer(many=True)
    bands = BandSerializer(many=True)
    sentences = serializers.SerializerMethodField()

    @extend_schema_field(MatrixScoreSerializer(many=True))
    def get_scores(self, verdict: Verdict) -> list[dict[str, Any]]:
        """Return every score with its evidence."""
        return [
            {"approach": name, "criterion": criterion, "score": one.value, "evidence": one.evidence}
            for (name, criterion), one in verdict.grid.scores.items()
        ]

    def get_sentences(self, verdict: Verdict) -> list[str]:
        """Return the outcome as sentences."""
        return sentences_of(verdict)


class DecisionMatrixMixin:
    """The decision matrix of a scoping document as an action of its resource."""

    @extend_schema(responses=DecisionMatrixSerializer)
    @action(detail=True, url_path="decision-matrix")
    def decision_matrix(self: Any, request: Request, pk: str) -> Response:
        """Rank the approaches for every role, and say at which weights each choice flips."""
        document: ScopingDocument = self.get_object()
        return Response(DecisionMatrixSerializer(matrix_of(document)).data)
