"""Gathers what the definitions of ready and done ask about, and refuses what is not there yet."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from projects import facts
from projects.errors import RuleViolated
from projects.models import Project, WorkItem
from projects.rules.definitions import (
    Check,
    ItemNow,
    Known,
    KnownRun,
    Sibling,
    done_checks,
    open_reasons,
    ready_checks,
)
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.work_item_kinds import FIELDS
from projects.services.scoping import approved_scope

Kind, Status = WorkItem.Kind, WorkItem.Status
WITH_RUNS = frozenset({Kind.HYPOTHESIS, Kind.EXPERIMENT})
WITH_GATES = frozenset({Kind.HYPOTHESIS, Kind.STORY, Kind.REVIEW})
WITH_SCOPE = frozenset({Kind.HYPOTHESIS, Kind.STORY})
#: Experiments that began earlier set the split and the metrics for those that follow.
BEGUN = frozenset({Status.DOING, Status.REVIEW, Status.DONE})


@dataclass(frozen=True, slots=True)
class Checklists:
    """Both definitions of one item, point by point."""

    ready: tuple[Check, ...]
    done: tuple[Check, ...]


def checklists_of(item: WorkItem) -> Checklists:
    """Return what the item still lacks to start and to end."""
    now, known = _now(item), _known(item)
    return Checklists(tuple(ready_checks(now, known)), tuple(done_checks(now, known)))


def require_ready(item: WorkItem) -> None:
    """Refuse to start work that is not ready.

    Raises:
        RuleViolated: code `not_ready`, with what is missing.
    """
    reasons = open_reasons(ready_checks(_now(item), _known(item)))
    if reasons:
        raise RuleViolated(
            f"“{item.title}” is not ready to start.", code="not_ready", reasons=reasons
        )


def require_done(item: WorkItem, outcome: str = "") -> None:
    """Refuse to end work whose definition of done is not met.

    Raises:
        RuleViolated: code `not_done`, with what is missing.
    """
    reasons = open_reasons(done_checks(_now(item), _known(item), outcome))
    if reasons:
        raise RuleViolated(f"“{item.title}” is not done yet.", code="not_done", reasons=reasons)


def values_of(item: WorkItem) -> dict[str, Any]:
    """Return the values of the kind's own fields, whether they are columns or details."""
    columns = {one.name: getattr(item, one.name) for one in FIELDS[item.kind] if one.is_column}
    return {**item.details, **columns}


def _now(item: WorkItem) -> ItemNow:
    assignee = item.assignee.get_username() if item.assignee else ""
    return ItemNow(item.kind, values_of(item), assignee)


def _known(item: WorkItem) -> Known:
    known = Known(
        readers=frozenset(item.comments.values_list("author__username", flat=True)),
        open_dependencies=_open_titles(item.depends_on.all()),
        open_children=_open_titles(item.children.all()) if item.kind == Kind.EPIC else (),
    )
    if item.kind in WITH_GATES:
        known = _with_gates(known, item.project)
    if item.kind in WITH_SCOPE:
        known = _with_scope(known, item.project)
    return _with_runs(known, item) if item.kind in WITH_RUNS else known


def _open_titles(items: Any) -> tuple[str, ...]:
    still = items.exclude(status__in=FINISHED_ITEM_STATUSES)
    return tuple(still.order_by("pk").values_list("title", flat=True))


def _with_gates(known: Known, project: Project) -> Known:
    now = timezone.now()
    stand = [
        gate
        for gate in facts.gates_of(project)
        if gate.status == "approved" and (gate.expires_at is None or gate.expires_at > now)
    ]
    released = {
        gate.subject_ref
        for gate in stand
        if gate.gate == "data" and gate.subject_kind == "dataset_version"
    }
    return replace(
        known,
        released=frozenset(released),
        passed_gates=frozenset(gate.gate for gate in stand),
    )


def _with_scope(known: Known, project: Project) -> Known:
    scope = approved_scope(project)
    if scope is None:
        return known
    keys = {name for pair in scope.criteria.values_list("key", "metric_key") for name in pair}
    approaches = scope.approaches.values_list("name", flat=True)
    return replace(known, criteria=frozenset(keys - {""}), approaches=frozenset(approaches))


def _with_runs(known: Known, item: WorkItem) -> Known:
    found = facts.runs_of(item.project)
    makers = [item, *_experiments_of(item)]
    linked = {run_id for maker in makers for run_id in maker.run_ids}
    numbers = {maker.pk for maker in makers}
    return replace(
        known,
        runs={run.run_id: _known_run(run) for run in found},
        own_runs=[run.run_id for run in found if run.run_id in linked or run.work_item in numbers],
        siblings=[_sibling(one) for one in _siblings_of(item)],
    )


def _known_run(run: facts.RunFact) -> KnownRun:
    return KnownRun(
        run_id=run.run_id,
        status=run.status,
        metrics=frozenset(run.metrics),
        is_eligible=run.is_eligible,
        launched_by=run.launched_by,
        has_commit=bool(run.commit),
    )


def _experiments_of(item: WorkItem) -> Iterable[WorkItem]:
    """Return the experiments whose runs speak for a hypothesis."""
    if item.kind != Kind.HYPOTHESIS:
        return []
    return item.project.work_items.filter(kind=Kind.EXPERIMENT, details__hypothesis=item.pk)


def _siblings_of(item: WorkItem) -> Iterable[WorkItem]:
    """Return the experiments on the same hypothesis, or else in the same sprint, that began."""
    if item.kind != Kind.EXPERIMENT:
        return []
    begun = WorkItem.objects.filter(
        project=item.project_id, kind=Kind.EXPERIMENT, status__in=BEGUN
    ).exclude(pk=item.pk)
    hypothesis = item.details.get("hypothesis")
    if hypothesis:
        return begun.filter(details__hypothesis=hypothesis)
    if item.sprint_id is None:
        return []
    return [one for one in begun.filter(sprint=item.sprint_id) if not one.details.get("hypothesis")]


def _sibling(item: WorkItem) -> Sibling:
    metrics = frozenset(item.details.get("metrics") or ())
    return Sibling(item.title, str(item.details.get("split") or ""), metrics)
