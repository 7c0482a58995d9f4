"""What REST answers show of a work item, and what its commands take."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from projects import markdown
from projects.models import Attachment, Comment, WorkItem, WorkItemEvent
from projects.rules.definitions import Check
from projects.services.definitions import checklists_of
from projects.services.item_moves import PossibleMove, moves_of


class WorkItemSerializer(serializers.ModelSerializer[WorkItem]):
    assignee = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    version = serializers.IntegerField(source="version_lock", read_only=True)

    class Meta:
        model = WorkItem
        fields: tuple[str, ...] = (
            "id", "ref", "project", "sprint", "parent", "kind", "title", "description", "status",
            "outcome", "conclusion", "points", "hours", "due_on", "details", "metric_key",
            "expected_effect", "time_box_hours", "time_box_ends_at", "time_box_extended_because",
            "assignee", "run_ids", "depends_on", "rank", "created_by", "created_at", "version",
        )  # fmt: skip


class CheckSerializer(serializers.Serializer[Check]):
    code = serializers.CharField()
    text = serializers.CharField()
    is_met = serializers.BooleanField()
    reason = serializers.CharField()
    field = serializers.CharField()
    only_warns = serializers.BooleanField()


class ChecklistsSerializer(serializers.Serializer[Any]):
    ready = CheckSerializer(many=True)
    done = CheckSerializer(many=True)


class PossibleMoveSerializer(serializers.Serializer[PossibleMove]):
    to = serializers.CharField()
    by = serializers.CharField()
    is_allowed = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())


class WorkItemDetailSerializer(WorkItemSerializer):
    allowed_transitions = serializers.SerializerMethodField()
    checklists = serializers.SerializerMethodField()

    class Meta(WorkItemSerializer.Meta):
        fields = (*WorkItemSerializer.Meta.fields, "allowed_transitions", "checklists")

    def to_representation(self, instance: WorkItem) -> Any:
        # Both answers below come from the same facts, which are read once.
        self.lists = checklists_of(instance)
        return super().to_representation(instance)

    @extend_schema_field(PossibleMoveSerializer(many=True))
    def get_allowed_transitions(self, item: WorkItem) -> Any:
        moves = moves_of(item, self.lists, actor=self.context["view"].actor)
        return [PossibleMoveSerializer(move).data for move in moves]

    @extend_schema_field(ChecklistsSerializer)
    def get_checklists(self, _item: WorkItem) -> Any:
        return ChecklistsSerializer(self.lists).data


class EditWorkItemSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(required=False, allow_blank=True)
    description = serializers.CharField(required=False, allow_blank=True)
    # DRF takes declared fields off the class, so its own `parent` is not touched.
    parent = serializers.IntegerField(  # type: ignore[assignment]
        required=False, allow_null=True
    )
    points = serializers.IntegerField(required=False, allow_null=True)
    hours = serializers.FloatField(required=False, allow_null=True)
    due_on = serializers.DateField(required=False, allow_null=True)
    metric_key = serializers.CharField(required=False, allow_blank=True)
    expected_effect = serializers.CharField(required=False, allow_blank=True)
    time_box_hours = serializers.IntegerField(required=False, allow_null=True)
    assignee = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, help_text="User name; empty for nobody."
    )
    details = serializers.DictField(
        required=False, help_text="The kind's own fields by name; an empty value clears one."
    )


class ChangeWorkItemSerializer(EditWorkItemSerializer):
    version = serializers.IntegerField(
        required=False, help_text="The version that the change is based on; 409 if it is older."
    )


class NewWorkItemSerializer(EditWorkItemSerializer):
    project = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=WorkItem.Kind.choices)
    title = serializers.CharField()
    sprint = serializers.IntegerField(required=False, allow_null=True)
    rank = serializers.FloatField(required=False)


class MoveSerializer(serializers.Serializer[Any]):
    to = serializers.CharField(help_text="Column of the board.")


class ScheduleSerializer(serializers.Serializer[Any]):
    sprint = serializers.IntegerField()


class ConclusionSerializer(serializers.Serializer[Any]):
    outcome = serializers.CharField()
    conclusion = serializers.CharField()
    details = serializers.DictField(
        required=False, help_text="Fields that the kind asks for at the end, by name."
    )


class StopItemSerializer(serializers.Serializer[Any]):
    conclusion = serializers.CharField(help_text="What was found until the time box was over.")


class ExtensionSerializer(serializers.Serializer[Any]):
    hours = serializers.IntegerField()
    reason = serializers.CharField()


class DependencySerializer(serializers.Serializer[Any]):
    on = serializers.IntegerField(help_text="The item that must be finished first.")


class NewCommentSerializer(serializers.Serializer[Any]):
    body = serializers.CharField(help_text="Markdown; @name mentions a person of the project.")


class CommentSerializer(serializers.ModelSerializer[Comment]):
    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    mentions = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, many=True)
    html = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "item", "author", "body", "html", "mentions", "created_at")

    @extend_schema_field({"type": "string"})
    def get_html(self, comment: Comment) -> str:
        names = [user.get_username() for user in comment.mentions.all()]
        return str(markdown.render(comment.body, mentioned=names))


class EventSerializer(serializers.ModelSerializer[WorkItemEvent]):
    class Meta:
        model = WorkItemEvent
        fields = ("id", "at", "actor", "kind", "data")


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    added_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = ("id", "item", "scope", "name", "media_type", "size", "digest", "added_by",
                  "added_at", "url")  # fmt: skip

    @extend_schema_field({"type": "string"})
    def get_url(self, attachment: Attachment) -> str:
        return reverse("projects:attachment", args=[attachment.pk])


class NewAttachmentSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class WatchingSerializer(serializers.Serializer[Any]):
    watching = serializers.BooleanField()
    watchers = serializers.ListField(child=serializers.CharField(), read_only=True)
