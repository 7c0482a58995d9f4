"""Policies run over past reviews, over REST."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.serializers import EvidenceSerializer
from governance.models import PolicyVersion
from governance.services import replay
from projects.errors import InvalidInput


class SelectionInput(serializers.Serializer[Any]):
    """Which past reviews, and whether only those that would differ are listed."""

    limit = serializers.IntegerField(
        required=False, default=replay.USUAL, min_value=1, max_value=replay.MOST
    )
    since = serializers.DateField(required=False, allow_null=True, default=None)
    until = serializers.DateField(required=False, allow_null=True, default=None)
    gate = serializers.SlugField(required=False, allow_blank=True, default="")
    changed = serializers.BooleanField(required=False, default=False)


class ReplayInput(SelectionInput):
    text = serializers.CharField(required=False, trim_whitespace=False, help_text="YAML.")
    version = serializers.IntegerField(required=False, help_text="Instead of a text.")


class RecordReplayInput(SelectionInput):
    project = serializers.CharField(help_text="Slug or number.")


_QUERY = [
    OpenApiParameter("limit", OpenApiTypes.INT),
    OpenApiParameter("since", OpenApiTypes.DATE),
    OpenApiParameter("until", OpenApiTypes.DATE),
    OpenApiParameter("gate", OpenApiTypes.STR),
    OpenApiParameter("changed", OpenApiTypes.BOOL),
]


class PolicyReplayMixin:
    """A text, or a version by its number, over the past reviews that the caller may see."""

    @extend_schema(request=ReplayInput, responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"], url_path="replay")
    def replay(self: Any, request: Request) -> Response:
        """Run a policy's text or version over past reviews; nothing is changed."""
        values = self.read(ReplayInput)
        text, number = values.pop("text", None), values.pop("version", None)
        if (text is None) == (number is None):
            raise InvalidInput("Send either a text or a version.", code="text_or_version")
        if text is None:
            rows = PolicyVersion.objects.all()
            text = self.visible(rows, f"policy version {number}", pk=number).text
        return _answer(text, values, actor=self.actor)


class VersionReplayMixin:
    """A version over the past reviews that the caller may see."""

    @extend_schema(parameters=_QUERY, responses=OpenApiTypes.OBJECT)
    @action(
        detail=True, methods=["get"], url_path="replay", pagination_class=None, filter_backends=[]
    )
    def replay(self: Any, request: Request, pk: str) -> Response:
        """Run this version over past reviews; nothing is changed."""
        asked = SelectionInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return _answer(self.get_object().text, dict(asked.validated_data), actor=self.actor)

    @extend_schema(request=RecordReplayInput, responses={201: EvidenceSerializer})
    @action(detail=True, methods=["post"], url_path="record-replay")
    def record_replay(self: Any, request: Request, pk: str) -> Response:
        """Put a replay of this version on record as evidence for its review."""
        values = self.read(RecordReplayInput)
        project = self.project(values.pop("project"))
        values.pop("changed")
        row = replay.record_replay(
            self.get_object(), project, replay.Selection(**values), actor=self.actor
        )
        return self.answer(row, status=201, shape=EvidenceSerializer)  # type: ignore[no-any-return]


def _answer(text: str, values: dict[str, Any], *, actor: Any) -> Response:
    only_changed = values.pop("changed")
    outcome = replay.replay_text(text, replay.Selection(**values), actor=actor)
    return Response(replay.as_json(outcome, only_changed=only_changed))
