"""Two people at one work item: one wins, and nothing is lost or doubled."""

import threading
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from projects.actors import system
from projects.models import WorkItem
from projects.services import dependencies, time_boxes
from projects.services.work_item_editing import edit_work_item
from tests import factories
from tests.factories import PASSWORD, session_actor
from tests.projects.test_races import race

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("racing_db")]


@pytest.fixture
def project(racing_db):
    return factories.cast_project()


@pytest.fixture
def lead(project):
    return project.created_by


@pytest.fixture
def item(project):
    return factories.WorkItemFactory(project=project, kind="spike", time_box_hours=8)


def turns():
    """Return a function that gives every caller another number."""
    lock, numbers = threading.Lock(), iter(range(100))

    def take():
        with lock:
            return next(numbers)

    return take


def test_one_of_two_editors_is_told_that_the_other_was_faster(item, lead):
    take = turns()

    def edit(barrier):
        row, text = WorkItem.objects.get(pk=item.pk), f"Text {take()}"
        barrier.wait(timeout=30)
        edit_work_item(row, {"description": text}, actor=session_actor(lead))

    assert race(edit) == ["done", "stale_state"]
    assert item.events.filter(kind="edited").count() == 1


def test_second_editor_on_the_page_gets_a_409_and_keeps_the_text(item, lead):
    client = Client()
    client.login(username=lead.username, password=PASSWORD)
    body = {"version": item.version_lock, "title": "Mine", "time_box_hours": 8}
    first = client.post(f"/work-items/{item.pk}/edit/", body)
    second = client.post(f"/work-items/{item.pk}/edit/", {**body, "title": "Also mine"})
    assert (first.status_code, second.status_code) == (302, 409)
    assert b"Also mine" in second.content
    item.refresh_from_db()
    assert item.title == "Mine"


def test_two_edges_do_not_close_a_cycle_together(project, lead):
    one, other = factories.WorkItemFactory.create_batch(2, project=project)
    take = turns()

    def depend(barrier):
        pair = (one.pk, other.pk) if take() else (other.pk, one.pk)
        waiting, needed = (WorkItem.objects.get(pk=pk) for pk in pair)
        barrier.wait(timeout=30)
        dependencies.add_dependency(waiting, needed, actor=session_actor(lead))

    assert race(depend) == ["dependency_cycle", "done"]
    assert WorkItem.depends_on.through.objects.count() == 1


@pytest.mark.no_ledger_guard
def test_box_that_two_clocks_see_ends_once(item):
    ended = timezone.now() - timedelta(hours=1)
    WorkItem.objects.filter(pk=item.pk).update(status="doing", time_box_ends_at=ended)

    def expire(barrier):
        barrier.wait(timeout=30)
        time_boxes.expire_due(timezone.now(), actor=system("clock"))

    assert race(expire) == ["done", "done"]
    assert item.events.filter(data__outcome="time_box_expired").count() == 1
