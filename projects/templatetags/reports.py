"""Template filters of reports, whose values are JSON-ready."""

from datetime import date, datetime

from django import template
from django.utils import formats, timezone

register = template.Library()


@register.filter
def day(value: str | None) -> str:
    """Show an ISO day or moment as 2 Nov 2026, by the clocks of the service."""
    if not value:
        return ""
    if "T" not in value:
        return str(formats.date_format(date.fromisoformat(value), "j M Y"))
    return str(formats.date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y"))
