"""Commands on meetings: record one that was held, close or drop what it promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ledger import services as ledger
from projects import access, facts
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.lifecycle import move
from projects.models import (
    Ceremony,
    FeedbackItem,
    Project,
    RetrospectiveAction,
    RetrospectiveNote,
    Sprint,
    Stakeholder,
    WorkItem,
)
from projects.rules import ceremonies as rules
from projects.rules.transitions import RETROSPECTIVE_ACTION_TRANSITIONS
from projects.services.scoping import approved_scope
from projects.services.work_item_checks import is_on_project
from projects.services.work_items import NewWorkItem, add_work_item

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind, Sentiment = Ceremony.Kind, FeedbackItem.Sentiment
Status = RetrospectiveAction.Status
_TITLE = 180


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said of what was shown."""

    sentiment: str
    text: str
    said_by: str = ""


@dataclass(frozen=True, slots=True)
class RetroNote:
    """Something to keep, to change or to try."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A promise with its owner and the day by which it is kept."""

    text: str
    owner: "User"
    due: date


@dataclass(frozen=True, slots=True)
class HeldMeeting:
    """A meeting as it was held."""

    kind: str
    held_on: date
    attendees: "Sequence[User]"
    sprint: Sprint | None = None
    decider: "User | None" = None
    decision: str = ""
    notes: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    demo_dataset: str = ""
    feedback: Sequence[Feedback] = ()
    retro_notes: Sequence[RetroNote] = ()
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """The meeting on record, and what about it should give pause."""

    ceremony: Ceremony
    warnings: list[str]


@transaction.atomic
def record_ceremony(project: Project, meeting: HeldMeeting, *, actor: Actor) -> Recorded:
    """Put a meeting on record; negative feedback becomes work, ideas are parked in the backlog.

    Raises:
        InvalidInput: code `invalid_meeting`, with every wrong field.
        RuleViolated: code `meeting_incomplete`; `reasons` says what it lacks to count.
    """
    access.require(actor, "ceremony.record", project)
    _check(project, meeting)
    held = _held(project, meeting)
    if reasons := rules.reasons_against(held):
        raise RuleViolated(
            f"The meeting cannot be recorded: {' '.join(reasons)}",
            code="meeting_incomplete",
            reasons=reasons,
        )
    ceremony = _save(project, meeting, actor)
    _save_feedback(ceremony, meeting.feedback, actor)
    _save_retrospective(ceremony, meeting)
    ledger.append(
        "ceremony.recorded",
        subject=ceremony.ref,
        actor=actor,
        data={
            "project": project.ref,
            "kind": meeting.kind,
            "held_on": meeting.held_on.isoformat(),
            "sprint": meeting.sprint.ref if meeting.sprint else "",
            "decision": meeting.decision,
            "decider": f"user:{meeting.decider.pk}" if meeting.decider else "",
            "feedback": len(meeting.feedback),
            "actions": len(meeting.actions),
        },
    )
    return Recorded(ceremony, rules.warnings(held))


@transaction.atomic
def close_action(
    action: RetrospectiveAction, *, actor: Actor, note: str = ""
) -> RetrospectiveAction:
    """Close a promise that was kept."""
    return _end_action(action, Status.CLOSED, "retrospective_action.closed", note, actor)


@transaction.atomic
def drop_action(action: RetrospectiveAction, *, actor: Actor, note: str) -> RetrospectiveAction:
    """Give up a promise, with the reason.

    Raises:
        InvalidInput: code `reason_missing`.
    """
    access.require(actor, "retro_action.close", action.project)
    if not note.strip():
        raise InvalidInput("Say why the action is dropped.", code="reason_missing")
    return _end_action(action, Status.DROPPED, "retrospective_action.dropped", note, actor)


def open_actions(project: Project) -> QuerySet[RetrospectiveAction]:
    """Return the promises that are not kept yet, the most urgent first."""
    rows = project.retro_actions.filter(status=Status.OPEN)
    return rows.select_related("owner", "ceremony__sprint")


def _end_action(
    action: RetrospectiveAction, to: str, event: str, note: str, actor: Actor
) -> RetrospectiveAction:
    access.require(actor, "retro_action.close", action.project)
    move(
        action,
        to,
        allowed=RETROSPECTIVE_ACTION_TRANSITIONS,
        closed_at=timezone.now(),
        closing_note=note,
    )
    ledger.append(
        event,
        subject=action.ref,
        actor=actor,
        data={"project": action.project.ref, "text": action.text[:_TITLE], "note": note},
    )
    return action


def _check(project: Project, meeting: HeldMeeting) -> None:
    errors: dict[str, list[str]] = {}
    rule = rules.MEETINGS.get(meeting.kind)
    if rule is None:
        raise InvalidInput(f"There is no meeting {meeting.kind!r}.", code="unknown_meeting")
    if rule.of_sprint and meeting.sprint is None:
        errors["sprint"] = ["Name the sprint that it belongs to."]
    if meeting.sprint is not None and meeting.sprint.project_id != project.pk:
        errors["sprint"] = ["The sprint belongs to another project."]
    if meeting.decision and meeting.decision not in Ceremony.Decision.values:
        errors["decision"] = ["Decide go, rescope or stop."]
    errors |= _wrong_output(rule, meeting.output) | _wrong_rows(project, meeting)
    if errors:
        listed = " ".join(f"{name}: {texts[0]}" for name, texts in errors.items())
        raise InvalidInput(
            f"The meeting cannot be read. {listed}",
            code="invalid_meeting",
            details={"errors": errors},
        )


def _wrong_rows(project: Project, meeting: HeldMeeting) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for place, said in enumerate(meeting.feedback):
        if said.sentiment not in Sentiment.values or not said.text.strip():
            errors[f"feedback.{place}"] = ["Say what it was: positive, negative or an idea."]
    for place, one in enumerate(meeting.retro_notes):
        if one.kind not in RetrospectiveNote.Kind.values or not one.text.strip():
            errors[f"retro_notes.{place}"] = ["Say what, and whether keep, change or try."]
    for place, action in enumerate(meeting.actions):
        if text := _wrong_action(project, meeting, action):
            errors[f"actions.{place}"] = [text]
    return errors


def _wrong_output(rule: rules.Meeting, output: Mapping[str, Any]) -> dict[str, list[str]]:
    kinds = {one.name: one.kind for one in rule.outputs}
    errors = {f"output.{name}": ["There is no such field."] for name in output if name not in kinds}
    for name, kind in kinds.items():
        value = output.get(name)
        if value is None:
            continue
        texts = [value] if kind == rules.TEXT else value
        if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):
            errors[f"output.{name}"] = ["Give a text." if kind == rules.TEXT else "Give texts."]
    return errors


def _wrong_action(project: Project, meeting: HeldMeeting, action: Action) -> str:
    if not action.text.strip():
        return "Say what is promised."
    if not is_on_project(action.owner, project):
        return f"{action.owner.username} is not on the project."
    if action.due < meeting.held_on:
        return "It is due before the meeting was held."
    return ""


def _held(project: Project, meeting: HeldMeeting) -> rules.Held:
    scope = (meeting.sprint.scope if meeting.sprint else None) or approved_scope(project)
    return rules.Held(
        kind=meeting.kind,
        held_on=meeting.held_on,
        today=timezone.localdate(),
        attendees=frozenset(user.username for user in meeting.attendees),
        roles=roles_by_name(project),
        decider=meeting.decider.username if meeting.decider else "",
        decision=meeting.decision,
        output=meeting.output,
        demo=meeting.demo_dataset.strip(),
        demo_due=scope.demo_dataset.strip() if scope else "",
        builders=_builders(project) if meeting.kind == Kind.ACCEPTANCE else frozenset(),
        has_negative=any(one.sentiment == Sentiment.NEGATIVE for one in meeting.feedback),
        actions=len(meeting.actions),
    )


def roles_by_name(project: Project) -> dict[str, set[str]]:
    """Return the roles of everybody on the project today, by user name."""
    held: dict[str, set[str]] = {}
    rows = Stakeholder.objects.current().filter(project=project, user__is_active=True)
    for name, role in rows.values_list("user__username", "role"):
        held.setdefault(name, set()).add(role)
    return held


def _builders(project: Project) -> frozenset[str]:
    """Return who was given work of the project, or launched a run of it."""
    given = project.work_items.exclude(assignee=None).values_list("assignee__username", flat=True)
    return frozenset(given) | {run.launched_by for run in facts.runs_of(project)}


def _save(project: Project, meeting: HeldMeeting, actor: Actor) -> Ceremony:
    output = {name: value for name, value in meeting.output.items() if value}
    if meeting.kind == Kind.PLANNING and meeting.sprint is not None:
        output |= _plan_of(meeting.sprint)
    ceremony = Ceremony.objects.create(
        project=project,
        sprint=meeting.sprint,
        kind=meeting.kind,
        held_on=meeting.held_on,
        decider=meeting.decider,
        decision=meeting.decision,
        notes=meeting.notes,
        output=output,
        demo_dataset=meeting.demo_dataset.strip(),
        # The access table lets no part of the system record a meeting.
        recorded_by=cast("User", actor.user),
    )
    ceremony.attendees.set(meeting.attendees)
    return ceremony


def _plan_of(sprint: Sprint) -> dict[str, Any]:
    """Return the capacity and the commitment as they are planned now."""
    rows = sprint.capacities.select_related("person")
    items = sprint.work_items.exclude(status=WorkItem.Status.DROPPED)
    return {
        "capacity": [
            {"person": row.person.username, "days": row.days, "points": row.points} for row in rows
        ],
        "commitment": [
            {"item": item.ref, "title": item.title, "points": item.points} for item in items
        ],
    }


def _save_feedback(ceremony: Ceremony, feedback: Sequence[Feedback], actor: Actor) -> None:
    for said in feedback:
        item = None
        if said.sentiment != Sentiment.POSITIVE:
            item = add_work_item(ceremony.project, _item_for(ceremony, said), actor=actor)
        FeedbackItem.objects.create(
            ceremony=ceremony,
            sentiment=said.sentiment,
            text=said.text,
            said_by=said.said_by,
            work_item=item,
        )


def _item_for(ceremony: Ceremony, said: Feedback) -> NewWorkItem:
    is_idea = said.sentiment == Sentiment.IDEA
    by = f" by {said.said_by}" if said.said_by else ""
    return NewWorkItem(
        kind=WorkItem.Kind.STORY if is_idea else WorkItem.Kind.BUG,
        title=f"{'Idea' if is_idea else 'Feedback'}: {said.text.strip().splitlines()[0][:_TITLE]}",
        description=f"{said.text}\n\nSaid{by} in the {ceremony}.",
    )


def _save_retrospective(ceremony: Ceremony, meeting: HeldMeeting) -> None:
    RetrospectiveNote.objects.bulk_create(
        RetrospectiveNote(ceremony=ceremony, kind=one.kind, text=one.text)
        for one in meeting.retro_notes
    )
    RetrospectiveAction.objects.bulk_create(
        RetrospectiveAction(
            project=ceremony.project, ceremony=ceremony, text=one.text, owner=one.owner, due=one.due
        )
        for one in meeting.actions
    )
