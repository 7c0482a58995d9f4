"""Meetings and what they promised: to look at here, written by commands."""

from django.contrib import admin

from projects.admin.base import ReadOnlyAdmin
from projects.models import Ceremony, RetrospectiveAction


@admin.register(Ceremony)
class CeremonyAdmin(ReadOnlyAdmin):
    """Meetings that were held."""

    list_display = ("kind", "project", "sprint", "held_on", "decider", "decision")
    list_filter = ("kind", "decision", "project")
    list_select_related = ("project", "sprint", "decider")
    search_fields = ("notes", "project__name")
    date_hierarchy = "held_on"


@admin.register(RetrospectiveAction)
class RetrospectiveActionAdmin(ReadOnlyAdmin):
    """What retrospectives promised."""

    list_display = ("text", "project", "owner", "due", "status")
    list_filter = ("status", "project")
    list_select_related = ("project", "owner")
    search_fields = ("text", "project__name")
