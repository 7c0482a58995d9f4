"""Assessments of risk tiers: to look at here, made on the project's page."""

from django.contrib import admin

from projects.admin.base import ReadOnlyAdmin
from projects.models import TierAssessment


@admin.register(TierAssessment)
class TierAssessmentAdmin(ReadOnlyAdmin):
    """How the risk tier of each project came about."""

    list_display = (
        "project",
        "former",
        "chosen",
        "computed",
        "state",
        "assessed_by",
        "assessed_at",
    )
    list_filter = ("chosen", "needs_agreement", "project")
    list_select_related = ("project", "assessed_by", "decision")
    search_fields = ("project__name", "reason")
    date_hierarchy = "assessed_at"
