"""Editing a work item: what changes, what stays in its events, and what is refused."""

from datetime import date

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.models import WorkItem
from projects.services.work_item_editing import edit_work_item
from projects.services.work_items import NewWorkItem, add_work_item, move_work_item
from tests import factories


@pytest.fixture
def story(project, lead, actor):
    new = NewWorkItem("story", "List of customers", points=3, details={"expert": "Nora"})
    return add_work_item(project, new, actor=actor(lead))


@pytest.fixture
def refused(story):
    """Run a command that must be refused and must leave no trace; return the refusal."""

    def attempt(command, kind):
        before = (story.events.count(), LedgerEntry.objects.count())
        with pytest.raises(kind) as refusal:
            command()
        assert (story.events.count(), LedgerEntry.objects.count()) == before
        fresh = WorkItem.objects.get(pk=story.pk)
        assert (fresh.title, fresh.points, fresh.details) == (
            "List of customers", 3, {"expert": "Nora"},
        )  # fmt: skip
        return refusal.value

    return attempt


def test_edit_keeps_before_and_after(story, project, data_scientist, actor):
    epic = factories.WorkItemFactory(project=project, kind="epic", title="Ranking")
    edit_work_item(
        story,
        {
            "points": 5,
            "due_on": date(2026, 3, 1),
            "parent": epic,
            "assignee": data_scientist,
            "details": {"expert": "", "acceptance_criteria": "500 customers every Monday"},
        },
        actor=actor(data_scientist),
        version=story.version_lock,
    )
    fresh = WorkItem.objects.get(pk=story.pk)
    assert (fresh.points, fresh.parent, fresh.assignee) == (5, epic, data_scientist)
    assert fresh.details == {"acceptance_criteria": "500 customers every Monday"}
    event = story.events.last()
    assert event.kind == "edited"
    assert event.data["before"] == {"points": 3, "expert": "Nora"}
    assert event.data["after"] == {
        "points": 5,
        "due_on": "2026-03-01",
        "parent": epic.ref,
        "assignee": f"user:{data_scientist.pk}",
        "acceptance_criteria": "500 customers every Monday",
    }
    assert (event.data["points_before"], event.data["points_after"]) == (3, 5)
    entry = LedgerEntry.objects.last()
    assert (entry.event, entry.subject) == ("work_item.edited", story.ref)


def test_every_event_says_how_the_item_stands(story, project, lead, actor):
    sprint = factories.SprintFactory(project=project)
    item = add_work_item(
        project, NewWorkItem("task", "Join", sprint=sprint, points=2, hours=6), actor=actor(lead)
    )
    assert item.events.get().data == {
        "status": "todo", "sprint": sprint.ref, "points": 2, "hours": 6,
    }  # fmt: skip


def test_edit_that_changes_nothing_leaves_no_event(story, lead, actor):
    edit_work_item(story, {"points": 3, "details": {"expert": "Nora"}}, actor=actor(lead))
    assert [event.kind for event in story.events.all()] == ["created"]


def test_every_wrong_field_is_named(story, project, lead, outsider, actor, refused):
    task = factories.WorkItemFactory(project=project)
    changes = {
        "title": "",
        "parent": task,
        "time_box_hours": 4,
        "assignee": outsider,
        "details": {"colour": "red", "flavour": "poem"},
    }
    refusal = refused(
        lambda: edit_work_item(story, changes, actor=actor(lead)), errors.InvalidInput
    )
    assert refusal.code == "invalid_work_item"
    named = {"title", "parent", "time_box_hours", "assignee", "colour", "flavour"}
    assert set(refusal.details["errors"]) == named


def test_status_and_sprint_are_not_edited(story, lead, actor, refused):
    refusal = refused(
        lambda: edit_work_item(story, {"status": "done", "rank": 1}, actor=actor(lead)),
        errors.InvalidInput,
    )
    assert set(refusal.details["errors"]) == {"status", "rank"}


def test_edit_of_an_older_version_is_stale(story, lead, actor, refused):
    refusal = refused(
        lambda: edit_work_item(story, {"points": 8}, actor=actor(lead), version=7),
        errors.StaleState,
    )
    assert refusal.code == "stale_state"


def test_who_has_no_part_in_building_edits_nothing(story, auditor, outsider, actor, refused):
    for user, kind in ((auditor, errors.NotPermitted), (outsider, errors.NotFound)):
        refused(lambda: edit_work_item(story, {"points": 8}, actor=actor(user)), kind)  # noqa: B023


def test_finished_item_is_reopened_before_it_is_edited(story, lead, actor, refused):
    move_work_item(story, "dropped", actor=actor(lead))
    refusal = refused(
        lambda: edit_work_item(story, {"points": 8}, actor=actor(lead)), errors.RuleViolated
    )
    assert refusal.code == "item_finished"


def test_old_value_is_not_held_against_who_changes_another(project, lead, data_scientist, actor):
    item = factories.WorkItemFactory(project=project, kind="hypothesis", points=3)
    left = factories.UserFactory(username="gone")
    WorkItem.objects.filter(pk=item.pk).update(assignee=left)
    item.refresh_from_db()
    edit_work_item(item, {"metric_key": "test_roc_auc"}, actor=actor(data_scientist))
    assert item.metric_key == "test_roc_auc"


def test_experiment_names_a_hypothesis_and_a_reader_of_its_project(project, lead, actor):
    foreign = factories.WorkItemFactory(kind="hypothesis")
    new = NewWorkItem(
        "experiment", "Boosting", details={"hypothesis": foreign.pk, "second_reader": "otto"}
    )
    with pytest.raises(errors.InvalidInput) as refusal:
        add_work_item(project, new, actor=actor(lead))
    assert set(refusal.value.details["errors"]) == {"hypothesis", "second_reader"}
    assert not WorkItem.objects.filter(project=project).exists()


def test_moved_item_keeps_its_size_in_the_event(story, lead, actor):
    move_work_item(story, "todo", actor=actor(lead))
    assert story.events.last().data == {
        "source": "backlog", "to": "todo", "status": "todo", "points": 3,
    }  # fmt: skip
