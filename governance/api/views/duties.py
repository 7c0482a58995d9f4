"""Promises that approvals rest on, and break-glass."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import inputs
from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet
from governance.models import Condition, Evidence, Override, Promotion
from governance.services import conditions, overrides


class ConditionViewSet(GovernanceViewSet):
    """The promises of the caller's projects; `?met_at__isnull=true` keeps the open ones."""

    queryset = Condition.objects.select_related("sign_off__review__project", "met_by")
    serializer_class = shapes.OpenConditionSerializer
    filterset_fields = {
        "sign_off__review": ["exact"],
        "sign_off__review__project__slug": ["exact"],
        "blocks_gate": ["exact"],
        "due_on": ["exact", "lt", "gt"],
        "met_at": ["isnull"],
    }
    ordering_fields = ["due_on"]

    @extend_schema(request=inputs.MeetInput, responses=shapes.OpenConditionSerializer)
    @action(detail=True, methods=["post"])
    def meet(self, request: Request, pk: str) -> Response:
        condition = self.get_object()
        values = self.read(inputs.MeetInput)
        number = values.pop("evidence")
        rows: QuerySet[Any] = Evidence.objects.all()
        values["evidence"] = self.visible(rows, f"evidence {number}", pk=number) if number else None
        return self.answer(conditions.meet_condition(condition, actor=self.actor, **values))


class OverrideViewSet(GovernanceViewSet):
    """Break-glass; asked for and confirmed in a browser session with the password alone."""

    queryset = Override.objects.select_related(
        "promotion__project",
        "promotion__review__policy_version",
        "promotion__environment",
        "requested_by",
        "confirmed_by",
    )
    serializer_class = shapes.OverrideSerializer
    filterset_fields = ["promotion", "promotion__project__slug", "status", "incident"]
    ordering_fields = ["requested_at", "expires_at"]

    @extend_schema(request=inputs.OverrideInput, responses={201: shapes.OverrideSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.OverrideInput)
        number = values.pop("promotion")
        rows = Promotion.objects.select_related("project", "environment", "review__policy_version")
        promotion = self.visible(rows, f"promotion {number}", pk=number)
        wanted = overrides.NewOverride(**values)
        asked = overrides.request_override(promotion, wanted, actor=self.actor)
        return self.answer(asked, status=201)

    @extend_schema(request=inputs.ConfirmationInput, responses=shapes.OverrideSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        override = self.get_object()
        second = overrides.Confirmation(**self.read(inputs.ConfirmationInput))
        return self.answer(overrides.confirm_override(override, second, actor=self.actor))

    @extend_schema(request=inputs.ReasonInput, responses=shapes.OverrideSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        override = self.get_object()
        reason = self.read(inputs.ReasonInput)["reason"]
        return self.answer(overrides.decline_override(override, actor=self.actor, reason=reason))

    @extend_schema(request=inputs.ReasonInput, responses=shapes.OverrideSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        override = self.get_object()
        reason = self.read(inputs.ReasonInput)["reason"]
        return self.answer(overrides.end_override(override, actor=self.actor, reason=reason))
