"""What the boards and the backlog show: items by column and lane, with what hangs on each."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from projects.actors import Actor
from projects.models import Project, Sprint, WorkItem
from projects.rules.transitions import (
    FINISHED_ITEM_STATUSES,
    OUTCOMES_BY_KIND,
    WORK_ITEM_TRANSITIONS,
)
from projects.rules.wip import Wip
from projects.services.item_runs import ItemRuns, runs_by_item
from projects.services.wip_limits import wip_of

COLUMNS = ("todo", "doing", "review", "done", "dropped")
LANES = ("none", "assignee", "epic", "kind")
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader wants to see of a board or a backlog; empty values let everything through."""

    kind: str = ""
    assignee: str = ""
    text: str = ""
    epic: int | None = None
    mine: bool = False

    @property
    def is_set(self) -> bool:
        return self != Filters()

    def keep(self, items: "QuerySet[WorkItem]", actor: Actor) -> "QuerySet[WorkItem]":
        """Return the items that pass."""
        if self.kind:
            items = items.filter(kind=self.kind)
        if self.assignee == NOBODY:
            items = items.filter(assignee=None)
        elif self.assignee:
            items = items.filter(assignee__username=self.assignee)
        if self.text:
            matches = Q(title__icontains=self.text) | Q(description__icontains=self.text)
            items = items.filter(matches)
        if self.epic:
            items = items.filter(parent=self.epic)
        if self.mine:
            items = items.filter(assignee=actor.user_id)
        return items


@dataclass(frozen=True, slots=True)
class Card:
    """One item on the board, with the neighbours that it can change places with."""

    item: WorkItem
    runs: ItemRuns
    above: WorkItem | None = None
    below: WorkItem | None = None
    waits_for: tuple[WorkItem, ...] = ()

    @property
    def moves(self) -> list[tuple[str, str]]:
        """Return the columns that the card may go to, with their titles."""
        labels = dict(WorkItem.Status.choices)
        return [
            (status, str(labels[status]))
            for status in COLUMNS
            if status in WORK_ITEM_TRANSITIONS[self.item.status]
            and not (status == WorkItem.Status.DONE and self.outcomes)
        ]

    @property
    def outcomes(self) -> list[str]:
        """Return what the item may end as; kinds without an outcome just become done."""
        return sorted(OUTCOMES_BY_KIND.get(self.item.kind, ()))

    @property
    def may_be_concluded(self) -> bool:
        done = WorkItem.Status.DONE in WORK_ITEM_TRANSITIONS[self.item.status]
        return done and bool(self.outcomes)


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One column within one lane."""

    status: str
    title: str
    cards: tuple[Card, ...]
    wip: Wip

    @property
    def points(self) -> int:
        return sum(card.item.points or 0 for card in self.cards)


@dataclass(frozen=True, slots=True)
class Lane:
    """A stripe of the board: everybody's, one person's, one epic's or one kind's work."""

    key: str
    title: str
    columns: tuple[BoardColumn, ...]

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that a board shows."""

    project: Project
    sprints: tuple[Sprint, ...]
    lanes: tuple[Lane, ...]
    wip: Mapping[str, Wip]
    total: int
    shown: int
    epics: tuple[WorkItem, ...] = ()
    people: tuple[str, ...] = field(default=())

    @property
    def over(self) -> list[Wip]:
        """Return the columns that hold more than they may."""
        return [one for one in self.wip.values() if one.is_over]


def board_of(
    project: Project, sprints: Sequence[Sprint], filters: Filters, *, lanes: str, actor: Actor
) -> Board:
    """Read a board over the given sprints in a fixed number of queries."""
    everything = WorkItem.objects.filter(project=project, sprint__in=sprints)
    chosen = filters.keep(everything, actor)
    items = list(
        chosen.select_related("assignee", "sprint", "parent")
        .prefetch_related("depends_on")
        .order_by("rank", "pk")
    )
    wip = wip_of(project)
    runs = runs_by_item(project, items)
    shown = [
        Lane(key, title, tuple(_columns(rows, wip, runs)))
        for key, title, rows in _lanes(items, lanes)
    ]
    return Board(
        project=project,
        sprints=tuple(sprints),
        lanes=tuple(shown),
        wip=wip,
        total=everything.count() if filters.is_set else len(items),
        shown=len(items),
        epics=tuple(epics_of(project)),
        people=tuple(people_of(project)),
    )


def backlog_of(project: Project, filters: Filters, *, actor: Actor) -> list[Card]:
    """Return the project's open items that are in no sprint, in the order of their rank."""
    waiting = project.work_items.filter(sprint=None).exclude(status__in=FINISHED_ITEM_STATUSES)
    items = list(
        filters.keep(waiting, actor)
        .select_related("assignee", "parent")
        .prefetch_related("depends_on")
        .order_by("rank", "pk")
    )
    return _cards(items, runs_by_item(project, items))


def epics_of(project: Project) -> "QuerySet[WorkItem]":
    """Return the project's epics that are not finished."""
    epics = project.work_items.filter(kind=WorkItem.Kind.EPIC)
    return epics.exclude(status__in=FINISHED_ITEM_STATUSES).order_by("title")


def people_of(project: Project) -> list[str]:
    """Return the user names of those who are on the project today or have an item."""
    current = project.stakeholders.current().values_list("user__username", flat=True)
    return sorted(set(current))


def _columns(
    items: Sequence[WorkItem], wip: Mapping[str, Wip], runs: Mapping[int, ItemRuns]
) -> Iterable[BoardColumn]:
    labels = dict(WorkItem.Status.choices)
    for status in COLUMNS:
        rows = [item for item in items if item.status == status]
        yield BoardColumn(status, str(labels[status]), tuple(_cards(rows, runs)), wip[status])


def _cards(items: Sequence[WorkItem], runs: Mapping[int, ItemRuns]) -> list[Card]:
    return [
        Card(
            item,
            runs.get(item.pk, ItemRuns()),
            above=items[place - 1] if place else None,
            below=items[place + 1] if place + 1 < len(items) else None,
            waits_for=tuple(
                other
                for other in item.depends_on.all()
                if other.status not in FINISHED_ITEM_STATUSES
            ),
        )
        for place, item in enumerate(items)
    ]


def _lanes(items: Sequence[WorkItem], by: str) -> list[tuple[str, str, list[WorkItem]]]:
    """Return key, title and items of each lane; what belongs nowhere comes last."""
    key_of, title_of, rest = _LANE_KEYS.get(by, _LANE_KEYS["none"])
    counts = Counter(key_of(item) for item in items)
    titles = {key_of(item): title_of(item) for item in items}
    keys = sorted((key for key in counts if key), key=lambda key: titles[key].casefold())
    if "" in counts or not keys:
        keys.append("")
        titles[""] = rest
    return [(key, titles[key], [row for row in items if key_of(row) == key]) for key in keys]


def _epic_key(item: WorkItem) -> str:
    parent = item.parent
    return str(parent.pk) if parent is not None and parent.kind == WorkItem.Kind.EPIC else ""


LaneKey = tuple[Callable[[WorkItem], str], Callable[[WorkItem], str], str]
_LANE_KEYS: Mapping[str, LaneKey] = {
    "none": (lambda _: "", lambda _: "", ""),
    "assignee": (
        lambda item: item.assignee.get_username() if item.assignee else "",
        lambda item: _name_of(item.assignee),
        "Nobody yet",
    ),
    "epic": (_epic_key, lambda item: item.parent.title if item.parent else "", "No epic"),
    "kind": (lambda item: item.kind, lambda item: item.get_kind_display(), ""),
}


def _name_of(user: object) -> str:
    full = getattr(user, "get_full_name", lambda: "")()
    return str(full or user or "")
