"""What every admin of governance shares."""

import json
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger.models import LedgerEntry
from projects.admin import base
from projects.admin.base import TabularInline

__all__ = ["ReadOnlyAdmin", "ReadOnlyInline", "link", "pretty"]


class ReadOnlyAdmin(base.ReadOnlyAdmin):
    """Rows to look at, with their history as the ledger holds it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the acts on a row from the ledger; the admin's own log knows of none."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        entries = LedgerEntry.objects.filter(subject=getattr(row, "ref", "")).order_by("seq")
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row}",
            "subtitle": None,
            "opts": self.opts,
            "object": row,
            "entries": entries,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "governance/admin_history.html", context)


class ReadOnlyInline(TabularInline):
    """Rows of a record, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link(url: str, words: str) -> SafeString | str:
    """Show a link where there is an address, else the words alone."""
    return format_html('<a href="{}">{}</a>', url, words) if url else words


def pretty(value: Any) -> SafeString:
    """Show JSON indented, as it is stored."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html("<pre>{}</pre>", text)
