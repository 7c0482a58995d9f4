"""Limits on work in progress: set for a project, asked by every command that moves an item."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.models import Project, Sprint, WipLimit, WorkItem
from projects.models.work import WorkItemQuerySet
from projects.rules.wip import Wip, problems_of


@dataclass(frozen=True, slots=True)
class NewLimit:
    """How many items a column may hold, and whether one more is warned about or refused."""

    most: int
    mode: str = WipLimit.Mode.WARN


@transaction.atomic
def set_wip_limits(
    project: Project, limits: Mapping[str, NewLimit], *, actor: Actor
) -> dict[str, NewLimit]:
    """Replace a project's limits; a column that is not named has none afterwards.

    A limit below what the column holds is allowed: it shows at once, and nothing more comes in.

    Raises:
        InvalidInput: code `invalid_wip_limits`, with what is wrong by column.
    """
    access.require(actor, "board.set_limits", project)
    errors = {
        column: found
        for column, limit in limits.items()
        if (found := problems_of(column, limit.most, limit.mode))
    }
    if errors:
        listed = " ".join(f"{column}: {' '.join(texts)}" for column, texts in errors.items())
        raise InvalidInput(
            f"The limits cannot be set. {listed}",
            code="invalid_wip_limits",
            details={"errors": errors},
        )
    WipLimit.objects.filter(project=project).exclude(column__in=limits).delete()
    for column, limit in limits.items():
        WipLimit.objects.update_or_create(
            project=project, column=column, defaults={"most": limit.most, "mode": limit.mode}
        )
    ledger.append(
        "board.limits_set",
        subject=project.ref,
        actor=actor,
        data={"limits": {name: f"{one.mode} at {one.most}" for name, one in limits.items()}},
    )
    return dict(limits)


def wip_of(project: Project) -> dict[str, Wip]:
    """Return what each column holds over all active sprints, with its limit if it has one."""
    limits = {limit.column: limit for limit in WipLimit.objects.filter(project=project)}
    held = dict(
        _in_progress(project).values_list("status").annotate(count=Count("pk")).order_by("status")
    )
    return {
        column: Wip(column, held.get(column, 0), *_limit_of(limits.get(column)))
        for column in WorkItem.Status.values
    }


def require_room(item: WorkItem, column: str, sprint: Sprint | None) -> Wip | None:
    """Refuse to put an item into a column that is full and blocks; say how full it was otherwise.

    Call it inside the transaction that moves the item: the limit's row stays locked until then,
    so that two moves at once are counted one after the other.

    Raises:
        RuleViolated: code `wip_limit_reached`.
    """
    if sprint is None or sprint.status != Sprint.Status.ACTIVE:
        return None
    locked = WipLimit.objects.select_for_update()
    limit = locked.filter(project=item.project_id, column=column).first()
    if limit is None:
        return None
    others = _in_progress(item.project).filter(status=column).exclude(pk=item.pk)
    wip = Wip(column, others.count(), limit.most, limit.mode)
    if wip.blocks and not _is_counted(item, column):
        raise _refusal(wip, limit)
    return wip


def _is_counted(item: WorkItem, column: str) -> bool:
    """Say whether the item is among those that the column holds already."""
    sprint = item.sprint
    is_on_a_board = sprint is not None and sprint.status == Sprint.Status.ACTIVE
    return bool(item.pk) and item.status == column and is_on_a_board


def _refusal(wip: Wip, limit: WipLimit) -> RuleViolated:
    title = limit.get_column_display()
    return RuleViolated(
        f"“{title}” is full: it holds {wip.held} and may hold {wip.most}, counted over all active "
        "sprints and swimlanes. Finish or move something there first, or ask the lead to raise "
        "the limit.",
        code="wip_limit_reached",
        reasons=[f"{title} holds {wip.held} of at most {wip.most}."],
        details={"column": wip.column, "held": wip.held, "most": wip.most},
    )


def _in_progress(project: Project) -> WorkItemQuerySet:
    return WorkItem.objects.filter(project=project, sprint__status=Sprint.Status.ACTIVE)


def _limit_of(limit: WipLimit | None) -> tuple[int | None, str]:
    return (limit.most, limit.mode) if limit is not None else (None, WipLimit.Mode.WARN)
