"""Charts from rows, through the commands that write the events."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from projects.errors import NotFound
from projects.models import SprintSnapshot
from projects.rules.sprint_series import as_data
from projects.rules.work_history import present_states
from projects.services import charts, sprints, work_items
from projects.services.charts import PROJECT_CHARTS, ProjectCharts
from projects.services.histories import changes_of, items_of
from projects.services.sprint_closing import close_sprint
from projects.services.sprint_report import report_of
from projects.services.work_items import NewWorkItem
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bare(settings):
    settings.SPRINT_GUARDS = []
    cache.clear()


@pytest.fixture
def lena(lead, actor):
    return actor(lead)


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, name="Sprint 1", kind="build")


@pytest.fixture
def items(project, sprint, lena):
    """Three items of 3, 5 and 2 points, planned before the sprint starts."""
    return [
        work_items.add_work_item(
            project, NewWorkItem("task", f"T{points}", sprint=sprint, points=points), actor=lena
        )
        for points in (3, 5, 2)
    ]


@pytest.fixture
def running(sprint, items, lena):
    return sprints.start_sprint(sprint, actor=lena)


def finish(item, actor):
    item.refresh_from_db()
    for status in ("doing", "done"):
        work_items.move_work_item(item, status, actor=actor)


def today(chart):
    """Return the last row that is not in the future."""
    return [row for row in chart.table if row.get("scope") is not None][-1]


def test_burn_down_follows_the_commands(project, running, items, lena):
    finish(items[0], lena)
    work_items.move_work_item(items[2], "dropped", actor=lena)
    late = NewWorkItem("task", "Late", sprint=running, points=8)
    work_items.add_work_item(project, late, actor=lena)
    row = today(charts.sprint_chart(running, "burn-down"))
    # Committed 10; 2 dropped, 8 added, 3 done.
    assert (row["scope"], row["done"], row["remaining"]) == (16, 3, 13)
    assert (row["added"], row["removed"]) == (8, 2)


def test_replayed_events_are_the_present_rows(project, running, items, lena):
    finish(items[0], lena)
    work_items.move_work_item(items[0], "doing", actor=lena)
    work_items.move_work_item(items[1], "dropped", actor=lena)
    factories.WorkItemFactory(project=project, points=4, status="done")
    states = present_states(changes_of(project))
    rows = {item.pk: item for item in project.work_items.all()}
    assert {pk: (s.status, s.points) for pk, s in states.items()} == {
        pk: (row.status, row.points) for pk, row in rows.items()
    }


def test_a_planned_sprint_has_no_burn_down_yet(sprint, items):
    chart = charts.sprint_chart(sprint, "burn-down")
    assert not chart.table
    assert "Start the sprint" in chart.advice


def test_a_sprint_that_is_over_is_read_from_its_snapshot_and_not_computed_again(running, items):
    series = charts.sprint_days(running)
    SprintSnapshot.objects.create(sprint=running, data={"series": as_data(series)}, digest="0" * 64)
    before = charts.sprint_charts(running)
    items[0].events.create(
        at=timezone.now() - timedelta(hours=1), actor="user:1", kind="moved", data={"to": "dropped"}
    )
    assert charts.sprint_charts(running) == before
    assert charts.sprint_days(running) == series


def test_closing_a_sprint_keeps_its_charts_although_its_items_move_on(running, items, lena):
    finish(items[0], lena)
    before = charts.sprint_chart(running, "burn-down")
    close_sprint(running, actor=lena, force_reason="The team was needed elsewhere.")
    items[1].refresh_from_db()
    assert items[1].sprint is None
    assert today(charts.sprint_chart(running, "burn-down")) == today(before)
    report = report_of(running)
    assert report["is_final"] is True
    assert report["snapshot"]["digest"] == running.snapshot.digest
    assert {name: one["points"] for name, one in report["totals"].items()} == {
        "commitment": 10,
        "added": 0,
        "done": 3,
        "carried_over": 7,
        "cancelled": 0,
        "removed": 0,
    }
    assert [(one["title"], one["to"]) for one in report["next"]["unfinished"]] == [
        ("T5", "backlog"),
        ("T2", "backlog"),
    ]


def test_velocity_is_read_from_snapshots_of_closed_engineering_sprints(
    project, running, items, lena
):
    finish(items[0], lena)
    finish(items[1], lena)
    series = charts.sprint_days(running)
    type(running).objects.filter(pk=running.pk).update(status="closed", closed_at=timezone.now())
    SprintSnapshot.objects.create(sprint=running, data={"series": as_data(series)}, digest="0" * 64)
    chart = ProjectCharts(project).chart("velocity")
    assert [(row["sprint"], row["committed"], row["done"]) for row in chart.table] == [
        ("Sprint 1", 10, 8)
    ]


def test_epics_are_no_work_of_their_own(project, sprint, lena):
    factories.WorkItemFactory(project=project, sprint=sprint, kind="epic")
    assert (items_of(project), changes_of(project)) == ([], [])


def test_assumptions_come_from_the_scope_in_force(approved_scope):
    read = ProjectCharts(approved_scope.project)
    assert [scope.version for scope in read.scopes] == [approved_scope.version]
    assert {row["level"] for row in read.scopes[0].aims} == {"must", "guardrail"}
    criteria = read.chart("criteria")
    assert criteria.table[-1]["total"] == 4
    assert criteria.table[-1]["passing"] == 0


def test_every_chart_of_an_empty_project_says_what_to_do(project):
    found = ProjectCharts(project).all()
    assert [chart.name for chart in found] == list(PROJECT_CHARTS)
    assert all(chart.advice and not chart.table for chart in found)


def test_an_unknown_chart_is_refused_with_the_names_there_are(project, sprint):
    with pytest.raises(NotFound) as refused:
        ProjectCharts(project).chart("pie")
    assert refused.value.code == "no_such_chart"
    with pytest.raises(NotFound):
        charts.sprint_chart(sprint, "velocity")


def test_all_charts_of_a_project_take_the_same_queries_however_many_items(
    project, running, items, lena, django_assert_max_num_queries
):
    for number in range(20):
        item = work_items.add_work_item(
            project, NewWorkItem("task", f"More {number}", sprint=running), actor=lena
        )
        finish(item, lena)
    with django_assert_max_num_queries(12):
        ProjectCharts(project).all()


def test_a_kept_chart_is_given_to_its_owner_only(project):
    chart = ProjectCharts(project).chart("velocity")
    charts.keep(project.ref, chart)
    assert charts.kept(project.ref, "velocity", chart.digest) == chart
    assert charts.kept("project:0", "velocity", chart.digest) is None
    assert charts.kept(project.ref, "velocity", "") is None
