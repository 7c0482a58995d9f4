"""The order of the work: one list for each project, in which an item goes next to another."""

from django.db import transaction

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Project, WorkItem, WorkItemEvent
from projects.rules.ranking import dealt, place_of, rank_between


@transaction.atomic
def rank_work_item(
    item: WorkItem,
    *,
    actor: Actor,
    before: WorkItem | None = None,
    after: WorkItem | None = None,
) -> WorkItem:
    """Put an item right before or right after another one of its project.

    Where it stands already, nothing is written.

    Raises:
        InvalidInput: code `invalid_rank`; not exactly one neighbour is named, or it is the item
            itself or another project's.
    """
    access.require(actor, "work_item.rank", item.project)
    neighbour = _neighbour(item, before, after)
    # One at a time: two that read the same neighbours would write the same rank.
    Project.objects.select_for_update().get(pk=item.project_id)
    rows = list(_order_of(item.project))
    others = [row for row in rows if row[0] != item.pk]
    order = [pk for pk, _ in others]
    place = place_of(
        order,
        before=None if before is None else before.pk,
        after=None if after is None else after.pk,
    )
    if [pk for pk, _ in rows].index(item.pk) == place:
        return item
    ranks = [rank for _, rank in others]
    rank = rank_between(
        ranks[place - 1] if place else None, ranks[place] if place < len(ranks) else None
    )
    if rank is None:
        _deal_anew([*order[:place], item.pk, *order[place:]])
    else:
        WorkItem.objects.filter(pk=item.pk).update(rank=rank)
    item.refresh_from_db(fields=["rank"])
    side = {"before" if before is not None else "after": neighbour.ref}
    WorkItemEvent.objects.create(item=item, actor=actor.ref, kind="ranked", data=side)
    ledger.append(
        "work_item.ranked",
        subject=item.ref,
        actor=actor,
        data={"project": item.project.ref, "title": item.title, **side},
    )
    return item


def first_of(project: Project, *, without: WorkItem) -> WorkItem | None:
    """Return the item at the top of the project's list, leaving one out."""
    return project.work_items.exclude(pk=without.pk).order_by("rank", "pk").first()


def last_rank(project: Project) -> float:
    """Return a rank below everything the project has."""
    lowest = project.work_items.order_by("-rank").values_list("rank", flat=True).first()
    return rank_between(lowest, None) or 0.0


def _order_of(project: Project) -> "list[tuple[int, float]]":
    return list(project.work_items.order_by("rank", "pk").values_list("pk", "rank"))


def _neighbour(item: WorkItem, before: WorkItem | None, after: WorkItem | None) -> WorkItem:
    problem = ""
    neighbour = before if before is not None else after
    if neighbour is None or (before is not None and after is not None):
        problem = "Name one item that it shall stand before, or one that it shall stand after."
    elif neighbour.pk == item.pk:
        problem = "An item cannot be ranked next to itself."
    elif neighbour.project_id != item.project_id:
        problem = "Items are ranked within their project."
    if neighbour is None or problem:
        raise InvalidInput(problem, code="invalid_rank", details={"fields": ["before", "after"]})
    return neighbour


def _deal_anew(order: list[int]) -> None:
    rows = [WorkItem(pk=pk, rank=rank) for pk, rank in zip(order, dealt(len(order)), strict=True)]
    WorkItem.objects.bulk_update(rows, ["rank"], batch_size=200)
