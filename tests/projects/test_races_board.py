"""Two people at one board at the same moment."""

import pytest

from ledger.models import LedgerEntry
from projects.models import WorkItem
from projects.services import ranking, wip_limits, work_items
from projects.services.wip_limits import NewLimit
from tests import factories
from tests.concurrency.racing import failures, race
from tests.factories import session_actor

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("racing_db")]

MOVERS = 6


@pytest.fixture
def project(racing_db):
    return factories.cast_project()


@pytest.fixture
def lead(project):
    return project.created_by


@pytest.fixture
def waiting(project, lead):
    """Items that wait before a column with room for one."""
    limits = {"doing": NewLimit(1, "block")}
    wip_limits.set_wip_limits(project, limits, actor=session_actor(lead))
    sprints = [factories.SprintFactory(project=project, status="active") for _ in range(2)]
    return [
        factories.WorkItemFactory(project=project, sprint=sprints[n % 2], status="todo")
        for n in range(MOVERS)
    ]


def doing():
    return WorkItem.objects.filter(status="doing").count()


def test_the_last_free_place_is_taken_once(waiting, lead):
    def mover(pk):
        def move():
            item = WorkItem.objects.select_related("project", "sprint").get(pk=pk)
            return work_items.move_work_item(item, "doing", actor=session_actor(lead))

        return move

    refused = failures(race(*[mover(item.pk) for item in waiting]))
    assert [error.code for error in refused] == ["wip_limit_reached"] * (MOVERS - 1)
    assert doing() == 1
    assert LedgerEntry.objects.filter(event="work_item.moved").count() == 1


@pytest.mark.no_ledger_guard
def test_counting_before_the_transaction_would_overfill_the_column(waiting, lead, project):
    """Negative control: counted outside the transaction, all movers see the free place."""
    import threading

    counted = threading.Barrier(MOVERS)

    def mover(pk):
        def move():
            wip = wip_limits.wip_of(project)["doing"]
            counted.wait(timeout=30)
            if not wip.blocks:
                WorkItem.objects.filter(pk=pk, status="todo").update(status="doing")

        return move

    assert failures(race(*[mover(item.pk) for item in waiting])) == []
    assert doing() > 1


def test_items_ranked_at_the_same_place_get_different_ranks(project, lead):
    rows = [factories.WorkItemFactory(project=project, rank=float(n)) for n in range(MOVERS)]
    last = rows[-1]

    def ranker(pk):
        def rank():
            item = WorkItem.objects.select_related("project").get(pk=pk)
            return ranking.rank_work_item(item, after=last, actor=session_actor(lead))

        return rank

    assert failures(race(*[ranker(item.pk) for item in rows[:-1]])) == []
    ranks = list(project.work_items.order_by("rank").values_list("rank", flat=True))
    assert len(set(ranks)) == MOVERS
    assert project.work_items.order_by("rank").first() == last
