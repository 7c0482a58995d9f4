"""The log over REST: read it, take a checkpoint away, have it verified."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.serializers import (
    CheckpointSerializer,
    LedgerEntrySerializer,
    ReportSerializer,
)
from ledger.models import Checkpoint, LedgerEntry
from ledger.services import verify


class MayReadLedger(permissions.IsAuthenticated):
    """The log tells everything about every project, so it has a permission of its own."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(
            super().has_permission(request, view)
            and request.user.has_perm("ledger.view_ledgerentry")
        )


class LedgerViewSet(viewsets.ReadOnlyModelViewSet[LedgerEntry]):
    """Entries, newest first, by their sequence number."""

    queryset = LedgerEntry.objects.order_by("-seq")
    serializer_class = LedgerEntrySerializer
    permission_classes = [MayReadLedger]
    lookup_field = "seq"
    lookup_value_regex = r"[0-9]{1,18}"
    filterset_fields = {
        "subject": ["exact", "startswith"],
        "event": ["exact", "in"],
        "actor": ["exact"],
        "seq": ["gt", "lt"],
        "recorded_at": ["gte", "lt"],
    }

    @extend_schema(responses=CheckpointSerializer, filters=False)
    @action(detail=False, pagination_class=None, filter_backends=[])
    def checkpoint(self, request: Request) -> Response:
        """Return the latest signed note; whoever keeps it can prove a later cut."""
        latest = Checkpoint.objects.order_by("-size").first()
        if latest is None:
            raise Http404("The ledger has no checkpoint yet.")
        return Response(CheckpointSerializer(latest).data)

    @extend_schema(responses=ReportSerializer, filters=False)
    @action(
        detail=False,
        pagination_class=None,
        filter_backends=[],
        permission_classes=[permissions.IsAdminUser, MayReadLedger],
    )
    def verify(self, request: Request) -> Response:
        """Walk the whole log and report; the work grows with its length."""
        return Response(ReportSerializer(verify()).data)
