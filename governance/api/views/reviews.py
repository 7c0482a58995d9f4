"""Gate reviews with their commands, and what people say and show on them."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api import inbox_shapes, inputs
from governance.api import serializers as shapes
from governance.api.actions import allowed_actions
from governance.api.base import GovernanceViewSet, person_named
from governance.api.views.eligibility import chosen
from governance.models import Evidence, GateReview, SignOff
from governance.services import assignments, check_runs, dossiers, evaluating, evidence
from governance.services import reviews as commands
from governance.services.assignments import Handover
from governance.services.differences import (
    difference_between,
    digest_of_difference,
    last_approval,
)
from governance.services.eligibility import everybody
from governance.services.signatures import NewCondition, circumstances_of
from projects.errors import InvalidInput


class GateReviewViewSet(GovernanceViewSet):
    queryset = GateReview.objects.select_related(
        "project", "policy_version__policy", "requested_by"
    )
    serializer_class = shapes.GateReviewSerializer
    filterset_fields = {
        "status": ["exact", "in"],
        "gate": ["exact"],
        "project__slug": ["exact"],
        "subject_kind": ["exact"],
        "subject_ref": ["exact"],
        "tier": ["exact"],
        "due_on": ["lt", "lte", "isnull"],
    }
    ordering_fields = ["requested_at", "due_on", "decided_at"]

    @extend_schema(responses=shapes.GateReviewDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(self.get_object())

    def whole(
        self, review: GateReview, *, status: int = 200, shape: Any = None, **more: Any
    ) -> Response:
        """Answer a review with everything on it and what the caller may do next."""
        rows: dict[str, Any] = {
            **more,
            "requirements": evaluating.latest_results(review),
            "unmet": evaluating.unmet_requirements(review),
            "allowed_actions": allowed_actions(review, self.actor),
        }
        for name, value in rows.items():
            setattr(review, name, value)
        return self.answer(review, status=status, shape=shape or shapes.GateReviewDetailSerializer)

    @extend_schema(
        request=inputs.ReviewRequestInput, responses={201: shapes.GateReviewDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        values = self.read(inputs.ReviewRequestInput)
        wanted = commands.ReviewRequest(**{**values, "project": self.project(values["project"])})
        return self.whole(commands.request_review(wanted, actor=self.actor), status=201)

    @extend_schema(request=None, responses=shapes.RequirementResultSerializer(many=True))
    @action(detail=True, methods=["post"])
    def evaluate(self, request: Request, pk: str) -> Response:
        results = commands.evaluate_review(self.get_object(), actor=self.actor)
        return Response(shapes.RequirementResultSerializer(results, many=True).data)

    @extend_schema(
        request=inputs.CheckRunsInput, responses={201: shapes.CheckRunSerializer(many=True)}
    )
    @action(detail=True, methods=["post"], url_path="run-checks")
    def run_checks(self, request: Request, pk: str) -> Response:
        """Ask for the work behind requirements: those named, or all that have no result yet."""
        review = self.get_object()
        keys = self.read(inputs.CheckRunsInput)["keys"]
        runs = check_runs.request_check_runs(review, keys, actor=self.actor)
        return Response(shapes.CheckRunSerializer(runs, many=True).data, status=201)

    @extend_schema(
        request=inputs.SignatureInput,
        responses={201: shapes.SignOffSerializer},
        description="Takes the browser's session only: a token gets 403 `signing_needs_session`.",
    )
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        values = self.read(inputs.SignatureInput)
        promised = tuple(NewCondition(**each) for each in values.pop("conditions"))
        signature = commands.Signature(
            **values, conditions=promised, circumstances=circumstances_of(request)
        )
        sign_off = commands.sign(review, signature, actor=self.actor)
        return self.answer(sign_off, status=201, shape=shapes.SignOffSerializer)

    @extend_schema(
        parameters=[inputs.StatementQuery],
        responses=shapes.SigningStatementSerializer,
        description="What the caller would sign, whole, with the token that signs it once within "
        "15 minutes. Takes the browser's session only.",
    )
    @action(detail=True, methods=["get"], url_path="signing-statement", filter_backends=[])
    def signing_statement(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        query = inputs.StatementQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        shown = commands.signing_statement(review, **query.validated_data, actor=self.actor)
        return self.answer(shown, shape=shapes.SigningStatementSerializer)

    @extend_schema(request=None, responses=shapes.RefreshedReviewSerializer)
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        found = commands.refresh_review(review, actor=self.actor)
        shape = shapes.RefreshedReviewSerializer
        return self.whole(review, shape=shape, moved=found.sentences, fates=found.fates)

    @extend_schema(request=inputs.ReasonInput, responses=shapes.GateReviewDetailSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        reason = self.read(inputs.ReasonInput)["reason"]
        return self.whole(commands.suspend_review(review, actor=self.actor, reason=reason))

    @extend_schema(request=None, responses=shapes.GateReviewDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        return self.whole(commands.withdraw_review(self.get_object(), actor=self.actor))

    @extend_schema(request=inputs.TextInput, responses={201: shapes.FeedbackSerializer})
    @action(detail=True, methods=["post"])
    def feedback(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        text = self.read(inputs.TextInput)["text"]
        opinion = commands.give_feedback(review, actor=self.actor, text=text)
        return self.answer(opinion, status=201, shape=shapes.FeedbackSerializer)

    @extend_schema(request=inbox_shapes.HandoverInput, responses=inbox_shapes.AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Ask somebody else to sign in a role; it restricts nobody else who may."""
        review = self.get_object()
        said = self.read(inbox_shapes.HandoverInput)
        asked = person_named(said["user"])
        assert asked is not None  # noqa: S101 - the field is required
        handover = Handover(said["role"], asked, said["note"])
        row = assignments.reassign(review, handover, actor=self.actor)
        return self.answer(row, shape=inbox_shapes.AssignmentSerializer)

    @extend_schema(request=inbox_shapes.DueDateInput, responses=shapes.GateReviewDetailSerializer)
    @action(detail=True, methods=["post"])
    def due(self, request: Request, pk: str) -> Response:
        """Set the day by which the review shall be decided."""
        review = self.get_object()
        said = self.read(inbox_shapes.DueDateInput)
        assignments.move_due_date(review, said["due_on"], actor=self.actor, reason=said["reason"])
        return self.whole(review)

    @extend_schema(responses=inbox_shapes.AssignmentSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def assignments(self, request: Request, pk: str) -> Response:
        """List who is and was asked, the earliest first."""
        rows = self.get_object().assignments.select_related("user", "assigned_by")
        return Response(inbox_shapes.AssignmentSerializer(rows, many=True).data)

    @extend_schema(methods=["GET"], responses=inbox_shapes.DossierSerializer(many=True))
    @extend_schema(methods=["POST"], request=None, responses={201: inbox_shapes.DossierSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def dossiers(self, request: Request, pk: str) -> Response:
        """List the dossiers that were issued, or issue one; the same bytes are the same one."""
        review = self.get_object()
        if request.method == "POST":
            row = dossiers.issue_dossier(review, actor=self.actor)
            return self.answer(row, status=201, shape=inbox_shapes.DossierSerializer)
        rows = review.dossiers.select_related("issued_by")
        return Response(inbox_shapes.DossierSerializer(rows, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("digest", str, OpenApiParameter.PATH)],
        responses={(200, "text/html"): OpenApiTypes.BINARY},
    )
    @action(
        detail=True,
        methods=["get"],
        url_path="dossiers/(?P<digest>[^/.]+)",
        pagination_class=None,
        filter_backends=[],
    )
    def dossier(self, request: Request, pk: str, digest: str) -> HttpResponse:
        """Send the bytes of one dossier that was issued."""
        row = self.visible(self.get_object().dossiers.all(), f"dossier {digest}", digest=digest)
        answer = HttpResponse(dossiers.read_dossier(row), content_type="text/html; charset=utf-8")
        answer["Content-Security-Policy"] = dossiers.content_policy()
        return answer

    @extend_schema(
        parameters=[inputs.EligibilityQuery], responses=shapes.EligibilitySerializer(many=True)
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def eligibility(self, request: Request, pk: str) -> Response:
        query = inputs.EligibilityQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        entries = chosen(everybody(self.get_object()), **query.validated_data)
        return Response(shapes.EligibilitySerializer(entries, many=True).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("since", int, description="A review; default is the last approval.")
        ],
        responses=shapes.DifferencesSerializer,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def differences(self, request: Request, pk: str) -> Response:
        review = self.get_object()
        earlier = self._compared_with(review, request.query_params.get("since"))
        changes = [] if earlier is None else difference_between(earlier, review)
        found = {
            "since": None if earlier is None else earlier.pk,
            "digest": digest_of_difference(changes),
            "changes": changes,
        }
        return Response(shapes.DifferencesSerializer(found).data)

    def _compared_with(self, review: GateReview, since: str | None) -> GateReview | None:
        if since is None:
            return last_approval(review)
        if not since.isdecimal():
            raise InvalidInput("`since` takes the number of a review.", code="wrong_since")
        rows = GateReview.objects.select_related("policy_version__policy")
        found: GateReview = self.visible(rows, f"gate review {since}", pk=int(since))
        if found.subject_kind != review.subject_kind:
            raise InvalidInput(
                f"{found} judges a {found.subject_kind.replace('_', ' ')}; only reviews of the "
                "same kind of subject can be compared.",
                code="cannot_compare",
            )
        return found


class EvidenceViewSet(GovernanceViewSet):
    queryset = Evidence.objects.select_related("project", "produced_by")
    parser_classes = (JSONParser, MultiPartParser)
    serializer_class = shapes.EvidenceSerializer
    filterset_fields = ["project__slug", "subject_kind", "subject_ref", "kind", "digest"]
    ordering_fields = ["produced_at"]

    @extend_schema(request=inputs.EvidenceInput, responses={201: shapes.EvidenceSerializer})
    def create(self, request: Request) -> Response:
        values = self.read(inputs.EvidenceInput)
        file = values.pop("file", None)
        if file is not None:
            values |= {"content": file.read(), "media_type": file.content_type}
        material = evidence.Material(**{**values, "project": self.project(values["project"])})
        return self.answer(evidence.record_evidence(material, actor=self.actor), status=201)


class SignOffViewSet(GovernanceViewSet):
    queryset = SignOff.objects.select_related("signer", "on_behalf_of").prefetch_related(
        "conditions"
    )
    serializer_class = shapes.SignOffSerializer
    filterset_fields = ["review", "signer__username", "role", "outcome"]
    ordering_fields = ["signed_at"]
