"""Two people pressing the same button: one wins, the other is told so."""

import threading

import pytest
from django.db import connection

from ledger.models import LedgerEntry
from projects import errors
from projects.models import Deviation, ScopingDocument, Sprint, SprintCapacity, SprintSnapshot
from projects.services import capacity, deviations, scoping, sprint_closing, sprints
from tests import factories
from tests.factories import session_actor

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("racing_db")]

STARTERS = 2


def race(act, count=STARTERS):
    """Run `act(barrier)` in threads; return what each came to."""
    barrier = threading.Barrier(count)
    outcomes = []

    def run():
        try:
            act(barrier)
            outcomes.append("done")
        except errors.DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


@pytest.fixture
def project(racing_db):
    return factories.cast_project()


@pytest.fixture
def lead(project):
    return project.created_by


@pytest.fixture
def sprint(project, settings):
    settings.SPRINT_GUARDS = []
    return factories.SprintFactory(project=project)


def starts():
    return LedgerEntry.objects.filter(event="sprint.started").count()


def test_one_of_two_starters_wins(sprint, lead):
    def start(barrier):
        row = Sprint.objects.get(pk=sprint.pk)
        barrier.wait(timeout=30)
        sprints.start_sprint(row, actor=session_actor(lead))

    assert race(start) == ["done", "stale_state"]
    assert starts() == 1


def test_one_of_two_who_close_wins_and_freezes_one_snapshot(sprint, lead):
    item = factories.WorkItemFactory(project=sprint.project, sprint=sprint, status="doing")
    sprints.start_sprint(sprint, actor=session_actor(lead))

    def close(barrier):
        row = Sprint.objects.get(pk=sprint.pk)
        barrier.wait(timeout=30)
        sprint_closing.close_sprint(row, actor=session_actor(lead), force_reason="Out of time.")

    assert race(close) == ["done", "stale_state"]
    assert SprintSnapshot.objects.count() == 1
    item.refresh_from_db()
    assert item.sprint is None
    assert item.events.filter(kind="sprint_changed").count() == 1


def test_one_of_two_who_set_the_capacity_wins(sprint, lead):
    def set_capacity(barrier):
        row = Sprint.objects.get(pk=sprint.pk)
        barrier.wait(timeout=30)
        wanted = [capacity.PersonCapacity(lead, 5)]
        capacity.set_capacity(row, wanted, actor=session_actor(lead))

    assert race(set_capacity) == ["done", "stale_state"]
    assert SprintCapacity.objects.count() == 1


@pytest.mark.no_ledger_guard
def test_reading_and_then_writing_would_let_both_through(sprint):
    """Negative control: without compare-and-swap this race has two winners."""

    def start(barrier):
        row = Sprint.objects.get(pk=sprint.pk)
        barrier.wait(timeout=30)
        if row.status != Sprint.Status.PLANNED:
            raise errors.StaleState("too late")
        row.status = Sprint.Status.ACTIVE
        row.save(update_fields=["status"])

    assert race(start) == ["done", "done"]


def test_draft_saved_while_it_is_submitted_is_either_in_or_refused(project, lead, settings):
    draft = factories.write_scope(project, lead)
    content = {**factories.scope_content_of(), "title": "Slipped in"}
    turns = iter([True, False])
    lock = threading.Lock()

    def act(barrier):
        with lock:
            submits = next(turns)
        row = ScopingDocument.objects.get(pk=draft.pk)
        barrier.wait(timeout=30)
        if submits:
            scoping.submit_scoping_document(row, actor=session_actor(lead))
        else:
            scoping.write_draft(project, actor=session_actor(lead), content=content, document=row)

    assert race(act) == ["done", "stale_state"]
    draft.refresh_from_db()
    if draft.status == ScopingDocument.Status.SUBMITTED:
        assert draft.content_hash == scoping.content_hash(scoping.content_of(draft))


def test_one_of_two_deciders_of_a_deviation_wins(project, lead):
    owner, sam = (factories.UserFactory(username=name) for name in ("bruno", "sam"))
    first = factories.submit_scope(project, lead)
    scoping.approve_scoping_document(first, actor=session_actor(owner), review_ref="gate_review:0")
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    second = factories.submit_scope(project, lead, content)
    deviations.explain_deviation(
        second.deviations.get(), actor=session_actor(sam), reason="Hard.", is_result_seen=False
    )
    deciders = iter([factories.UserFactory(username=name) for name in ("vera", "rita")])

    def decide(barrier):
        row = Deviation.objects.select_related("scope__project").get()
        actor = session_actor(next(deciders))
        barrier.wait(timeout=30)
        deviations.decide_deviation(row, actor=actor, is_accepted=True)

    assert race(decide) == ["done", "stale_state"]
    assert LedgerEntry.objects.filter(event="deviation.accepted").count() == 1
