"""What a card's form on a page asks for: a column, a place in it, or both at once."""

from dataclasses import dataclass

from django.db import transaction

from projects.actors import Actor
from projects.errors import InvalidTransition, StaleState
from projects.models import WorkItem
from projects.services.ranking import rank_work_item
from projects.services.work_items import move_work_item


@dataclass(frozen=True, slots=True)
class CardMove:
    """Where a card shall go; `seen` is the column in which the person saw it."""

    to: str = ""
    seen: str = ""
    before: WorkItem | None = None
    after: WorkItem | None = None


@transaction.atomic
def move_card(item: WorkItem, move: CardMove, *, actor: Actor) -> WorkItem:
    """Move a card to a column and to a place in it, both or neither.

    Raises:
        StaleState: code `card_moved_meanwhile`; it is no longer where the person saw it.
    """
    if move.seen and item.status != move.seen:
        raise moved_meanwhile(item)
    if move.to and move.to != item.status:
        try:
            move_work_item(item, move.to, actor=actor)
        except StaleState as error:
            item.refresh_from_db()
            raise moved_meanwhile(item) from error
    elif move.to and move.before is None and move.after is None:
        raise InvalidTransition(f"“{item.title}” is in {item.get_status_display()} already.")
    if move.before is not None or move.after is not None:
        rank_work_item(item, before=move.before, after=move.after, actor=actor)
    return item


def moved_meanwhile(item: WorkItem) -> StaleState:
    """Return the refusal of a move that starts from where the card no longer is."""
    latest = item.events.filter(kind="moved").last()
    when = f" at {latest.at:%H:%M} UTC" if latest is not None else ""
    return StaleState(
        f"“{item.title}” was moved to {item.get_status_display()} by somebody else{when}. "
        "The board shows where it is now; move it from there if it shall still go.",
        code="card_moved_meanwhile",
        details={"now": item.status},
    )
