"""How runs are shown on cards and item pages."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django import template

from projects import access
from projects.models import WorkItem
from projects.services.item_runs import runs_of_item
from projects.web import actor_of

register = template.Library()


@register.filter
def number(value: float) -> str:
    """Return a number with four significant figures."""
    return f"{value:.4g}"


@register.filter
def slice_items(items: Iterable[Any], most: int) -> list[Any]:
    """Return the first few of what a dictionary yields."""
    return list(islice(items, most))


@register.inclusion_tag("projects/_runs_of_item.html", takes_context=True)
def runs_of_work_item(context: dict[str, Any], item: WorkItem) -> dict[str, Any]:
    """Show an item's runs, kept up to date while one goes on, and the form that links one."""
    request = context["request"]
    return {
        "item": item,
        "runs": runs_of_item(item),
        "compact": False,
        "may_link": access.can(actor_of(request), "work_item.link_run", item.project),
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }
