"""Policies, their versions and the environments they guard."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import inputs
from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet
from governance.api.views.replay import PolicyReplayMixin, VersionReplayMixin
from governance.models import Environment, Policy, PolicyVersion
from governance.services import environments, policies


class PolicyViewSet(PolicyReplayMixin, GovernanceViewSet):
    queryset = Policy.objects.all()
    serializer_class = shapes.PolicySerializer
    filterset_fields = ["name"]


class PolicyVersionViewSet(VersionReplayMixin, GovernanceViewSet):
    queryset = PolicyVersion.objects.select_related("policy", "created_by")
    serializer_class = shapes.PolicyVersionSerializer
    filterset_fields = ["policy__name", "status", "number"]
    ordering_fields = ["number", "created_at"]

    @extend_schema(
        request=inputs.PolicyVersionInput, responses={201: shapes.PolicyVersionSerializer}
    )
    def create(self, request: Request) -> Response:
        values = self.read(inputs.PolicyVersionInput)
        version = policies.install_policy(
            values["name"], title=values["title"], text=values["text"], actor=self.actor
        )
        return self.answer(version, status=201)

    @extend_schema(request=None, responses=shapes.PolicyVersionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        version = policies.publish_policy_version(self.get_object(), actor=self.actor)
        return self.answer(version)


class EnvironmentViewSet(GovernanceViewSet):
    queryset = Environment.objects.all()
    serializer_class = shapes.EnvironmentSerializer
    filterset_fields = ["name", "alias", "mode"]

    @extend_schema(responses=shapes.StandingSerializer(many=True))
    @action(detail=False, pagination_class=None, filter_backends=[])
    def overview(self, request: Request) -> Response:
        """Tell of each environment what stands, what was let through, and who set its mode."""
        return Response(
            shapes.StandingSerializer(environments.overview(self.actor), many=True).data
        )
