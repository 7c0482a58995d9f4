"""Watching items, and telling watchers what others did; nobody is told of what they did."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from projects import access
from projects.actors import Actor
from projects.models import Notice, Stakeholder, WorkItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Data = Mapping[str, Any]
LONGEST = 300


def watch(item: WorkItem, *, actor: Actor) -> None:
    """Tell the actor of what others do to the item from now on."""
    access.require(actor, "work_item.watch", item.project)
    item.watchers.add(*filter(None, [actor.user]))


def unwatch(item: WorkItem, *, actor: Actor) -> None:
    """Tell the actor no longer; a mention still reaches them."""
    access.require(actor, "work_item.watch", item.project)
    item.watchers.remove(*filter(None, [actor.user]))


def let_watch(item: WorkItem, users: Iterable["User | None"]) -> None:
    """Add the author, the assignee or people who were mentioned to the watchers."""
    item.watchers.add(*(user for user in users if user is not None))


def tell_watchers(
    item: WorkItem, kind: str, data: Data, *, actor: Actor, besides: Collection[int] = ()
) -> None:
    """Tell those who watch the item and are on the project of a change of this kind.

    `besides` are user ids that were told in other words. Kinds without words are not told.
    """
    words = _WORDS.get(kind)
    if words is None:
        return
    told = item.watchers.exclude(pk__in=[pk for pk in (actor.user_id, *besides) if pk])
    _tell(item, told.values_list("pk", flat=True), f"{_name(actor)} {words(data)} “{item.title}”")


def tell_mentioned(item: WorkItem, users: Iterable["User"], *, actor: Actor) -> None:
    """Tell people that somebody spoke of them."""
    told = [user.pk for user in users if user.pk != actor.user_id]
    _tell(item, told, f"{_name(actor)} mentioned you on “{item.title}”")


def mark_read(user: "User", numbers: Collection[int] | None = None) -> int:
    """Mark a person's notices as read, all of them or those with the given numbers."""
    unread = Notice.objects.filter(user=user, read_at=None)
    if numbers is not None:
        unread = unread.filter(pk__in=numbers)
    return unread.update(read_at=timezone.now())


def unread_count(user: "User") -> int:
    """Return how many notices a person has not read, with one query on an index."""
    return Notice.objects.filter(user=user, read_at=None).count()


def _tell(item: WorkItem, users: Iterable[int], text: str) -> None:
    wanted = list(users)
    if not wanted:
        return
    # Who left the project keeps watching on paper only: they may no longer read about it.
    held = Stakeholder.objects.current().filter(
        project=item.project_id, user__in=wanted, user__is_active=True
    )
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    Notice.objects.bulk_create(
        Notice(user_id=user, item=item, text=shown)
        for user in sorted(set(held.values_list("user", flat=True)))
    )


def _name(actor: Actor) -> str:
    return f"The {actor.name}" if actor.is_system else actor.name


def _moved(data: Data) -> str:
    outcome = str(data.get("outcome") or "").replace("_", " ")
    if outcome and data.get("to") == "done":
        return f"ended as {outcome}:"
    labels = dict(WorkItem.Status.choices)
    to = str(data.get("to", ""))
    return f"moved to {str(labels.get(to, to)).lower()}:"


def _edited(data: Data) -> str:
    names = sorted({*data.get("before", {}), *data.get("after", {})})
    return f"changed {', '.join(names).replace('_', ' ')} of"


_WORDS: Mapping[str, Callable[[Data], str]] = {
    "moved": _moved,
    "edited": _edited,
    "sprint_changed": lambda data: (
        "took into a sprint:" if data.get("joined") else "took out of the sprint:"
    ),
    "time_box_extended": lambda _data: "extended the time box of",
    "time_box_stopped": lambda _data: "chose to stop at the end of the time box of",
    "dependency_added": lambda _data: "added a dependency to",
    "dependency_removed": lambda _data: "removed a dependency from",
    "run_linked": lambda _data: "linked a run to",
    "run_unlinked": lambda _data: "took a run off",
    "attached": lambda data: f"attached {data.get('name')} to",
    "commented": lambda _data: "commented on",
}
