"""The risk tier of a project over REST: how it came about, assess it anew, agree to a lower one."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.models import Project, TierAssessment, TierDecision
from projects.services import tiers

NUMBER = OpenApiParameter("assessment", OpenApiTypes.INT, OpenApiParameter.PATH)


class TierDecisionSerializer(serializers.ModelSerializer[TierDecision]):
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = TierDecision
        fields = ("is_agreed", "note", "decided_by", "decided_at")


class TierAssessmentSerializer(serializers.ModelSerializer[TierAssessment]):
    assessed_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    state = serializers.CharField(help_text="`in force`, `waiting` or `declined`.")
    decision = serializers.SerializerMethodField()

    class Meta:
        model = TierAssessment
        fields = ("id", "ref", "project", "scope", "scorecard", "answers", "former", "computed",
                  "chosen", "reason", "state", "assessed_by", "assessed_as", "assessed_at",
                  "decision")  # fmt: skip

    def get_decision(self, row: TierAssessment) -> dict[str, Any] | None:
        decision = getattr(row, "decision", None)
        return None if decision is None else dict(TierDecisionSerializer(decision).data)


class TierAnswersSerializer(serializers.Serializer[Any]):
    tier_exposure = serializers.IntegerField(min_value=0, max_value=tiers.GRAVEST)
    tier_purpose = serializers.IntegerField(min_value=0, max_value=tiers.GRAVEST)
    tier_autonomy = serializers.IntegerField(min_value=0, max_value=tiers.GRAVEST)
    tier_reversibility = serializers.IntegerField(min_value=0, max_value=tiers.GRAVEST)


class NewTierAssessmentSerializer(serializers.Serializer[Any]):
    answers = TierAnswersSerializer()
    chosen = serializers.ChoiceField(
        choices=Project.Tier.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="Another tier than the one that the answers give.",
    )
    reason = serializers.CharField(max_length=4000)


class TierAgreementSerializer(serializers.Serializer[Any]):
    is_agreed = serializers.BooleanField()
    note = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class TierMixin:
    """The history of a project's tier, and the commands on it."""

    @extend_schema(methods=["get"], responses=TierAssessmentSerializer(many=True))
    @extend_schema(
        methods=["post"],
        request=NewTierAssessmentSerializer,
        responses={201: TierAssessmentSerializer},
    )
    @action(
        detail=True,
        methods=["get", "post"],
        url_path="tier-assessments",
        pagination_class=None,
        filter_backends=[],
    )
    def tier_assessments(self: Any, request: Request, pk: str) -> Response:
        """List how the tier came about, newest first, or assess it anew."""
        project = self.get_object()
        if request.method == "GET":
            rows = tiers.assessments_of(project)
            return Response(TierAssessmentSerializer(rows, many=True).data)
        new = tiers.NewAssessment(**self.read(NewTierAssessmentSerializer))
        row = tiers.assess_tier(project, new, actor=self.actor)
        return Response(TierAssessmentSerializer(row).data, status=201)

    @extend_schema(
        request=TierAgreementSerializer, responses=TierAssessmentSerializer, parameters=[NUMBER]
    )
    @action(
        detail=True,
        methods=["post"],
        url_path=r"tier-assessments/(?P<assessment>\d+)/decide",
        url_name="tier-assessment-decide",
    )
    def decide_tier_assessment(self: Any, request: Request, pk: str, assessment: str) -> Response:
        """Agree to a lower tier as the second person, or decline it; a token may not."""
        rows = TierAssessment.objects.select_related("project")
        row = get_object_or_404(rows, project=self.get_object(), pk=assessment)
        tiers.decide_assessment(row, actor=self.actor, **self.read(TierAgreementSerializer))
        return Response(TierAssessmentSerializer(row).data)
