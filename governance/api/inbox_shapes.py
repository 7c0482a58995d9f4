"""What the inbox answers over REST, and what its commands take."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from governance.api.serializers import FindingSerializer, GateReviewSerializer
from governance.models import Condition, Dossier, ReviewAssignment, ReviewNotice
from projects.models import Stakeholder


class ReviewLineSerializer(serializers.Serializer[Any]):
    """One review of a list, with what it lacks and whom it waits for."""

    review = GateReviewSerializer()
    requirements = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    waits_for = serializers.ListField(child=serializers.CharField())
    is_asked = serializers.BooleanField(help_text="Whether the caller is asked by name.")


class TeamRowSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    user = serializers.CharField(source="user__username")
    reviews = serializers.IntegerField()
    overdue = serializers.IntegerField()
    next_due = serializers.DateField(allow_null=True)


class DueConditionSerializer(serializers.ModelSerializer[Condition]):
    review = serializers.IntegerField(source="sign_off.review_id")

    class Meta:
        model = Condition
        fields = ["id", "review", "text", "due_on"]


class ReviewNoticeSerializer(serializers.ModelSerializer[ReviewNotice]):
    project = serializers.CharField(source="project.slug")

    class Meta:
        model = ReviewNotice
        fields = ["id", "project", "review", "kind", "role", "text", "created_at", "read_at",
                  "emailed_at", "email_skipped"]  # fmt: skip


class InboxSerializer(serializers.Serializer[Any]):
    """Everything that waits, is late, due, or about to end, for the caller."""

    waiting = ReviewLineSerializer(many=True)
    requests = ReviewLineSerializer(many=True)
    overdue = ReviewLineSerializer(many=True)
    team = TeamRowSerializer(many=True)
    conditions = DueConditionSerializer(many=True)
    findings = FindingSerializer(many=True)
    ending = GateReviewSerializer(many=True)
    notices = ReviewNoticeSerializer(many=True, help_text="Not read yet.")


class AssignmentSerializer(serializers.ModelSerializer[ReviewAssignment]):
    user = serializers.CharField(source="user.username")
    assigned_by = serializers.CharField(source="assigned_by.username", default=None)

    class Meta:
        model = ReviewAssignment
        fields = ["id", "role", "user", "assigned_by", "note", "assigned_at", "ended_at"]


class HandoverInput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Stakeholder.Role.choices)
    user = serializers.CharField(help_text="User name.")
    note = serializers.CharField(max_length=300)


class DueDateInput(serializers.Serializer[Any]):
    due_on = serializers.DateField()
    reason = serializers.CharField(max_length=4000)


class ReadNoticesInput(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        allow_null=True,
        default=None,
        help_text="All of the caller's notices if left out.",
    )


class ReadAnswerSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField()


class DossierSerializer(serializers.ModelSerializer[Dossier]):
    issued_by = serializers.CharField(source="issued_by.username", default=None)
    url = serializers.SerializerMethodField(help_text="Page that sends the bytes.")

    class Meta:
        model = Dossier
        fields = ["id", "review", "digest", "issued_by", "issued_at", "url"]

    def get_url(self, dossier: Dossier) -> str:
        return reverse("governance:issued-dossier", args=[dossier.digest])
