"""Promotions, what was refused, and the question whether a version may serve."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api import inputs
from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet
from governance.models import DeniedAttempt, Promotion
from governance.services import denials, enforcement, promotions, retirement, rollback
from projects.actors import Actor
from projects.api.base import actor_of


class PromotionViewSet(GovernanceViewSet):
    queryset = Promotion.objects.select_related(
        "project", "environment", "requested_by", "retirement"
    )
    serializer_class = shapes.PromotionSerializer
    filterset_fields = [
        "project__slug",
        "environment__name",
        "model_name",
        "model_version",
        "status",
        "review",
    ]
    ordering_fields = ["requested_at", "applied_at"]

    @extend_schema(request=inputs.PromotionInput, responses={201: shapes.PromotionSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.PromotionInput)
        wanted = promotions.PromotionRequest(
            **{**values, "project": self.project(values["project"])}
        )
        return self.answer(promotions.request_promotion(wanted, actor=self.actor), status=201)

    @extend_schema(request=None, responses=shapes.PromotionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        return self.answer(promotions.withdraw_promotion(self.get_object(), actor=self.actor))

    @extend_schema(request=None, responses=shapes.PromotionSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        return self.answer(promotions.retry_promotion(self.get_object(), actor=self.actor))

    @extend_schema(request=inputs.ReasonInput, responses=shapes.PromotionSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        promotion = self.get_object()
        reason = self.read(inputs.ReasonInput)["reason"]
        return self.answer(promotions.suspend_promotion(promotion, actor=self.actor, reason=reason))

    @extend_schema(request=inputs.RollBackInput, responses=shapes.PromotionSerializer)
    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request, pk: str) -> Response:
        """Undo the promotion that holds the alias; answers the one that is restored."""
        promotion = self.get_object()
        said = self.read(inputs.RollBackInput)
        done = rollback.roll_back(
            promotion, actor=self.actor, reason=said["reason"], to_version=said["version"]
        )
        return self.answer(done.restored)

    @extend_schema(request=inputs.RetirementInput, responses={201: shapes.GateReviewSerializer})
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Ask for the version's retirement; answers the review that decides it."""
        promotion = self.get_object()
        reason = self.read(inputs.RetirementInput)["reason"]
        review = retirement.request_retirement(promotion, actor=self.actor, reason=reason)
        return self.answer(review, status=201, shape=shapes.GateReviewSerializer)


class DeniedAttemptViewSet(GovernanceViewSet):
    """Refusals: everyone's own, and for overseers those of their projects."""

    queryset = DeniedAttempt.objects.select_related("project", "policy_version__policy")
    serializer_class = shapes.DeniedAttemptSerializer
    filterset_fields = {
        "action": ["exact"],
        "code": ["exact"],
        "actor": ["exact"],
        "gate": ["exact"],
        "model_name": ["exact"],
        "project__slug": ["exact"],
        "policy_version": ["exact"],
        "at": ["gte", "lt"],
    }
    ordering_fields = ["at"]

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return denials.overseen_by(self.actor)

    @extend_schema(responses=shapes.DenialCountsSerializer)
    @action(detail=False, pagination_class=None)
    def counts(self, request: Request) -> Response:
        """Count refusals by code, action, person, model and policy; the list's filters apply."""
        counts = denials.counts_of(cast("Any", self.filter_queryset(self.get_queryset())))
        return Response(shapes.DenialCountsSerializer(counts).data)


class MayDeployView(APIView):
    """For pipelines that deploy by themselves: ask, and act on `allowed` alone."""

    @extend_schema(parameters=[inputs.MayDeployQuery], responses=shapes.DecisionSerializer)
    def get(self, request: Request) -> Response:
        query = inputs.MayDeployQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        values = query.validated_data
        asked = (values["model"], values["version"], values["environment"])
        decision = _as_seen_by(actor_of(request), enforcement.may_deploy(*asked), *asked)
        return Response(shapes.DecisionSerializer(decision).data)


def _as_seen_by(
    actor: Actor, decision: enforcement.Decision, model: str, version: int, environment: str
) -> enforcement.Decision:
    """Tell a stranger the same as of a version that nobody knows."""
    promotion = decision.promotion
    if promotion is None or Promotion.objects.visible_to(actor).filter(pk=promotion.pk).exists():
        return decision
    reason = f"No promotion of {model} v{version} to {environment} was requested."
    return enforcement.Decision(allowed=False, reasons=[reason], promotion=None, review_url="")
