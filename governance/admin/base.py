"""What every admin of governance shares."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.admin.base import ReadOnlyAdmin, TabularInline

__all__ = ["ReadOnlyAdmin", "ReadOnlyInline", "link", "pretty"]


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
