"""Sprints and work items: to look at here, changed by the buttons of the board."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from projects.admin.base import ReadOnlyAdmin, TabularInline
from projects.models import Attachment, Comment, Sprint, WorkItem, WorkItemEvent


@admin.register(Sprint)
class SprintAdmin(ReadOnlyAdmin):
    """Sprints; start, close and cancel are buttons."""

    change_form_template = "admin/projects/sprint/change_form.html"
    list_display = ("name", "project", "kind", "status", "starts_on", "ends_on", "board")
    list_filter = ("status", "kind", "project")
    list_select_related = ("project",)
    search_fields = ("name", "goal", "project__name")
    date_hierarchy = "starts_on"

    @admin.display(description="Board")
    def board(self, sprint: Sprint) -> str:
        url = reverse("projects:board", args=[sprint.pk])
        return format_html('<a href="{}">Open the board</a>', url)


class RecordedInline(TabularInline):
    """Rows that are written elsewhere, once."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class WorkItemEventInline(RecordedInline):
    """What happened to an item."""

    model = WorkItemEvent
    fields = readonly_fields = ("at", "actor", "kind", "data")


class CommentInline(RecordedInline):
    """What people said on an item."""

    model = Comment
    fields = readonly_fields = ("created_at", "author", "body")


class AttachmentInline(RecordedInline):
    """Files on an item, to be downloaded."""

    model = Attachment
    fields = readonly_fields = ("added_at", "added_by", "file", "size", "digest")

    @admin.display(description="File")
    def file(self, attachment: Attachment) -> str:
        url = reverse("projects:attachment", args=[attachment.pk])
        return format_html('<a href="{}">{}</a>', url, attachment.name)


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnlyAdmin):
    """Work items with all that happened to them."""

    list_display = ("title", "kind", "status", "outcome", "project", "sprint", "assignee")
    list_filter = ("status", "kind", "outcome", "project")
    list_select_related = ("project", "sprint", "assignee")
    search_fields = ("title", "description", "project__name", "sprint__name")
    inlines = (CommentInline, AttachmentInline, WorkItemEventInline)
    change_form_template = "admin/projects/workitem/change_form.html"
