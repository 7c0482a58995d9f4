"""Checks that take work: what was asked for and found, cancel and retry."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet
from governance.models import CheckRun
from governance.services import check_runs


class CheckRunViewSet(GovernanceViewSet):
    queryset = CheckRun.objects.select_related("review__project", "review__policy_version")
    serializer_class = shapes.CheckRunSerializer
    filterset_fields = ["review", "key", "kind", "status", "review__project__slug"]
    ordering_fields = ["requested_at", "ended_at"]

    @extend_schema(request=None, responses=shapes.CheckRunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return self.answer(check_runs.cancel_check_run(self.get_object(), actor=self.actor))

    @extend_schema(request=None, responses=shapes.CheckRunSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        return self.answer(check_runs.retry_check_run(self.get_object(), actor=self.actor))
