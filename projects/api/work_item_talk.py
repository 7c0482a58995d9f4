"""What people say about work items and attach to them, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api import work_item_serializers as serializers
from projects.services import attachments, comments, notices


class TalkActions:
    """Comments, watching, attachments and history of an item; mixed into its viewset."""

    @extend_schema(
        methods=["POST"],
        request=serializers.NewCommentSerializer,
        responses={201: serializers.CommentSerializer},
    )
    @extend_schema(methods=["GET"], responses=serializers.CommentSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def comments(self: Any, request: Request, pk: str) -> Response:
        """List what was said, or say something."""
        item = self.get_object()
        if request.method == "POST":
            body = self.read(serializers.NewCommentSerializer)
            comment = comments.add_comment(item, body["body"], actor=self.actor)
            return Response(serializers.CommentSerializer(comment).data, status=201)
        rows = item.comments.select_related("author").prefetch_related("mentions")
        return Response(serializers.CommentSerializer(rows, many=True).data)

    @extend_schema(request=serializers.WatchingSerializer, responses=serializers.WatchingSerializer)
    @action(detail=True, methods=["post"])
    def watch(self: Any, request: Request, pk: str) -> Response:
        """Watch the item, or stop watching it."""
        item = self.get_object()
        watching = self.read(serializers.WatchingSerializer)["watching"]
        (notices.watch if watching else notices.unwatch)(item, actor=self.actor)
        names = sorted(user.get_username() for user in item.watchers.all())
        return Response({"watching": watching, "watchers": names})

    @extend_schema(
        methods=["POST"],
        request={"multipart/form-data": serializers.NewAttachmentSerializer},
        responses={201: serializers.AttachmentSerializer},
    )
    @extend_schema(methods=["GET"], responses=serializers.AttachmentSerializer(many=True))
    @action(
        detail=True,
        methods=["get", "post"],
        parser_classes=[MultiPartParser, FormParser, JSONParser],
        pagination_class=None,
        filter_backends=[],
    )
    def attachments(self: Any, request: Request, pk: str) -> Response:
        """List the files, or attach one."""
        item = self.get_object()
        if request.method == "POST":
            file = self.read(serializers.NewAttachmentSerializer)["file"]
            row = attachments.attach(item, file, actor=self.actor)
            return Response(serializers.AttachmentSerializer(row).data, status=201)
        rows = item.attachments.select_related("added_by")
        return Response(serializers.AttachmentSerializer(rows, many=True).data)

    @extend_schema(responses=serializers.EventSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def events(self: Any, request: Request, pk: str) -> Response:
        """List all that happened to the item, oldest first."""
        rows = self.get_object().events.all()
        return Response(serializers.EventSerializer(rows, many=True).data)
