"""The form of a meeting: what was typed stays typed, whatever is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.dateparse import parse_date

from projects.errors import InvalidInput
from projects.models import Ceremony, FeedbackItem, Project, RetrospectiveNote, Sprint
from projects.rules.ceremonies import LIST, PEOPLE, Meeting, Output
from projects.services.capacity import PersonCapacity
from projects.services.ceremonies import Action, Feedback, HeldMeeting, RetroNote

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import QueryDict

Errors = dict[str, list[str]]
Row = Sequence[str]
#: Empty rows offered below what was typed.
_SPARE = 3


@dataclass(frozen=True, slots=True)
class OutputField:
    """One output with what was typed for it."""

    rule: Output
    value: str

    @property
    def is_list(self) -> bool:
        return self.rule.kind in {LIST, PEOPLE}


class MeetingForm:
    """What a page shows of a meeting that is being recorded, and what it sends."""

    sentiments = FeedbackItem.Sentiment.choices
    note_kinds = RetrospectiveNote.Kind.choices
    decisions = Ceremony.Decision.choices

    def __init__(
        self,
        project: Project,
        rule: Meeting,
        data: "QueryDict | None",
        *,
        sprint: Sprint | None = None,
    ) -> None:
        self.project, self.rule, self.data, self.sprint = project, rule, data, sprint
        self.people = people_of(project)
        self.present = data.getlist("attendees") if data is not None else []
        self.held_on = self._typed("held_on", timezone.localdate().isoformat())
        self.others = self._typed("others")
        self.decider = self._typed("decider")
        self.decision = self._typed("decision")
        self.notes = self._typed("notes")
        self.demo_dataset = self._typed("demo_dataset")
        self.feedback = self._rows("feedback_sentiment", "feedback_text", "feedback_said_by")
        self.retro_notes = self._rows("note_kind", "note_text")
        self.actions = self._rows("action_text", "action_owner", "action_due")

    @property
    def is_posted(self) -> bool:
        return self.data is not None

    @property
    def takes_decision(self) -> bool:
        return self.rule.needs_decision or self.rule.may_decide

    @property
    def outputs(self) -> list[OutputField]:
        first = {"goal": self.sprint.goal} if self.sprint else {}
        return [
            OutputField(one, self._typed(f"output_{one.name}", first.get(one.name, "")))
            for one in self.rule.outputs
        ]

    def meeting(self, sprint: Sprint | None) -> HeldMeeting:
        """Return what was typed as a meeting.

        Raises:
            InvalidInput: code `invalid_meeting`; a date or a person cannot be read.
        """
        errors: Errors = {}
        people = self._known_people(errors)
        held_on = _date(self.held_on, "held_on", errors)
        actions = _actions(_filled(self.actions, 0), people, errors)
        if errors or held_on is None:
            raise _unreadable("The meeting cannot be read.", "invalid_meeting", errors)
        present = dict.fromkeys([*self.present, *self.others.split()])
        return HeldMeeting(
            kind=self.rule.kind,
            held_on=held_on,
            attendees=[people[name] for name in present if name in people],
            sprint=sprint,
            decider=people.get(self.decider),
            decision=self.decision,
            notes=self.notes,
            output={one.rule.name: _value(one) for one in self.outputs},
            demo_dataset=self.demo_dataset,
            feedback=[Feedback(*row) for row in _filled(self.feedback, 1)],
            retro_notes=[RetroNote(*row) for row in _filled(self.retro_notes, 1)],
            actions=actions,
        )

    def _known_people(self, errors: Errors) -> "dict[str, User]":
        names = self.others.split()
        users: Any = get_user_model()._default_manager
        guests = {one.username: one for one in users.filter(username__in=names, is_active=True)}
        if unknown := [name for name in names if name not in guests]:
            errors["others"] = [f"There is no active user named {', '.join(unknown)}."]
        return {user.username: user for user in self.people} | guests

    def _typed(self, name: str, otherwise: str = "") -> str:
        return self.data.get(name, otherwise) if self.data is not None else otherwise

    def _rows(self, *names: str) -> list[Row]:
        columns = [self.data.getlist(name) if self.data is not None else [] for name in names]
        typed = [row for row in zip(*columns, strict=False) if any(part.strip() for part in row)]
        return [*typed, *[("",) * len(names)] * _SPARE]


def people_of(project: Project) -> "list[User]":
    """Return who is on the project today."""
    rows = project.stakeholders.current().filter(user__is_active=True).select_related("user")
    people = {row.user_id: row.user for row in rows}
    return sorted(people.values(), key=lambda user: user.username)


def capacity_from(rows: Sequence[Mapping[str, Any]]) -> list[PersonCapacity]:
    """Return the capacities that were typed; a row without a number states none.

    Raises:
        InvalidInput: code `invalid_capacity`, with every number that cannot be read.
    """
    errors: Errors = {}
    found = []
    for row in rows:
        name, days, points = row["user"].username, str(row["days"]), str(row["points"])
        if not days.strip() and not points.strip():
            continue
        read = _number(days, float, f"{name}, days", errors)
        whole = _number(points, int, f"{name}, points", errors) if points.strip() else None
        found.append(PersonCapacity(row["user"], read or 0.0, whole))
    if errors:
        raise _unreadable("The capacity cannot be set.", "invalid_capacity", errors)
    return found


def _unreadable(what: str, code: str, errors: Errors) -> InvalidInput:
    listed = " ".join(f"{name}: {texts[0]}" for name, texts in errors.items())
    return InvalidInput(f"{what} {listed}", code=code, details={"errors": errors})


def _number(text: str, read: Any, name: str, errors: Errors) -> Any:
    try:
        return read(text)
    except ValueError:
        errors[name] = [f"“{text}” is not a number."]
        return None


def _date(text: str, name: str, errors: Errors) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        errors[name] = ["Give a day, such as 2026-03-31."]
    return found


def _actions(rows: Sequence[Row], people: "Mapping[str, User]", errors: Errors) -> list[Action]:
    found = []
    for number, (text, owner, due) in enumerate(rows, start=1):
        day = _date(due, f"action {number}, due", errors)
        if owner not in people:
            errors[f"action {number}, owner"] = ["Say whose it is."]
        elif day is not None:
            found.append(Action(text, people[owner], day))
    return found


def _filled(rows: Sequence[Row], place: int) -> list[Row]:
    return [row for row in rows if row[place].strip()]


def _value(one: OutputField) -> Any:
    if one.is_list:
        return [line.strip() for line in one.value.splitlines() if line.strip()]
    return one.value.strip()
