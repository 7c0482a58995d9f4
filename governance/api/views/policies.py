"""Policies, their versions and the environments they guard."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import inputs
from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet
from governance.api.views.replay import PolicyReplayMixin, VersionReplayMixin
from governance.models import Environment, Policy, PolicyVersion
from governance.services import environments, policies, policy_drafts, policy_texts
from governance.services.policy_discarding import discard_draft


class PolicyViewSet(PolicyReplayMixin, GovernanceViewSet):
    queryset = Policy.objects.all()
    serializer_class = shapes.PolicySerializer
    filterset_fields = ["name"]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=False, url_path="schema")
    def language(self, request: Request) -> Response:
        """Answer the JSON Schema of the policy language."""
        return Response(policy_texts.schema())


class PolicyVersionViewSet(VersionReplayMixin, GovernanceViewSet):
    queryset = PolicyVersion.objects.select_related("policy", "created_by")
    serializer_class = shapes.PolicyVersionSerializer
    filterset_fields = ["policy__name", "status", "number"]
    ordering_fields = ["number", "created_at"]

    @extend_schema(responses=shapes.PolicyVersionDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(self.get_object())

    def whole(self, version: PolicyVersion, *, status: int = 200) -> Response:
        """Answer a version with its editors, its problems and what it changes."""
        version.standing = policies.standing_of(version)  # type: ignore[attr-defined]
        return self.answer(version, status=status, shape=shapes.PolicyVersionDetailSerializer)

    @extend_schema(
        request=inputs.PolicyVersionInput, responses={201: shapes.PolicyVersionDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        values = self.read(inputs.PolicyVersionInput)
        return self.whole(policies.write_draft(**values, actor=self.actor), status=201)

    @extend_schema(request=inputs.DraftInput, responses=shapes.PolicyVersionDetailSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        version, values = self.get_object(), self.read(inputs.DraftInput)
        edited = policies.edit_draft(
            version,
            text=values.get("text", version.text),
            note=values.get("note"),
            read_version=values["version_lock"],
            actor=self.actor,
        )
        return self.whole(edited)

    @extend_schema(request=inputs.PolicyTextInput, responses=shapes.PolicyStandingSerializer)
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Say what is wrong with a text and what it would change; nothing is saved."""
        policy_drafts.require_permission(
            self.actor, "add_policyversion", code="may_not_write_policies"
        )
        values = self.read(inputs.PolicyTextInput)
        policy = Policy.objects.filter(name=values["policy"]).first()
        former = policy.versions.published().first() if policy else None
        text = policy_drafts.cleaned(values["text"])
        standing = policy_drafts.standing_of_text(policy, text, former)
        return Response(shapes.PolicyStandingSerializer(standing).data)

    @extend_schema(request=None, responses=shapes.PolicyVersionSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Give a draft up, and withdraw its reviews that are not decided."""
        return self.answer(discard_draft(self.get_object(), actor=self.actor))

    @extend_schema(request=inputs.PublishingInput, responses=shapes.PolicyVersionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish an approved draft; it takes a browser session and the password again."""
        version, values = self.get_object(), self.read(inputs.PublishingInput)
        published = policies.publish_policy_version(version, actor=self.actor, **values)
        return self.answer(published)


class EnvironmentViewSet(GovernanceViewSet):
    queryset = Environment.objects.all()
    serializer_class = shapes.EnvironmentSerializer
    filterset_fields = ["name", "alias", "mode"]

    @extend_schema(responses=shapes.EnvironmentOverviewSerializer(many=True))
    @action(detail=False, pagination_class=None, filter_backends=[])
    def overview(self, request: Request) -> Response:
        """Tell of each environment what stands, what was let through, and who set its mode."""
        return Response(
            shapes.EnvironmentOverviewSerializer(environments.overview(self.actor), many=True).data
        )
