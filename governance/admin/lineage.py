"""The lineage graph, row by row."""

from django.contrib import admin

from governance.admin.base import ReadOnlyAdmin, ReadOnlyInline
from governance.models import LineageEdge, LineageNode


class OutgoingInline(ReadOnlyInline):
    """What the thing led to."""

    model = LineageEdge
    fk_name = "source"
    fields = ["kind", "target", "recorded_at"]
    verbose_name_plural = "led to"
    show_change_link = False


class IncomingInline(ReadOnlyInline):
    """What led to the thing."""

    model = LineageEdge
    fk_name = "target"
    fields = ["source", "kind", "recorded_at"]
    verbose_name_plural = "came from"
    show_change_link = False


@admin.register(LineageNode)
class LineageNodeAdmin(ReadOnlyAdmin):
    """Things as they were when they took part."""

    list_display = ["label", "kind", "ref", "digest", "project", "recorded_at"]
    list_filter = ["kind", "project"]
    list_select_related = ["project"]
    search_fields = ["label", "ref", "digest"]
    date_hierarchy = "recorded_at"
    inlines = [IncomingInline, OutgoingInline]
