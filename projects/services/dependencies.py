"""What an item waits for, and how far an epic has come."""

from dataclasses import dataclass

from django.db import transaction

from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.lifecycle import compare_and_swap
from projects.models import Project, WorkItem
from projects.rules.dependencies import would_close_a_cycle
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.services.work_events import note, record


@dataclass(frozen=True, slots=True)
class EpicProgress:
    """How far an epic's children have come; what was dropped counts in neither number."""

    items: int
    items_done: int
    points: int
    points_done: int

    @property
    def percent(self) -> int:
        """Return the share that is done, by points if any child has them."""
        whole, part = (
            (self.points, self.points_done) if self.points else (self.items, self.items_done)
        )
        return round(100 * part / whole) if whole else 0


def progress_of(epic: WorkItem) -> EpicProgress:
    """Return the sum over an epic's children."""
    children = [child for child in epic.children.all() if child.status != WorkItem.Status.DROPPED]
    done = [child for child in children if child.status == WorkItem.Status.DONE]
    return EpicProgress(
        items=len(children),
        items_done=len(done),
        points=sum(child.points or 0 for child in children),
        points_done=sum(child.points or 0 for child in done),
    )


@transaction.atomic
def add_dependency(item: WorkItem, needed: WorkItem, *, actor: Actor) -> WorkItem:
    """Let the item wait for another of its project; a second time changes nothing.

    Raises:
        InvalidInput: code `dependency_on_itself` or `dependency_elsewhere`.
        RuleViolated: code `dependency_cycle`, or `item_finished`.
    """
    access.require(actor, "work_item.depend", item.project)
    if item.pk == needed.pk:
        raise InvalidInput("An item cannot wait for itself.", code="dependency_on_itself")
    if item.project_id != needed.project_id:
        raise InvalidInput(
            f"“{needed.title}” belongs to another project.", code="dependency_elsewhere"
        )
    if item.status in FINISHED_ITEM_STATUSES:
        raise RuleViolated(
            f"“{item.title}” is {item.status} and waits for nothing.", code="item_finished"
        )
    # Two edges that close a cycle together would each pass alone; SQLite has one writer anyway.
    Project.objects.select_for_update().get(pk=item.project_id)
    edges = set(_edges(item.project))
    if (item.pk, needed.pk) in edges:
        return item
    if would_close_a_cycle(edges, item.pk, needed.pk):
        raise RuleViolated(
            f"“{needed.title}” waits for “{item.title}” already, directly or by way of others.",
            code="dependency_cycle",
            reasons=["Items that wait for each other never end."],
        )
    compare_and_swap(item, expected={"status": item.status})
    item.depends_on.add(needed)
    note(item, "dependency_added", actor, needed=needed.ref)
    record("work_item.dependency_added", item, actor=actor, needed=needed.ref)
    return item


@transaction.atomic
def remove_dependency(item: WorkItem, needed: WorkItem, *, actor: Actor) -> WorkItem:
    """Let the item no longer wait for another.

    Raises:
        InvalidInput: code `no_such_dependency`.
    """
    access.require(actor, "work_item.depend", item.project)
    if not item.depends_on.filter(pk=needed.pk).exists():
        raise InvalidInput(
            f"“{item.title}” does not wait for “{needed.title}”.", code="no_such_dependency"
        )
    compare_and_swap(item, expected={"status": item.status})
    item.depends_on.remove(needed)
    note(item, "dependency_removed", actor, needed=needed.ref)
    record("work_item.dependency_removed", item, actor=actor, needed=needed.ref)
    return item


def _edges(project: Project) -> list[tuple[int, int]]:
    through = WorkItem.depends_on.through
    rows = through.objects.filter(from_workitem__project=project)
    return list(rows.values_list("from_workitem", "to_workitem"))
