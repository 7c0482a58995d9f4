"""Which items of a sprint are not ready to be worked on."""

from django.db.models import QuerySet

from projects.models import WorkItem
from projects.services.definitions import checklists_of

#: Nothing that somebody works on may be judged ready before it begins.
_WAITING = (WorkItem.Status.BACKLOG, WorkItem.Status.TODO)


def unready_items(items: QuerySet[WorkItem]) -> list[str]:
    """Return a sentence for each waiting item without size, owner or what its kind needs."""
    waiting = items.filter(status__in=_WAITING).exclude(kind=WorkItem.Kind.EPIC)
    rows = waiting.select_related("assignee", "project").order_by("rank", "pk")
    lacking = [(item, _lacking(item)) for item in rows]
    return [f"“{item.title}”: {' '.join(reasons)}" for item, reasons in lacking if reasons]


def _lacking(item: WorkItem) -> list[str]:
    found = []
    if not (item.points or item.hours or item.time_box_hours or item.details.get("size")):
        found.append("it has no size.")
    if item.assignee is None:
        found.append("nobody has taken it.")
    return [*found, *(check.reason for check in checklists_of(item).ready if check.stops)]
