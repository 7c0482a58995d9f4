"""Starting, ending and stretching work: ready, done, time boxes, dependencies, epics."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.models import LedgerEntry
from pipeline.tasks import expire_time_boxes
from projects import errors
from projects.actors import system
from projects.models import WorkItem
from projects.services import dependencies, time_boxes
from projects.services.work_item_editing import edit_work_item
from projects.services.work_items import (
    NewWorkItem,
    add_work_item,
    conclude_work_item,
    move_work_item,
)

CLOCK = system("clock")
READY = {"question": "Which key?", "method": "Join a month."}
DONE = {"evidence": "3 % missing", "next_steps": "A story."}


@pytest.fixture
def spike(project, lead, actor):
    new = NewWorkItem("spike", "Can notes be joined?", time_box_hours=8, details=READY)
    return add_work_item(project, new, actor=actor(lead))


@pytest.fixture
def running(spike, data_scientist, actor):
    return move_work_item(spike, "doing", actor=actor(data_scientist))


@pytest.fixture
def over(running):
    """A spike at work whose box ended three hours ago; the clock has not run."""
    ended = timezone.now() - timedelta(hours=3)
    WorkItem.objects.filter(pk=running.pk).update(time_box_ends_at=ended)
    running.refresh_from_db()
    return running


def refused(item, command, kind, code):
    """Assert that the command is refused with the code and leaves no trace; return its reasons."""
    before = (item.events.count(), LedgerEntry.objects.count(), item.status)
    with pytest.raises(kind) as refusal:
        command()
    assert refusal.value.code == code
    item.refresh_from_db()
    assert (item.events.count(), LedgerEntry.objects.count(), item.status) == before
    return refusal.value.details.get("reasons")


def test_item_that_is_not_ready_does_not_start(project, lead, actor):
    item = add_work_item(project, NewWorkItem("spike", "Joined?"), actor=actor(lead))
    reasons = refused(
        item,
        lambda: move_work_item(item, "doing", actor=actor(lead)),
        errors.RuleViolated,
        "not_ready",
    )
    assert [reason.partition(":")[0] for reason in reasons] == [
        "Question", "Method", "Time box (hours)",
    ]  # fmt: skip


def test_box_runs_from_the_start_of_the_work(running):
    left = running.time_box_ends_at - timezone.now()
    assert timedelta(hours=7, minutes=59) < left <= timedelta(hours=8)


def test_going_back_does_not_stop_the_clock(running, data_scientist, actor):
    ends_at = running.time_box_ends_at
    for to in ("todo", "doing"):
        move_work_item(running, to, actor=actor(data_scientist))
    assert running.time_box_ends_at == ends_at


def test_running_box_is_not_edited(running, lead, actor):
    refused(
        running,
        lambda: edit_work_item(running, {"time_box_hours": 80}, actor=actor(lead)),
        errors.RuleViolated,
        "time_box_started",
    )


def test_spike_is_concluded_with_what_its_kind_asks_for(running, data_scientist, actor):
    reasons = refused(
        running,
        lambda: conclude_work_item(
            running, actor=actor(data_scientist), outcome="answered", conclusion="By number."
        ),
        errors.RuleViolated,
        "not_done",
    )
    assert len(reasons) == 2
    conclude_work_item(
        running,
        actor=actor(data_scientist),
        outcome="answered",
        conclusion="By number.",
        details=DONE,
    )
    assert (running.status, running.outcome) == ("done", "answered")
    assert running.details == {**READY, **DONE}
    assert [event.kind for event in running.events.all()][-2:] == ["edited", "moved"]


def test_refused_conclusion_takes_its_details_back(running, data_scientist, actor):
    refused(
        running,
        lambda: conclude_work_item(
            running,
            actor=actor(data_scientist),
            outcome="answered",
            conclusion="By number.",
            details={"evidence": "3 %"},
        ),
        errors.RuleViolated,
        "not_done",
    )
    assert running.details == READY


def test_clock_ends_what_is_over_and_nothing_else(over, project, lead, actor):
    other = add_work_item(
        project, NewWorkItem("spike", "Other", time_box_hours=8, details=READY), actor=actor(lead)
    )
    move_work_item(other, "doing", actor=actor(lead))
    assert (expire_time_boxes(), expire_time_boxes()) == (1, 0)
    over.refresh_from_db()
    other.refresh_from_db()
    assert (over.status, over.outcome, over.conclusion) == ("done", "time_box_expired", "")
    assert other.status == "doing"
    assert time_boxes.is_choice_open(over)
    entry = LedgerEntry.objects.get(event="work_item.time_box_expired")
    assert entry.subject == over.ref
    assert over.events.last().data["outcome"] == "time_box_expired"


def test_only_the_clock_expires(over, lead, actor):
    assert time_boxes.expire_due(timezone.now(), actor=system("jobs")) == 0
    over.refresh_from_db()
    assert over.status == "doing"


@pytest.mark.parametrize("to", ["todo", "review", "dropped"])
def test_nothing_moves_before_the_choice_even_if_the_clock_did_not_run(
    over, to, data_scientist, actor
):
    reasons = refused(
        over,
        lambda: move_work_item(over, to, actor=actor(data_scientist)),
        errors.RuleViolated,
        "time_box_over",
    )
    assert [reason.split()[0].strip(":,") for reason in reasons] == ["Stop", "Extend", "Re-scope"]


def test_late_answer_is_no_answer(over, data_scientist, actor):
    refused(
        over,
        lambda: conclude_work_item(
            over,
            actor=actor(data_scientist),
            outcome="answered",
            conclusion="Yes.",
            details=DONE,
        ),
        errors.RuleViolated,
        "time_box_over",
    )


@pytest.mark.parametrize("clock_ran", [False, True])
def test_stopping_keeps_what_was_found(over, clock_ran, data_scientist, actor):
    if clock_ran:
        time_boxes.expire_due(timezone.now(), actor=CLOCK)
        over.refresh_from_db()
    time_boxes.stop_at_time_box(over, actor=actor(data_scientist), conclusion="Half a key.")
    assert (over.status, over.outcome) == ("done", "time_box_expired")
    assert over.conclusion == "Half a key."
    assert not time_boxes.is_choice_open(over)
    refused(
        over,
        lambda: time_boxes.stop_at_time_box(
            over, actor=actor(data_scientist), conclusion="Another."
        ),
        errors.InvalidTransition,
        "invalid_transition",
    )


def test_nobody_stops_at_a_box_that_still_runs(running, data_scientist, actor):
    refused(
        running,
        lambda: conclude_work_item(
            running,
            actor=actor(data_scientist),
            outcome="time_box_expired",
            conclusion="Tired of it.",
        ),
        errors.RuleViolated,
        "time_box_not_over",
    )


@pytest.mark.parametrize("clock_ran", [False, True])
def test_lead_extends_once(over, clock_ran, lead, actor):
    if clock_ran:
        time_boxes.expire_due(timezone.now(), actor=CLOCK)
        over.refresh_from_db()
    time_boxes.extend_time_box(over, actor=actor(lead), hours=4, reason="The export came late.")
    assert (over.status, over.outcome) == ("doing", "")
    assert over.time_box_ends_at > timezone.now() + timedelta(hours=3, minutes=59)
    assert over.time_box_extended_because == "The export came late."
    refused(
        over,
        lambda: time_boxes.extend_time_box(over, actor=actor(lead), hours=1, reason="Again."),
        errors.RuleViolated,
        "already_extended",
    )


@pytest.mark.parametrize(
    ("hours", "reason", "code"),
    [
        (9, "More.", "extension_too_long"),
        (0, "More.", "extension_too_long"),
        (4, "  ", "reason_missing"),
    ],
)
def test_extension_has_a_length_and_a_reason(over, hours, reason, code, lead, actor):
    refused(
        over,
        lambda: time_boxes.extend_time_box(over, actor=actor(lead), hours=hours, reason=reason),
        errors.DomainError,
        code,
    )


def test_who_does_the_work_does_not_extend_it(over, data_scientist, actor):
    refused(
        over,
        lambda: time_boxes.extend_time_box(
            over, actor=actor(data_scientist), hours=4, reason="More."
        ),
        errors.NotPermitted,
        "role_missing",
    )


def test_item_without_a_box_has_nothing_to_extend(spike, lead, actor):
    refused(
        spike,
        lambda: time_boxes.extend_time_box(spike, actor=actor(lead), hours=4, reason="More."),
        errors.RuleViolated,
        "no_time_box",
    )


# --- Dependencies and epics -----------------------------------------------------------------------


@pytest.fixture
def tasks(project, lead, actor):
    return [
        add_work_item(project, NewWorkItem("task", name, points=number), actor=actor(lead))
        for number, name in enumerate(("Join", "Clean", "Rank"), start=1)
    ]


def test_item_starts_and_does_not_end_before_what_it_waits_for(tasks, lead, actor):
    join, clean, _ = tasks
    dependencies.add_dependency(clean, join, actor=actor(lead))
    move_work_item(clean, "doing", actor=actor(lead))
    reasons = refused(
        clean,
        lambda: move_work_item(clean, "done", actor=actor(lead)),
        errors.RuleViolated,
        "not_done",
    )
    assert reasons == ["Not finished: “Join”."]
    for to in ("doing", "done"):
        move_work_item(join, to, actor=actor(lead))
    move_work_item(clean, "done", actor=actor(lead))
    assert clean.status == "done"


def test_items_do_not_wait_for_each_other(tasks, lead, actor):
    join, clean, rank = tasks
    dependencies.add_dependency(clean, join, actor=actor(lead))
    dependencies.add_dependency(rank, clean, actor=actor(lead))
    refused(
        join,
        lambda: dependencies.add_dependency(join, rank, actor=actor(lead)),
        errors.RuleViolated,
        "dependency_cycle",
    )
    assert not join.depends_on.exists()
    dependencies.remove_dependency(rank, clean, actor=actor(lead))
    dependencies.add_dependency(join, rank, actor=actor(lead))
    kinds = [event.kind for event in rank.events.all()]
    assert kinds == ["created", "dependency_added", "dependency_removed"]


def test_second_time_adds_nothing(tasks, lead, actor):
    join, clean, _ = tasks
    for _ in range(2):
        dependencies.add_dependency(clean, join, actor=actor(lead))
    assert clean.events.filter(kind="dependency_added").count() == 1


def test_item_waits_neither_for_itself_nor_for_another_project(tasks, lead, actor):
    from tests import factories

    foreign = factories.WorkItemFactory()
    for needed, code in ((tasks[0], "dependency_on_itself"), (foreign, "dependency_elsewhere")):
        refused(
            tasks[0],
            lambda: dependencies.add_dependency(tasks[0], needed, actor=actor(lead)),  # noqa: B023
            errors.InvalidInput,
            code,
        )


def test_epic_closes_after_its_children_and_sums_them_up(project, tasks, lead, actor):
    epic = add_work_item(project, NewWorkItem("epic", "A list to use"), actor=actor(lead))
    for task in tasks:
        edit_work_item(task, {"parent": epic}, actor=actor(lead))
    join, clean, rank = tasks
    for to in ("doing", "done"):
        move_work_item(join, to, actor=actor(lead))
    move_work_item(rank, "dropped", actor=actor(lead))
    progress = dependencies.progress_of(epic)
    assert (progress.items, progress.items_done) == (2, 1)
    assert (progress.points, progress.points_done, progress.percent) == (3, 1, 33)
    move_work_item(epic, "doing", actor=actor(lead))
    closing = {"outcome": "closed", "conclusion": "In use."}
    reasons = refused(
        epic,
        lambda: conclude_work_item(epic, actor=actor(lead), **closing),
        errors.RuleViolated,
        "not_done",
    )
    assert reasons == ["Open: “Clean”."]
    for to in ("doing", "done"):
        move_work_item(clean, to, actor=actor(lead))
    assert conclude_work_item(epic, actor=actor(lead), **closing).status == "done"
