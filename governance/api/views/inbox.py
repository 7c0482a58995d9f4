"""The inbox and the notices of whoever calls."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api import inbox_shapes as shapes
from governance.api.base import GovernanceViewSet
from governance.models import ReviewNotice
from governance.services import inbox as inboxes
from governance.services import notices
from governance.services.conditions import open_conditions
from governance.services.renewals import ending_for
from governance.services.review_lines import lines_of
from projects.actors import Actor
from projects.api.base import actor_of

#: Rows of the lists that grow for ever; the resources themselves have pages.
SHOWN = 100


class InboxView(APIView):
    """What waits for the caller, and what is late, due or about to end on their projects."""

    @extend_schema(responses=shapes.InboxSerializer)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        user = cast("User", actor.user)
        answer: dict[str, Any] = {
            "waiting": lines_of(inboxes.waiting_for(user), user),
            "requests": lines_of(inboxes.requested_by(actor)[:SHOWN], user),
            "overdue": lines_of(inboxes.overdue(actor)[:SHOWN], user),
            "team": inboxes.team(actor),
            "conditions": open_conditions(actor)[:SHOWN],
            "findings": inboxes.unresolved_findings(actor)[:SHOWN],
            "ending": ending_for(actor)[:SHOWN],
            "notices": _unread(actor)[:SHOWN],
        }
        return Response(shapes.InboxSerializer(answer).data)


def _unread(actor: Actor) -> QuerySet[ReviewNotice]:
    return ReviewNotice.objects.visible_to(actor).unread().select_related("project")


class ReviewNoticeViewSet(GovernanceViewSet):
    queryset = ReviewNotice.objects.select_related("project")
    serializer_class = shapes.ReviewNoticeSerializer
    filterset_fields = {"kind": ["exact"], "review": ["exact"], "read_at": ["isnull"]}
    ordering_fields = ["created_at"]

    @extend_schema(request=shapes.ReadNoticesInput, responses=shapes.ReadAnswerSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="read",
        pagination_class=None,
        filter_backends=[],
    )
    def mark_read(self, request: Request) -> Response:
        numbers = self.read(shapes.ReadNoticesInput)["ids"]
        done = notices.mark_read(cast("User", self.actor.user), numbers)
        return Response({"read": done})
