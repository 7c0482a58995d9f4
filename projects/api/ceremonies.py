"""Meetings and what they promised, through REST."""

from typing import Any, cast

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.views import CommandViewSet
from projects.errors import InvalidInput
from projects.models import (
    Ceremony,
    FeedbackItem,
    RetrospectiveAction,
    RetrospectiveNote,
    Sprint,
)
from projects.services import ceremonies
from projects.services.ceremonies import Action, Feedback, HeldMeeting, RetroNote


class MeetingFeedbackSerializer(serializers.ModelSerializer[FeedbackItem]):
    class Meta:
        model = FeedbackItem
        fields = ("sentiment", "text", "said_by", "work_item")
        read_only_fields = ("work_item",)


class RetroNoteSerializer(serializers.ModelSerializer[RetrospectiveNote]):
    class Meta:
        model = RetrospectiveNote
        fields = ("kind", "text")


class RetroActionSerializer(serializers.ModelSerializer[RetrospectiveAction]):
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = RetrospectiveAction
        fields = ("id", "ref", "project", "ceremony", "text", "owner", "due", "status",
                  "closed_at", "closing_note")  # fmt: skip


class CeremonySerializer(serializers.ModelSerializer[Ceremony]):
    attendees = serializers.SlugRelatedField[Any](slug_field="username", many=True, read_only=True)
    decider = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    recorded_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    feedback = MeetingFeedbackSerializer(many=True, read_only=True)
    retro_notes = RetroNoteSerializer(many=True, read_only=True)
    actions = RetroActionSerializer(many=True, read_only=True)

    class Meta:
        model = Ceremony
        fields: tuple[str, ...] = (
            "id", "ref", "project", "sprint", "kind", "held_on", "attendees", "decider",
            "decision", "notes", "output", "demo_dataset", "feedback", "retro_notes", "actions",
            "recorded_by", "recorded_at",
        )  # fmt: skip


class RecordedCeremonySerializer(CeremonySerializer):
    warnings = serializers.ListField(child=serializers.CharField())

    class Meta(CeremonySerializer.Meta):
        fields = (*CeremonySerializer.Meta.fields, "warnings")


class NewActionSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    owner = serializers.CharField(help_text="User name.")
    due = serializers.DateField()


class NewCeremonySerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    sprint = serializers.IntegerField(required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=Ceremony.Kind.choices)
    held_on = serializers.DateField()
    attendees = serializers.ListField(child=serializers.CharField(), help_text="User names.")
    decider = serializers.CharField(required=False, allow_blank=True, help_text="User name.")
    decision = serializers.ChoiceField(
        choices=Ceremony.Decision.choices, required=False, allow_blank=True
    )
    notes = serializers.CharField(required=False, allow_blank=True)
    output = serializers.DictField(required=False, help_text="What this kind has to bring.")
    demo_dataset = serializers.CharField(required=False, allow_blank=True, max_length=200)
    feedback = MeetingFeedbackSerializer(many=True, required=False)
    retro_notes = RetroNoteSerializer(many=True, required=False)
    actions = NewActionSerializer(many=True, required=False)


class ClosingNoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, allow_blank=True)


class CeremonyViewSet(CommandViewSet):
    queryset = Ceremony.objects.select_related("decider", "recorded_by").prefetch_related(
        "attendees", "feedback", "retro_notes", "actions__owner"
    )
    serializer_class = CeremonySerializer
    filterset_fields = ("project", "project__slug", "sprint", "kind", "decision")
    ordering_fields = ("held_on",)

    @extend_schema(request=NewCeremonySerializer, responses={201: RecordedCeremonySerializer})
    def create(self, request: Request) -> Response:
        """Record a meeting that was held."""
        body = self.read(NewCeremonySerializer)
        project = self.project(body.pop("project"))
        sprint = self.related(Sprint.objects.all(), body.pop("sprint", None), "sprint")
        meeting = read_meeting(body, sprint)
        recorded = ceremonies.record_ceremony(project, meeting, actor=self.actor)
        shown: Any = recorded.ceremony
        shown.warnings = recorded.warnings
        return Response(RecordedCeremonySerializer(shown).data, status=201)


class RetroActionViewSet(CommandViewSet):
    queryset = RetrospectiveAction.objects.select_related("owner", "project")
    serializer_class = RetroActionSerializer
    filterset_fields = ("project", "project__slug", "status", "owner__username")
    ordering_fields = ("due",)

    @extend_schema(request=ClosingNoteSerializer, responses=RetroActionSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close a promise that was kept."""
        row, body = self.get_object(), self.read(ClosingNoteSerializer)
        return self.answer(ceremonies.close_action(row, actor=self.actor, **body))

    @extend_schema(request=ClosingNoteSerializer, responses=RetroActionSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str) -> Response:
        """Give up a promise, with the reason."""
        row, body = self.get_object(), self.read(ClosingNoteSerializer)
        note = body.get("note", "")
        return self.answer(ceremonies.drop_action(row, actor=self.actor, note=note))


def read_meeting(body: dict[str, Any], sprint: Sprint | None) -> HeldMeeting:
    """Return the meeting that a body describes, its people looked up by user name.

    Raises:
        InvalidInput: code `unknown_user`; names everybody who does not exist.
    """
    actions = body.pop("actions", ())
    decider = body.pop("decider", "")
    names = [*body["attendees"], *([decider] if decider else []), *(a["owner"] for a in actions)]
    users = cast("Any", get_user_model())._default_manager.filter(
        username__in=names, is_active=True
    )
    people = {user.username: user for user in users}
    if unknown := sorted(set(names) - set(people)):
        raise InvalidInput(
            f"There is no active user named {', '.join(unknown)}.",
            code="unknown_user",
            details={"users": unknown},
        )
    return HeldMeeting(
        **{
            **body,
            "sprint": sprint,
            "attendees": [people[name] for name in dict.fromkeys(body["attendees"])],
            "decider": people.get(decider),
            "feedback": [Feedback(**row) for row in body.get("feedback", ())],
            "retro_notes": [RetroNote(**row) for row in body.get("retro_notes", ())],
            "actions": [Action(row["text"], people[row["owner"]], row["due"]) for row in actions],
        }
    )
