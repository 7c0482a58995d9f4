"""Which items of a sprint are not ready to be worked on."""

from django.db.models import QuerySet

from projects.models import WorkItem


def unready_items(items: QuerySet[WorkItem]) -> list[str]:
    """Return a sentence for each item that nobody has taken or sized."""
    sentences = []
    for item in items.select_related("assignee").order_by("rank", "pk"):
        lacking = []
        if item.kind != WorkItem.Kind.EPIC and not (
            item.points or item.hours or item.time_box_hours or item.details.get("size")
        ):
            lacking.append("has no size")
        if item.assignee is None:
            lacking.append("is nobody's")
        if lacking:
            sentences.append(f"“{item.title}” {' and '.join(lacking)}.")
    return sentences
