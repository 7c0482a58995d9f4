"""What each kind of meeting asks, who must be there, who decides and what it must bring."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

TEXT, LIST, PEOPLE = "text", "list", "people"
REVIEW, RETROSPECTIVE, ACCEPTANCE = "review", "retrospective", "acceptance"
_LEADS = frozenset({"lead", "business_owner", "executive"})


@dataclass(frozen=True, slots=True)
class Output:
    """One thing a meeting brings; `most` bounds a list, such as two approaches, not a dozen."""

    name: str
    label: str
    kind: str = TEXT
    is_required: bool = True
    help: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """A kind of meeting; `must_attend` are roles of which one holder has to be there."""

    kind: str
    title: str
    question: str
    outputs: Sequence[Output] = ()
    must_attend: Sequence[str] = ()
    deciders: frozenset[str] = frozenset()
    needs_decision: bool = False
    may_decide: bool = False
    of_sprint: bool = False


MEETINGS: Mapping[str, Meeting] = {
    one.kind: one
    for one in (
        Meeting(
            "planning",
            "Sprint planning",
            "What do we take on, with whose time, to which end?",
            (Output("goal", "Goal of the sprint"),),
            must_attend=("lead",),
            of_sprint=True,
        ),
        Meeting(
            REVIEW,
            "Sprint review",
            "Are the features right?",
            (
                Output("shown", "What was shown", help="Such as: the ranked list for May."),
                Output(
                    "demo_changed_because",
                    "Why the demo used other data",
                    is_required=False,
                    help="Only if it was not the standing demo data of the scope.",
                ),
            ),
            must_attend=("lead",),
            deciders=_LEADS,
            may_decide=True,
            of_sprint=True,
        ),
        Meeting(
            RETROSPECTIVE,
            "Retrospective",
            "What do we keep, change and try?",
            (
                Output(
                    "no_actions_because",
                    "Why there is no action",
                    is_required=False,
                    help="Only if the team promises nothing new.",
                ),
            ),
            of_sprint=True,
        ),
        Meeting(
            "kickoff",
            "Planning kickoff",
            "Why are we building this, and how is it done today?",
            (
                Output("needs", "Needs", LIST),
                Output("current_process", "How it is done today"),
                Output("constraints", "Constraints", LIST),
                Output("end_state", "Sketch of the end state"),
            ),
            must_attend=("business_owner", "subject_matter_expert", "lead"),
            deciders=_LEADS,
        ),
        Meeting(
            "post_research",
            "Post-research discussion",
            "Can we actually figure this out?",
            (
                Output("approaches", "Approaches put to the business", LIST, most=3),
                Output("risks", "Risks", LIST),
                Output("prototype_date", "Date of the prototype"),
            ),
            must_attend=("business_owner", "lead"),
            deciders=_LEADS,
            needs_decision=True,
        ),
        Meeting(
            "post_experimentation",
            "Post-experimentation review",
            "Is it worth building, and what does it look like?",
            (
                Output("chosen_approach", "Chosen approach"),
                Output("estimate", "Estimate", help="Such as: 45 person days, 60 at worst."),
                Output("run_cost", "Cost of running it"),
                Output("epics", "Epics", LIST),
                Output("features_added", "Features added", LIST, is_required=False),
                Output("features_removed", "Features removed", LIST, is_required=False),
            ),
            must_attend=("business_owner", "subject_matter_expert", "lead"),
            deciders=_LEADS,
            needs_decision=True,
        ),
        Meeting(
            ACCEPTANCE,
            "MVP review",
            "Does it solve the problem for those who will use it?",
            (
                Output(
                    "evaluators",
                    "Evaluators",
                    PEOPLE,
                    help="User names, one a line; nobody who built it.",
                ),
                Output("survey", "What the survey said"),
                Output("issues", "Issues", LIST, is_required=False),
            ),
            must_attend=("business_owner",),
            deciders=_LEADS,
            needs_decision=True,
        ),
        Meeting(
            "preproduction",
            "Pre-production review",
            "Did we build what we set out to build?",
            (
                Output("planned", "Planned and built", LIST),
                Output("rejected", "Planned and rejected", LIST, is_required=False),
                Output("added", "Added on the way", LIST, is_required=False),
                Output("success_data", "Where the data on its success will live"),
                Output("self_service_metrics", "Metrics that users can look up", LIST),
            ),
            must_attend=("business_owner", "lead"),
            deciders=_LEADS,
            needs_decision=True,
        ),
    )
}
#: The six meetings that follow milestones, in their order, by the name the scope gives them.
MILESTONES: Mapping[str, Meeting] = {
    "kickoff": MEETINGS["kickoff"],
    "post_research": MEETINGS["post_research"],
    "post_experimentation": MEETINGS["post_experimentation"],
    "sprint_reviews": MEETINGS[REVIEW],
    "acceptance": MEETINGS[ACCEPTANCE],
    "preproduction": MEETINGS["preproduction"],
}


@dataclass(frozen=True, slots=True)
class Held:
    """A meeting that was held; people by user name, `roles` of those on the project.

    `builders` are those who built what is judged. `demo_due` is the scope's standing demo data.
    """

    kind: str
    held_on: date
    today: date
    attendees: frozenset[str]
    roles: Mapping[str, Collection[str]]
    decider: str = ""
    decision: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    demo: str = ""
    demo_due: str = ""
    builders: frozenset[str] = frozenset()
    has_negative: bool = False
    actions: int = 0


def reasons_against(held: Held) -> list[str]:
    """Return why the meeting cannot be recorded as it was held, one sentence each."""
    meeting = MEETINGS[held.kind]
    found = []
    if held.held_on > held.today:
        found.append("It is recorded after it was held, and the date is in the future.")
    if not held.attendees:
        found.append("Nobody is named as present.")
    found += _missing_roles(meeting, held)
    found += _missing_outputs(meeting, held)
    found += _against_decider(meeting, held)
    if held.kind == REVIEW:
        found += _against_demo(held)
    if (
        held.kind == RETROSPECTIVE
        and not held.actions
        and not held.output.get("no_actions_because")
    ):
        found.append("Record an action, or say why there is none.")
    if held.kind == ACCEPTANCE:
        found += _against_evaluators(held)
    return found


def warnings(held: Held) -> list[str]:
    """Return what is recorded and should give pause."""
    found = []
    nobody = [role for role in MEETINGS[held.kind].must_attend if not _holders(held, role)]
    found += [
        f"Nobody on the project is {_words(role)}; such a person belongs here." for role in nobody
    ]
    if held.kind == ACCEPTANCE and not held.has_negative and not held.output.get("issues"):
        found.append("There was only praise; ask again, and ask people who owe you nothing.")
    if held.kind == REVIEW and not held.demo_due:
        found.append("The scope names no standing demo data, so reviews cannot be compared.")
    if held.kind == REVIEW and held.demo_due and held.demo != held.demo_due:
        found.append(f"The demo did not use the standing demo data, {held.demo_due}.")
    return found


def _missing_roles(meeting: Meeting, held: Held) -> list[str]:
    return [
        f"No {_words(role)} was there; it takes one of {', '.join(sorted(holders))}."
        for role in meeting.must_attend
        if (holders := _holders(held, role)) and not holders & held.attendees
    ]


def _missing_outputs(meeting: Meeting, held: Held) -> list[str]:
    found = []
    for one in meeting.outputs:
        value = held.output.get(one.name)
        if one.is_required and not value:
            found.append(f"{one.label}: this is what the meeting has to bring.")
        elif one.most is not None and len(value or ()) > one.most:
            found.append(f"{one.label}: at most {one.most}; those who decide cannot weigh more.")
    return found


def _against_decider(meeting: Meeting, held: Held) -> list[str]:
    found = []
    if held.decision and not (meeting.needs_decision or meeting.may_decide):
        found.append(f"A {meeting.title.lower()} decides nothing; leave the decision out.")
    if meeting.needs_decision and not held.decision:
        found.append("It ends with a decision: go, re-scope or stop.")
    takes_decider = bool(meeting.deciders) and (not meeting.may_decide or bool(held.decision))
    if takes_decider and not held.decider:
        found.append("Name who decides; nobody decides a meeting without one.")
    if held.decider:
        if held.decider not in held.attendees:
            found.append(f"{held.decider} decides and was not there.")
        if meeting.deciders and not meeting.deciders & set(held.roles.get(held.decider, ())):
            names = ", ".join(sorted(map(_words, meeting.deciders)))
            found.append(f"{held.decider} may not decide here; it takes the role of {names}.")
    return found


def _against_demo(held: Held) -> list[str]:
    if not held.demo_due or held.demo == held.demo_due or held.output.get("demo_changed_because"):
        return []
    shown = f"not {held.demo}" if held.demo else "and none was named"
    return [
        (
            f"Every review shows the same data, {held.demo_due}, {shown}; "
            "show it on those, or say why other data were used."
        )
    ]


def _against_evaluators(held: Held) -> list[str]:
    names = list(held.output.get("evaluators") or ())
    found = [f"{name} evaluates and was not there." for name in names if name not in held.attendees]
    built = [name for name in names if name in held.builders]
    if built:
        found.append(
            f"{', '.join(built)} worked on it; people are kind to what they made, so others judge."
        )
    return found


def _holders(held: Held, role: str) -> frozenset[str]:
    return frozenset(name for name, roles in held.roles.items() if role in roles)


def _words(role: str) -> str:
    return role.replace("_", " ").replace("subject matter", "subject-matter")
