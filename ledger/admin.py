"""The log in the admin: search and read, nothing else."""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from ledger import registry
from ledger.models import Checkpoint, LedgerEntry

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class _ReadOnly(_ModelAdmin):
    """No one adds, changes or deletes a record of what happened."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EventFilter(admin.SimpleListFilter):
    """Events by the titles that people know; the registry saves a scan of the whole log."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event.name, event.title) for event in registry.all_events()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(LedgerEntry)
class LedgerEntryAdmin(_ReadOnly):
    """One act: what the columns say and the very text that was hashed."""

    list_display = ["seq", "recorded_at", "event_title", "subject", "actor_name", "method"]
    list_display_links = ["seq", "event_title"]
    list_filter = [EventFilter, "method", "recorded_at"]
    search_fields = ["subject", "=actor", "actor_name", "event"]
    search_help_text = "Subject (such as sprint:12), event, or actor by name or reference."
    ordering = ["-seq"]
    # Counting a long log for every page costs more than the page.
    show_full_result_count = False
    fields = [
        "seq",
        "recorded_at",
        "event_title",
        "event",
        "subject",
        "actor",
        "actor_name",
        "method",
        "pretty_body",
        "leaf",
        "previous",
        "entry",
    ]
    readonly_fields = ["event_title", "pretty_body", "leaf", "previous", "entry"]

    @admin.display(description="event", ordering="event")
    def event_title(self, entry: LedgerEntry) -> str:
        return entry.title

    @admin.display(description="hashed body")
    def pretty_body(self, entry: LedgerEntry) -> str:
        text = json.dumps(entry.document, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html("<pre>{}</pre>", text)

    @admin.display(description="leaf hash")
    def leaf(self, entry: LedgerEntry) -> str:
        return bytes(entry.leaf_hash).hex()

    @admin.display(description="previous hash")
    def previous(self, entry: LedgerEntry) -> str:
        return bytes(entry.previous_hash).hex()

    @admin.display(description="entry hash")
    def entry(self, entry: LedgerEntry) -> str:
        return bytes(entry.entry_hash).hex()


@admin.register(Checkpoint)
class CheckpointAdmin(_ReadOnly):
    """Signed notes; copy one out and keep it to notice later that the log was cut back."""

    list_display = ["size", "made_at", "root_hex"]
    ordering = ["-size"]
    fields = ["size", "made_at", "root_hex", "signed_note"]
    readonly_fields = ["root_hex", "signed_note"]

    @admin.display(description="root")
    def root_hex(self, checkpoint: Checkpoint) -> str:
        return bytes(checkpoint.root).hex()

    @admin.display(description="signed note")
    def signed_note(self, checkpoint: Checkpoint) -> str:
        return format_html("<pre>{}</pre>", checkpoint.note)
