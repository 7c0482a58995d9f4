"""Findings, waivers, delegations and lineage."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import inputs
from governance.api import serializers as shapes
from governance.api.base import GovernanceViewSet, person_named
from governance.models import Delegation, Finding, GateReview, LineageNode, Waiver
from governance.services import delegations, finding_changes, findings, waivers
from governance.services.lineage_search import find_version, visible_trace


class FindingViewSet(GovernanceViewSet):
    queryset = Finding.objects.select_related("project", "owner", "resolved_by", "closed_by")
    serializer_class = shapes.FindingSerializer
    filterset_fields = {
        "project__slug": ["exact"],
        "subject_kind": ["exact"],
        "subject_ref": ["exact"],
        "severity": ["exact"],
        "status": ["exact"],
        "owner__username": ["exact"],
        "review": ["exact"],
        "due_on": ["exact", "lt", "gt"],
    }
    ordering_fields = ["opened_at", "due_on", "severity"]

    @extend_schema(request=inputs.FindingInput, responses={201: shapes.FindingSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.FindingInput)
        values["project"] = self.project(values["project"])
        values["owner"] = person_named(values["owner"])
        if values["review"] is not None:
            number = values["review"]
            values["review"] = self.visible(GateReview.objects.all(), f"review {number}", pk=number)
        finding = findings.open_finding(findings.NewFinding(**values), actor=self.actor)
        return self.answer(finding, status=201)

    @extend_schema(request=inputs.ResolutionInput, responses=shapes.FindingSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        finding = self.get_object()
        resolution = self.read(inputs.ResolutionInput)["resolution"]
        done = findings.resolve_finding(finding, actor=self.actor, resolution=resolution)
        return self.answer(done)

    @extend_schema(request=inputs.ReasonInput, responses=shapes.FindingSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        finding = self.get_object()
        reason = self.read(inputs.ReasonInput)["reason"]
        return self.answer(findings.reopen_finding(finding, actor=self.actor, reason=reason))

    @extend_schema(request=inputs.PlanInput, responses=shapes.FindingSerializer)
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, pk: str) -> Response:
        """Give it an owner and a date."""
        finding = self.get_object()
        values = self.read(inputs.PlanInput)
        owner = person_named(values["owner"]) if "owner" in values else finding.owner
        plan = finding_changes.Plan(
            owner=owner,
            due_on=values.get("due_on", finding.due_on),
            recommended_action=values["recommended_action"],
            reason=values["reason"],
        )
        return self.answer(finding_changes.plan_finding(finding, plan, actor=self.actor))

    @extend_schema(request=inputs.RegradeInput, responses=shapes.FindingSerializer)
    @action(detail=True, methods=["post"])
    def regrade(self, request: Request, pk: str) -> Response:
        """Change how grave it is."""
        finding = self.get_object()
        values = self.read(inputs.RegradeInput)
        return self.answer(finding_changes.regrade_finding(finding, actor=self.actor, **values))

    @extend_schema(request=None, responses=shapes.FindingSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        return self.answer(findings.close_finding(self.get_object(), actor=self.actor))


class WaiverViewSet(GovernanceViewSet):
    queryset = Waiver.objects.select_related("granted_by", "review__project")
    serializer_class = shapes.WaiverSerializer
    filterset_fields = ["review", "requirement_key"]
    ordering_fields = ["granted_at", "expires_at"]

    @extend_schema(request=inputs.WaiverInput, responses={201: shapes.WaiverSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.WaiverInput)
        number = values.pop("review")
        rows = GateReview.objects.select_related("project", "policy_version")
        review = self.visible(rows, f"review {number}", pk=number)
        waiver = waivers.grant_waiver(review, waivers.NewWaiver(**values), actor=self.actor)
        return self.answer(waiver, status=201)

    @extend_schema(request=None, responses=shapes.WaiverSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        return self.answer(waivers.revoke_waiver(self.get_object(), actor=self.actor))


class DelegationViewSet(GovernanceViewSet):
    queryset = Delegation.objects.select_related("project", "holder", "delegate")
    serializer_class = shapes.DelegationSerializer
    filterset_fields = ["project__slug", "role", "gate", "holder__username", "delegate__username"]
    ordering_fields = ["valid_from", "valid_to"]

    @extend_schema(request=inputs.DelegationInput, responses={201: shapes.DelegationSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.DelegationInput)
        values["project"] = self.project(values["project"])
        values["delegate"] = person_named(values["delegate"])
        given = delegations.delegate(delegations.NewDelegation(**values), actor=self.actor)
        return self.answer(given, status=201)

    @extend_schema(request=None, responses=shapes.DelegationSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        return self.answer(delegations.revoke_delegation(self.get_object(), actor=self.actor))


class LineageViewSet(GovernanceViewSet):
    queryset = LineageNode.objects.select_related("project")
    serializer_class = shapes.LineageNodeSerializer
    filterset_fields = ["project__slug", "kind", "ref", "digest"]

    @extend_schema(parameters=[inputs.TraceQuery], responses=shapes.LineageGraphSerializer)
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def trace(self, request: Request) -> Response:
        query = inputs.TraceQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        values = query.validated_data
        start = find_version(self.actor, values["model"], values["version"])
        graph = visible_trace(start, actor=self.actor)
        answer: dict[str, Any] = {"start": start, "nodes": graph.nodes, "edges": graph.edges}
        return Response(shapes.LineageGraphSerializer(answer).data)
