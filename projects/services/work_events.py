"""What every change of a work item leaves: an event of its own and an entry in the ledger."""

from collections.abc import Collection
from typing import Any

from ledger import services as ledger
from projects.actors import Actor
from projects.models import WorkItem, WorkItemEvent
from projects.rules.work_item_details import is_empty
from projects.services import notices


def note(
    item: WorkItem, kind: str, actor: Actor, *, told_besides: Collection[int] = (), **data: Any
) -> WorkItemEvent:
    """Keep the change and how the item stands after it, and tell those who watch it.

    Every event holds `status`, and `sprint`, `points`, `hours` and `outcome` if the item has them,
    so that any day can be rebuilt. `told_besides` are user ids that were told in other words.
    """
    stands = {
        "status": str(item.status),
        "sprint": f"sprint:{item.sprint_id}" if item.sprint_id else "",
        "points": item.points,
        "hours": item.hours,
        "outcome": str(item.outcome),
    }
    kept = {name: value for name, value in {**stands, **data}.items() if not is_empty(value)}
    notices.tell_watchers(item, kind, kept, actor=actor, besides=told_besides)
    return WorkItemEvent.objects.create(item=item, actor=actor.ref, kind=kind, data=kept)


def record(event: str, item: WorkItem, *, actor: Actor, **data: Any) -> None:
    """Write the act to the ledger."""
    ledger.append(
        event,
        subject=item.ref,
        actor=actor,
        data={"project": item.project.ref, "title": item.title, **data},
    )
