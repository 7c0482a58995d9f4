"""A sprint's report, which writes itself from the records; the page and REST show the same."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django.db.models import Q
from django.utils import timezone

from projects import facts
from projects.models import (
    Ceremony,
    Deviation,
    RetrospectiveAction,
    ScopingDocument,
    Sprint,
    SprintSnapshot,
    WorkItem,
)
from projects.rules.words import role_words
from projects.rules.working_days import WorkingDays
from projects.services import report_work
from projects.services.charts import sprint_days
from projects.services.report_work import number_of
from projects.services.sprint_closing import judge_kill_criteria

Data = dict[str, Any]
Kind = Ceremony.Kind


def report_of(sprint: Sprint, *, now: datetime | None = None) -> Data:
    """Return everything that the sprint's report says, JSON-ready.

    A sprint that is over is told from its immutable snapshot; one that runs is told as it stands,
    and `is_final` says which.
    """
    now = now or timezone.now()
    snapshot = SprintSnapshot.objects.filter(sprint=sprint).first()
    series = sprint_days(sprint)
    work = report_work.work_of(sprint, series, snapshot)
    totals = report_work.totals_of(work, series)
    return {
        "sprint": _head(sprint),
        "project": {"slug": sprint.project.slug, "name": sprint.project.name},
        "is_final": snapshot is not None,
        "snapshot": _snapshot(snapshot),
        "people": _people(sprint, work),
        "unit": series.unit if series else report_work.unit_of(totals["commitment"]),
        "work": work,
        "totals": totals,
        **_evidence(sprint, work, snapshot, now),
        **_meetings(sprint),
        "decisions": _decisions(sprint, now),
        "gates": _gates(sprint, now),
        "next": _next(sprint, work),
    }


def _head(sprint: Sprint) -> Data:
    return {
        "id": sprint.pk,
        "name": sprint.name,
        "kind": sprint.kind,
        "status": sprint.status,
        "goal": sprint.goal,
        "starts_on": sprint.starts_on.isoformat(),
        "ends_on": sprint.ends_on.isoformat(),
        "started_at": _iso(sprint.started_at),
        "ended_at": _iso(sprint.closed_at),
        "working_days": WorkingDays().count(sprint.starts_on, sprint.ends_on),
        "review_notes": sprint.review_notes,
        "scope": f"v{sprint.scope.version}" if sprint.scope else "",
        "datasets": list(sprint.dataset_refs),
        "model": sprint.model_ref,
    }


def _snapshot(snapshot: SprintSnapshot | None) -> Data | None:
    if snapshot is None:
        return None
    return {
        "digest": snapshot.digest,
        "taken_at": _iso(snapshot.created_at),
        "person_days": snapshot.data.get("person_days"),
        "forced_because": snapshot.data.get("forced_because", ""),
        "lacking": snapshot.data.get("lacking", []),
    }


def _people(sprint: Sprint, work: dict[str, list[Data]]) -> list[Data]:
    """Return who had how much time, and what of the sprint's work was theirs."""
    held = {row.person_id: row for row in sprint.capacities.select_related("person")}
    people = {pk: row.person for pk, row in held.items()}
    points = {one["item"]: one.get("points") or 0 for one in work["commitment"] + work["added"]}
    rows = WorkItem.objects.filter(
        pk__in=[number_of(ref) for ref in points], assignee__isnull=False
    )
    loads: dict[int, list[int]] = {}
    for row in rows.select_related("assignee"):
        loads.setdefault(cast("int", row.assignee_id), []).append(points[row.ref])
        people.setdefault(cast("int", row.assignee_id), cast("Any", row.assignee))
    return [
        {
            "name": _name(person),
            "days": held[pk].days if pk in held else None,
            "points": held[pk].points if pk in held else None,
            "items": len(loads.get(pk, [])),
            "assigned_points": sum(loads.get(pk, [])),
        }
        for pk, person in sorted(people.items(), key=lambda one: _name(one[1]))
    ]


def _evidence(
    sprint: Sprint,
    work: dict[str, list[Data]],
    snapshot: SprintSnapshot | None,
    now: datetime,
) -> Data:
    runs = facts.runs_of(sprint.project)
    scope = sprint.scope or _agreed_scope(sprint)
    said = (scope.snapshot if scope else None) or {}
    criteria = [row for row in said.get("criteria") or [] if isinstance(row, dict)]
    baselines = {row["name"]: row.get("metrics") or {} for row in said.get("baselines") or []}
    research = report_work.research_of(work, runs)
    for row in research["experiment"]:
        row["best"] = report_work.best_run_of(row["runs"], runs, criteria, baselines)
    own = [run.run_id for run in runs if run.sprint == sprint.pk]
    hours = sum(run.compute_seconds for run in runs if run.run_id in own) / 3600
    return {
        "hypotheses": research["hypothesis"],
        "experiments": research["experiment"],
        "spikes": research["spike"],
        "runs": {
            "count": len(own),
            "compute_hours": round(hours, 2),
            "best": report_work.best_run_of(own, runs, criteria, baselines),
        },
        "kill_criteria": _kill_criteria(sprint, snapshot, now),
    }


def _kill_criteria(sprint: Sprint, snapshot: SprintSnapshot | None, now: datetime) -> list[Data]:
    """Return the kill criteria with their results: frozen ones, or as they stand now."""
    if snapshot is not None and "kill_criteria" in snapshot.data:
        return list(snapshot.data["kill_criteria"])
    return [one.as_data() for one in judge_kill_criteria(sprint, now)]


def _agreed_scope(sprint: Sprint) -> ScopingDocument | None:
    return ScopingDocument.objects.filter(project=sprint.project).approved().first()


# --- Meetings -------------------------------------------------------------------------------------


def _meetings(sprint: Sprint) -> Data:
    rows = sprint.ceremonies.select_related("decider").prefetch_related(
        "attendees", "feedback__work_item", "retro_notes", "actions__owner"
    )
    by_kind: dict[str, list[Data]] = {Kind.PLANNING: [], Kind.REVIEW: [], Kind.RETROSPECTIVE: []}
    for row in rows.order_by("held_on", "pk"):
        by_kind.setdefault(row.kind, []).append(_meeting(row))
    return {
        "planning": by_kind[Kind.PLANNING],
        "reviews": by_kind[Kind.REVIEW],
        "retrospectives": by_kind[Kind.RETROSPECTIVE],
    }


def _meeting(row: Ceremony) -> Data:
    return {
        "id": row.pk,
        "kind": row.kind,
        "title": row.get_kind_display(),
        "held_on": row.held_on.isoformat(),
        "attendees": sorted(_name(person) for person in row.attendees.all()),
        "decider": _name(row.decider) if row.decider else "",
        "decision": row.decision,
        "notes": row.notes,
        "demo_dataset": row.demo_dataset,
        "feedback": [
            {
                "sentiment": one.sentiment,
                "text": one.text,
                "said_by": one.said_by,
                "work_item": one.work_item.title if one.work_item else "",
            }
            for one in row.feedback.all()
        ],
        "noted": [{"kind": one.kind, "text": one.text} for one in row.retro_notes.all()],
        "actions": [_action(one) for one in row.actions.all()],
    }


def _action(one: RetrospectiveAction) -> Data:
    return {
        "text": one.text,
        "owner": _name(one.owner),
        "due": one.due.isoformat(),
        "status": one.status,
        "closing_note": one.closing_note,
    }


# --- Decisions and gates --------------------------------------------------------------------------


def _decisions(sprint: Sprint, now: datetime) -> list[Data]:
    """Return what was decided in or on the sprint, in the order of the days."""
    begun, ended = _window(sprint, now)
    made = [*_of_meetings(sprint, begun, ended), *_of_scope(sprint, begun, ended)]
    return sorted(made, key=lambda one: (one["on"], one["what"]))


def _of_meetings(sprint: Sprint, begun: datetime, ended: datetime) -> Iterable[Data]:
    held = Q(sprint=sprint) | Q(
        sprint=None, project=sprint.project, held_on__range=(begun.date(), ended.date())
    )
    rows = Ceremony.objects.filter(held).exclude(decision="").select_related("decider")
    for row in rows.order_by("held_on", "pk"):
        who = _name(row.decider) if row.decider else ""
        what = f"{row.get_kind_display()}: {row.get_decision_display().lower()}"
        yield {"on": row.held_on.isoformat(), "what": what, "by": who, "why": row.notes}


def _of_scope(sprint: Sprint, begun: datetime, ended: datetime) -> Iterable[Data]:
    decided = {"decided_at__range": (begun, ended)}
    agreed = (ScopingDocument.Status.APPROVED, ScopingDocument.Status.SUPERSEDED)
    for row in sprint.project.scoping_documents.filter(status__in=agreed, **decided):
        what = f"Scope v{row.version} approved"
        yield {"on": _day(row.decided_at), "what": what, "by": "", "why": ""}
    rows = Deviation.objects.filter(scope__project=sprint.project, **decided)
    for one in rows.exclude(status=Deviation.Status.PROPOSED).select_related("decided_by"):
        what = f"Loosening of {one.criterion_key} {one.get_status_display().lower()}"
        who = _name(one.decided_by) if one.decided_by else ""
        yield {"on": _day(one.decided_at), "what": what, "by": who, "why": one.decision_note}


def _gates(sprint: Sprint, now: datetime) -> list[Data]:
    """Return the reviews that were open at some time of the sprint."""
    begun, ended = _window(sprint, now)
    return [
        {
            "gate": one.gate,
            "subject": one.subject_label,
            "status": one.status,
            "requested_on": _day(one.requested_at),
            "decided_on": _day(one.decided_at),
            "waits_for": [
                {"role": role_words(role), "people": list(names)}
                for role, names in one.waits_for.items()
            ],
            "url": one.url,
        }
        for one in facts.gates_of(sprint.project)
        if one.requested_at <= ended and (one.decided_at is None or one.decided_at >= begun)
    ]


def _window(sprint: Sprint, now: datetime) -> tuple[datetime, datetime]:
    return sprint.started_at or now, sprint.closed_at or now


# --- What comes next ------------------------------------------------------------------------------


def _next(sprint: Sprint, work: dict[str, list[Data]]) -> Data:
    later = sprint.project.sprints.filter(
        status__in=(Sprint.Status.PLANNED, Sprint.Status.ACTIVE), starts_on__gte=sprint.starts_on
    ).exclude(pk=sprint.pk)
    upcoming = list(later.order_by("starts_on", "pk")[:3])
    open_actions = RetrospectiveAction.objects.filter(
        project=sprint.project, status=RetrospectiveAction.Status.OPEN
    ).select_related("owner")
    names = {one.ref: one.name for one in sprint.project.sprints.all()}
    return {
        "sprints": [
            {
                "id": one.pk,
                "name": one.name,
                "goal": one.goal,
                "starts_on": one.starts_on.isoformat(),
                "status": one.status,
            }
            for one in upcoming
        ],
        "unfinished": [
            {**one, "to": names.get(one.get("to", ""), one.get("to", ""))}
            for one in work["carried_over"]
        ],
        "open_actions": [_action(one) for one in open_actions.order_by("due", "pk")],
    }


def _name(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _day(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).date().isoformat() if moment else None
