"""Commands on sprints through REST, who has how much time, and what a sprint came to."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.errors import InvalidInput, NotFound
from projects.models import Sprint, SprintCapacity, SprintSnapshot
from projects.services import capacity, sprint_closing, sprints
from projects.services.capacity import PersonCapacity

if TYPE_CHECKING:
    from projects.api.views import CommandViewSet as Base
else:
    Base = object


class SprintSerializer(serializers.ModelSerializer[Sprint]):
    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    is_on_superseded_scope = serializers.BooleanField(
        read_only=True, help_text="It must be re-affirmed under the new scope, or closed."
    )

    class Meta:
        model = Sprint
        fields = ("id", "ref", "project", "name", "kind", "goal", "status", "starts_on", "ends_on",
                  "started_at", "closed_at", "review_notes", "dataset_refs", "model_ref", "scope",
                  "is_on_superseded_scope", "created_by", "created_at")  # fmt: skip


class StartedSprintSerializer(SprintSerializer):
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What it lacks of the definition of ready."
    )

    class Meta(SprintSerializer.Meta):
        fields = (*SprintSerializer.Meta.fields, "warnings")  # type: ignore[assignment]


class NewSprintSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField()
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=Sprint.Kind.choices)
    goal = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    dataset_refs = serializers.ListField(child=serializers.CharField(), required=False)
    model_ref = serializers.CharField(required=False, allow_blank=True, max_length=100)


class CancelSprintSerializer(serializers.Serializer[Any]):
    carry_to = serializers.IntegerField(
        required=False, allow_null=True, help_text="Sprint that takes what is unfinished."
    )


class CloseSprintSerializer(CancelSprintSerializer):
    review_notes = serializers.CharField(required=False, allow_blank=True)
    force_reason = serializers.CharField(
        required=False, allow_blank=True, help_text="Why it ends without being done."
    )


class ReaffirmSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()


class SprintStandingSerializer(serializers.Serializer[Any]):
    objections = serializers.ListField(child=serializers.CharField())
    not_ready = serializers.ListField(child=serializers.CharField())
    not_done = serializers.ListField(child=serializers.CharField())


class PersonCapacitySerializer(serializers.Serializer[Any]):
    person = serializers.CharField(help_text="User name.")
    days = serializers.FloatField()
    points = serializers.IntegerField(required=False, allow_null=True)


class SetCapacitySerializer(serializers.Serializer[Any]):
    people = PersonCapacitySerializer(many=True)


class PersonVerdictSerializer(serializers.Serializer[Any]):
    person = serializers.CharField()
    items = serializers.IntegerField()
    points = serializers.IntegerField()
    hours = serializers.FloatField()
    is_over = serializers.BooleanField()
    sentences = serializers.ListField(child=serializers.CharField())


class CapacitySerializer(serializers.Serializer[Any]):
    people = PersonCapacitySerializer(many=True)
    loads = PersonVerdictSerializer(many=True)
    days = serializers.FloatField()
    capacity_points = serializers.IntegerField(allow_null=True)
    points = serializers.IntegerField()
    hours = serializers.FloatField()
    unassigned = serializers.IntegerField(help_text="Items that nobody has taken.")
    is_over = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class SnapshotSerializer(serializers.ModelSerializer[SprintSnapshot]):
    class Meta:
        model = SprintSnapshot
        fields = ("sprint", "data", "digest", "created_at")


class SprintActions(Base):
    """What can be done to a sprint."""

    @extend_schema(request=None, responses=StartedSprintSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Start a planned sprint; the answer says what it lacks of the definition of ready."""
        sprint = self.get_object()
        warnings = sprints.not_ready(sprint)
        started: Any = sprints.start_sprint(sprint, actor=self.actor)
        started.warnings = warnings
        return Response(StartedSprintSerializer(started).data)

    @extend_schema(request=CloseSprintSerializer, responses=SprintSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close a running sprint; what is unfinished moves on."""
        sprint = self.get_object()
        body = self._with_target(self.read(CloseSprintSerializer))
        return self.answer(sprint_closing.close_sprint(sprint, actor=self.actor, **body))

    @extend_schema(request=CancelSprintSerializer, responses=SprintSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Give a sprint up."""
        sprint = self.get_object()
        body = self._with_target(self.read(CancelSprintSerializer))
        return self.answer(sprint_closing.cancel_sprint(sprint, actor=self.actor, **body))

    @extend_schema(request=ReaffirmSerializer, responses=SprintSerializer)
    @action(detail=True, methods=["post"])
    def reaffirm(self, request: Request, pk: str) -> Response:
        """Let a running sprint go on under the scope that replaced its own."""
        sprint = self.get_object()
        body = self.read(ReaffirmSerializer)
        return self.answer(sprints.reaffirm_sprint(sprint, actor=self.actor, **body))

    @extend_schema(responses=SprintStandingSerializer)
    @action(detail=True)
    def standing(self, request: Request, pk: str) -> Response:
        """Say what stands against starting the sprint, or against closing it."""
        sprint = self.get_object()
        planned = sprint.status == Sprint.Status.PLANNED
        active = sprint.status == Sprint.Status.ACTIVE
        return Response(
            {
                "objections": sprints.objections(sprint) if planned else [],
                "not_ready": sprints.not_ready(sprint) if planned else [],
                "not_done": sprint_closing.not_done(sprint) if active else [],
            }
        )

    @extend_schema(responses=CapacitySerializer)
    @action(detail=True)
    def capacity(self, request: Request, pk: str) -> Response:
        """Show who has how much time, what they are given, and who has too much."""
        return self._capacity_of(self.get_object())

    @extend_schema(request=SetCapacitySerializer, responses=CapacitySerializer)
    @capacity.mapping.put
    def set_capacity(self, request: Request, pk: str) -> Response:
        """Replace who has how much time."""
        sprint = self.get_object()
        rows = self.read(SetCapacitySerializer)["people"]
        people = _people_named([row["person"] for row in rows])
        wanted = [
            PersonCapacity(people[row["person"]], row["days"], row.get("points")) for row in rows
        ]
        capacity.set_capacity(sprint, wanted, actor=self.actor)
        return self._capacity_of(sprint)

    @extend_schema(responses=SnapshotSerializer)
    @action(detail=True)
    def snapshot(self, request: Request, pk: str) -> Response:
        """Show what a sprint came to, as it was frozen when it ended."""
        found = SprintSnapshot.objects.filter(sprint=self.get_object()).first()
        if found is None:
            raise NotFound("The sprint has no snapshot: it has not ended, or never ran.")
        return Response(SnapshotSerializer(found).data)

    def _with_target(self, body: dict[str, Any]) -> dict[str, Any]:
        number = body.pop("carry_to", None)
        return {**body, "carry_to": self.related(Sprint.objects.all(), number, "carry_to")}

    def _capacity_of(self, sprint: Sprint) -> Response:
        verdict = capacity.judge_capacity(sprint)
        rows = SprintCapacity.objects.filter(sprint=sprint).select_related("person")
        people = [
            {"person": row.person.username, "days": row.days, "points": row.points} for row in rows
        ]
        names = ("days", "capacity_points", "points", "hours", "unassigned", "is_over", "reasons")
        totals = {name: getattr(verdict, name) for name in names}
        shown = {"people": people, "loads": verdict.people, **totals}
        return Response(CapacitySerializer(shown).data)


def _people_named(names: list[str]) -> dict[str, Any]:
    users = cast("Any", get_user_model())._default_manager.filter(
        username__in=names, is_active=True
    )
    people = {user.username: user for user in users}
    errors = {
        f"people.{place}.person": [f"There is no active user named {name!r}."]
        for place, name in enumerate(names)
        if name not in people
    }
    if errors:
        listed = " ".join(texts[0] for texts in errors.values())
        raise InvalidInput(
            f"The capacity cannot be set. {listed}",
            code="invalid_capacity",
            details={"errors": errors},
        )
    return people
