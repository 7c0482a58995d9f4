"""Commands that end a sprint: what it came to is frozen, what is unfinished moves on."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from projects import access, facts
from projects.actors import Actor
from projects.errors import RuleViolated
from projects.lifecycle import move
from projects.models import Ceremony, Criterion, RetrospectiveAction, Sprint, SprintSnapshot
from projects.rules import kill_criteria, sprint_done
from projects.rules.kill_criteria import KillResult
from projects.rules.sprint_done import DoneFacts
from projects.rules.transitions import FINISHED_ITEM_STATUSES, SPRINT_TRANSITIONS
from projects.services.scoping import approved_scope
from projects.services.snapshots import freeze
from projects.services.sprints import record
from projects.services.work_item_checks import OPEN_SPRINTS
from projects.services.work_items import carry_over

Status = Sprint.Status
Kind = Ceremony.Kind


@transaction.atomic
def close_sprint(
    sprint: Sprint,
    *,
    actor: Actor,
    review_notes: str = "",
    carry_to: Sprint | None = None,
    force_reason: str = "",
) -> Sprint:
    """Close a running sprint; unfinished items go to another sprint, or back to the backlog.

    Kill criteria that are due are judged and kept: one that fails does not stop the closing, but
    the next sprint that invests waits for a decision.

    Raises:
        RuleViolated: code `sprint_not_done` with every reason, unless `force_reason` says why it
            ends without them. Code `sprint_not_open`; nothing can be carried to that sprint.
        InvalidTransition: it is not running.
        StaleState: somebody else closed or cancelled it first.
    """
    access.require(actor, "sprint.close", sprint.project)
    lacking = not_done(sprint)
    if sprint.status == Status.ACTIVE and lacking and not force_reason.strip():
        raise RuleViolated(
            f"The sprint {sprint.name} is not done: {' '.join(lacking)} "
            "Or close it with a reason for leaving this out.",
            code="sprint_not_done",
            reasons=lacking,
        )
    _require_open(sprint, carry_to)
    at = timezone.now()
    notes = review_notes or sprint.review_notes
    move(sprint, Status.CLOSED, allowed=SPRINT_TRANSITIONS, closed_at=at, review_notes=notes)
    forced = {"forced_because": force_reason, "lacking": lacking} if lacking else {}
    results = judge_kill_criteria(sprint, at)
    snapshot, carried = _end(sprint, at, actor, carry_to, results, forced)
    record(
        "sprint.closed",
        sprint,
        actor=actor,
        finished=len(snapshot.data["done"]),
        carried_over=carried,
        carried_to=carry_to.ref if carry_to else "backlog",
        snapshot=snapshot.digest,
        failed_kill_criteria=[one.criterion.key for one in results if one.has_failed],
        **forced,
    )
    return sprint


@transaction.atomic
def cancel_sprint(sprint: Sprint, *, actor: Actor, carry_to: Sprint | None = None) -> Sprint:
    """Give up a sprint that is planned or running; one that ran leaves its snapshot too.

    Raises:
        RuleViolated: code `sprint_not_open`; nothing can be carried to that sprint.
        InvalidTransition: it is over.
        StaleState: somebody else closed or cancelled it first.
    """
    access.require(actor, "sprint.cancel", sprint.project)
    _require_open(sprint, carry_to)
    at = timezone.now()
    move(sprint, Status.CANCELLED, allowed=SPRINT_TRANSITIONS, closed_at=at)
    if sprint.started_at is None:
        snapshot, carried = None, carry_over(sprint, actor=actor, to=carry_to)
    else:
        snapshot, carried = _end(sprint, at, actor, carry_to, judge_kill_criteria(sprint, at), {})
    record(
        "sprint.cancelled",
        sprint,
        actor=actor,
        carried_over=carried,
        carried_to=carry_to.ref if carry_to else "backlog",
        snapshot=snapshot.digest if snapshot else "",
    )
    return sprint


def not_done(sprint: Sprint) -> list[str]:
    """Return what the sprint lacks of the definition of done."""
    meetings = list(sprint.ceremonies.filter(kind__in=[Kind.REVIEW, Kind.RETROSPECTIVE]))
    retrospectives = [one for one in meetings if one.kind == Kind.RETROSPECTIVE]
    actions = RetrospectiveAction.objects.filter(ceremony__in=retrospectives)
    reasons = [str(one.output.get("no_actions_because", "")) for one in retrospectives]
    return sprint_done.not_done(
        DoneFacts(
            has_review=any(one.kind == Kind.REVIEW for one in meetings),
            has_retrospective=bool(retrospectives),
            has_actions=actions.exists(),
            no_actions_because=" ".join(reasons),
        )
    )


def judge_kill_criteria(sprint: Sprint, at: datetime) -> list[KillResult]:
    """Judge the kill criteria of the sprint's scope on the project's eligible runs."""
    scope = sprint.scope or approved_scope(sprint.project)
    if scope is None:
        return []
    criteria = list(scope.criteria.filter(level=Criterion.Level.KILL))
    if not criteria:
        return []
    ran = sprint.project.sprints.exclude(status=Status.CANCELLED)
    number = ran.filter(started_at__lte=sprint.started_at or at).count()
    return kill_criteria.judge_all(
        criteria,
        facts.runs_of(sprint.project),
        dict(scope.baselines.values_list("name", "metrics")),
        today=timezone.localtime(at).date(),
        sprints_ended=number,
    )


def _end(
    sprint: Sprint,
    at: datetime,
    actor: Actor,
    carry_to: Sprint | None,
    results: list[KillResult],
    more: dict[str, Any],
) -> tuple[SprintSnapshot, int]:
    """Freeze what the sprint came to, and only then let its unfinished items go."""
    unfinished = sprint.work_items.exclude(status__in=FINISHED_ITEM_STATUSES)
    target = carry_to.ref if carry_to else "backlog"
    snapshot = freeze(
        sprint,
        ended_at=at,
        went_to=dict.fromkeys(unfinished.values_list("pk", flat=True), target),
        kill_criteria=[one.as_data() for one in results],
        more=more,
    )
    return snapshot, carry_over(sprint, actor=actor, to=carry_to)


def _require_open(sprint: Sprint, to: Sprint | None) -> None:
    if to is None:
        return
    ours = to.project_id == sprint.project_id and to.pk != sprint.pk
    if not ours or to.status not in OPEN_SPRINTS:
        raise RuleViolated(
            f"Nothing can be carried over to {to.name}: it is over, or another project's.",
            code="sprint_not_open",
        )
