"""Deviations: to look at here, explained and decided on the page of the scope's changes."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from projects.admin.base import ReadOnlyAdmin
from projects.models import Deviation


@admin.register(Deviation)
class DeviationAdmin(ReadOnlyAdmin):
    """Criteria that a new version makes easier, and what was decided about it."""

    list_display = ("criterion_key", "scope", "status", "is_result_seen", "decided_by", "changes")
    list_filter = ("status", "is_result_seen", "scope__project")
    list_select_related = ("scope__project", "decided_by")
    search_fields = ("criterion_key", "scope__project__name")

    @admin.display(description="Page")
    def changes(self, deviation: Deviation) -> str:
        url = reverse("projects:scope-changes", args=[deviation.scope_id])
        return format_html('<a href="{}#deviations">Explain or decide</a>', url)
