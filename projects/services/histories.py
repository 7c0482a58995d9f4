"""What happened to a project's work, read from its events for charts and reports."""

from django.utils import timezone

from projects.models import Project, Sprint, SprintSnapshot, WorkItem, WorkItemEvent
from projects.rules.charts.base import ItemInfo
from projects.rules.sprint_series import SprintSeries, SprintSpan, from_data, sprint_series
from projects.rules.work_history import Change, History, read_event


def items_of(project: Project) -> list[ItemInfo]:
    """Return the project's work items without epics, which are only the sum of others."""
    rows = WorkItem.objects.filter(project=project).exclude(kind=WorkItem.Kind.EPIC)
    fields = rows.order_by("pk").values_list("pk", "kind", "title", "time_box_hours")
    return [ItemInfo(*row) for row in fields]


def changes_of(project: Project) -> History:
    """Return every change of the project's items, in two queries.

    An item without any event, such as one that was loaded from elsewhere, is taken to have stood
    as it does now since it was made.
    """
    told = WorkItemEvent.objects.filter(item__project=project)
    rows = told.exclude(item__kind=WorkItem.Kind.EPIC).order_by("at", "pk")
    changes = [read_event(*row) for row in rows.values_list("item", "at", "pk", "kind", "data")]
    silent = WorkItem.objects.filter(project=project, events=None)
    return changes + [_made(item) for item in silent.exclude(kind=WorkItem.Kind.EPIC)]


def series_of(
    sprint: Sprint, changes: History, snapshot: SprintSnapshot | None
) -> SprintSeries | None:
    """Return the sprint's days: from its snapshot if it has one, else from the changes.

    A sprint that never started has none.
    """
    if snapshot is not None and "series" in snapshot.data:
        return from_data(snapshot.data["series"])
    if sprint.started_at is None:
        return None
    span = SprintSpan(
        sprint.ref, sprint.starts_on, sprint.ends_on, sprint.started_at, sprint.closed_at
    )
    now = timezone.now()
    return sprint_series(span, changes, zone=timezone.get_default_timezone(), now=now)


def snapshots_of(project: Project) -> dict[int, SprintSnapshot]:
    """Return the snapshots of the project's sprints by the number of the sprint."""
    rows = SprintSnapshot.objects.filter(sprint__project=project)
    return {row.sprint_id: row for row in rows}


def sprints_by_start(project: Project) -> list[Sprint]:
    """Return the sprints that ran or run, in the order in which they started."""
    started = Sprint.objects.filter(project=project, started_at__isnull=False)
    return list(started.order_by("started_at", "pk"))


def _made(item: WorkItem) -> Change:
    stands = {
        "status": item.status,
        "sprint": f"sprint:{item.sprint_id}" if item.sprint_id else "",
        "points": item.points,
        "hours": item.hours,
        "outcome": item.outcome,
    }
    return read_event(item.pk, item.created_at, 0, "created", stands)
