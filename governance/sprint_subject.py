"""A closed sprint as something to be judged: what was tried in it, and what was decided."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from governance.rules.digests import digest_of
from governance.subjects import SubjectFacts, primary_key
from projects.errors import NotFound, RuleViolated
from projects.models import (
    Ceremony,
    Project,
    ScopingDocument,
    Sprint,
    SprintSnapshot,
    WorkItem,
    WorkItemEvent,
)
from projects.rules.work_item_kinds import TIME_BOXED
from projects.services import snapshots
from projects.services.matrix import matrix_of
from projects.services.scope_changes import frozen_hash
from projects.services.scoping import approved_scope
from projects.services.time_boxes import is_choice_open

Status = WorkItem.Status
_ENDED = frozenset({Status.DONE, Status.DROPPED})


class SprintResolver:
    """Facts of a closed sprint: its frozen snapshot, the scope, the decision, who tried what.

    The snapshot's digest is computed from what it holds, not read from the column beside it.
    """

    def resolve(self, ref: str) -> SubjectFacts:
        """Return the facts as they are now.

        Raises:
            NotFound: there is no such sprint.
            RuleViolated: code `sprint_not_closed`.
        """
        sprint = _sprint(ref)
        snapshot = SprintSnapshot.objects.filter(sprint=sprint).first()
        if sprint.status != Sprint.Status.CLOSED or snapshot is None:
            raise RuleViolated(
                f"{sprint.name} is {sprint.status}; close it first, what it came to is judged.",
                code="sprint_not_closed",
                reasons=[f"The sprint is {sprint.status}."],
            )
        scope = sprint.scope or approved_scope(sprint.project)
        meeting = _deciding(sprint)
        experiments = _experiments(snapshot)
        return SubjectFacts(
            label=str(sprint),
            project=sprint.project,
            bindings=_bindings(snapshot, scope, meeting),
            attributes={
                **_tried(experiments, scope),
                **_decided(meeting, scope),
                "open_time_boxes": _open_time_boxes(snapshot),
                "sprint_goal": sprint.goal,
                "sprint_days": f"{sprint.starts_on:%Y-%m-%d} to {sprint.ends_on:%Y-%m-%d}",
            },
            authors={"sprint": _authors(sprint, experiments)},
        )

    def project_of(self, ref: str) -> Project:
        """Return the project of the sprint."""
        return _sprint(ref).project


def _sprint(ref: str) -> Sprint:
    rows = Sprint.objects.select_related("project", "scope")
    sprint = rows.filter(pk=primary_key(ref, "sprint")).first()
    if sprint is None:
        raise NotFound("There is no such sprint.", code="no_such_subject")
    return sprint


def _bindings(
    snapshot: SprintSnapshot, scope: ScopingDocument | None, meeting: Ceremony | None
) -> dict[str, str]:
    bindings = {"sprint": snapshots.digest_of(snapshot.data)}
    if scope is not None:
        bindings["scope"] = frozen_hash(scope)
    if meeting is not None:
        said = {"decision": meeting.decision, "notes": meeting.notes, "output": meeting.output}
        bindings["decision"] = digest_of({**said, "held_on": meeting.held_on.isoformat()})
    return bindings


def _experiments(snapshot: SprintSnapshot) -> list[WorkItem]:
    """Return the experiments that the snapshot counts as done, concluded or refuted alike."""
    ended = {
        one["item"].rpartition(":")[2]
        for one in snapshot.data["done"]
        if one["kind"] == WorkItem.Kind.EXPERIMENT
        and one.get("outcome") == WorkItem.Outcome.CONCLUDED
    }
    return list(WorkItem.objects.filter(pk__in=ended).order_by("pk"))


def _tried(experiments: Iterable[WorkItem], scope: ScopingDocument | None) -> dict[str, Any]:
    """Return which approaches were tried; an experiment that names none is one of its own."""
    names: dict[str, str] = {}
    for one in experiments:
        if not one.details.get("makes_baseline"):
            name = str(one.details.get("approach") or "").strip() or one.title
            names.setdefault(name.casefold(), name)
    has_baseline = any(one.details.get("makes_baseline") and one.run_ids for one in experiments)
    if scope is not None and not has_baseline:
        has_baseline = scope.baselines.exclude(run_id="").exists()
    return {
        "approaches_tried": len(names),
        "approaches": list(names.values()),
        "baseline_run": has_baseline,
    }


def _open_time_boxes(snapshot: SprintSnapshot) -> list[str]:
    """Return the time-boxed items of the sprint that nobody has ended or decided on."""
    entries = [*snapshot.data["done"], *snapshot.data["carried_over"]]
    boxed = {one["item"].rpartition(":")[2] for one in entries if one["kind"] in TIME_BOXED}
    items = WorkItem.objects.filter(pk__in=boxed).order_by("pk")
    return [one.title for one in items if one.status not in _ENDED or is_choice_open(one)]


def _deciding(sprint: Sprint) -> Ceremony | None:
    """Return the newest meeting that decided how to go on: of the sprint, or since its start."""
    milestone = Q(
        sprint=None, kind=Ceremony.Kind.POST_EXPERIMENTATION, held_on__gte=sprint.starts_on
    )
    held = Ceremony.objects.filter(Q(sprint=sprint) | milestone, project=sprint.project)
    return held.exclude(decision="").order_by("-held_on", "-pk").first()


def _decided(meeting: Ceremony | None, scope: ScopingDocument | None) -> Mapping[str, Any]:
    ranked = scope is not None and bool(matrix_of(scope).grid.scores)
    if meeting is None:
        return {"decision": "", "outcome": "", "decision_matrix": ranked}
    words = meeting.get_decision_display()
    said = f"{words}: {meeting.notes}" if meeting.notes.strip() else words
    return {"decision": said, "outcome": str(meeting.decision), "decision_matrix": ranked}


def _authors(sprint: Sprint, experiments: Iterable[WorkItem]) -> frozenset[int]:
    """Return who planned the sprint, and who was assigned or concluded one of its experiments."""
    tried = list(experiments)
    people = {one.assignee_id for one in tried} | {one.created_by_id for one in tried}
    moves = WorkItemEvent.objects.filter(item__in=tried, kind="moved", data__status=Status.DONE)
    refs = moves.values_list("actor", flat=True)
    ended = {
        int(ref.removeprefix("user:")) for ref in refs if ref.removeprefix("user:").isdecimal()
    }
    return frozenset(pk for pk in {*people, *ended, sprint.created_by_id} if pk is not None)
