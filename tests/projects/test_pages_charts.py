"""Charts and sprint reports through their doors."""

import csv
import io
import json

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from projects.charts import drawing
from projects.models import (
    Ceremony,
    FeedbackItem,
    RetrospectiveAction,
    RetrospectiveNote,
    SprintCapacity,
    SprintSnapshot,
)
from projects.services import charts, sprints, work_items
from projects.services.sprint_report import report_of
from projects.services.work_items import NewWorkItem
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bare(settings):
    settings.SPRINT_GUARDS = []
    cache.clear()


@pytest.fixture
def sprint(project, lead, actor):
    """A running sprint that committed to a task and a hypothesis, both of 3 points."""
    row = factories.SprintFactory(project=project, name="Sprint 1", goal="Rank the calls.")
    for kind, title in (("task", "=Load the data"), ("hypothesis", "Recency helps")):
        item = NewWorkItem(kind, title, sprint=row, metric_key="test_roc_auc")
        work_items.add_work_item(project, item, actor=actor(lead))
    row.work_items.update(points=3)
    return sprints.start_sprint(row, actor=actor(lead))


@pytest.fixture
def held(sprint, lead, data_scientist):
    """The sprint with capacity, a review and a retrospective."""
    SprintCapacity.objects.create(sprint=sprint, person=data_scientist, days=8, points=13)
    common = {"project": sprint.project, "sprint": sprint, "recorded_by": lead}
    today = timezone.now().date()
    review = Ceremony.objects.create(
        kind="review", held_on=today, decision="go", decider=lead, demo_dataset="May", **common
    )
    FeedbackItem.objects.create(ceremony=review, sentiment="negative", text="Too slow.")
    retro = Ceremony.objects.create(kind="retrospective", held_on=today, **common)
    RetrospectiveNote.objects.create(ceremony=retro, kind="keep", text="Pairing.")
    RetrospectiveAction.objects.create(
        project=sprint.project, ceremony=retro, text="Cache the data.", owner=lead, due=today
    )
    return sprint


ADDRESSES = [
    "/projects/{slug}/charts/",
    "/projects/{slug}/charts/flow.svg",
    "/projects/{slug}/charts/flow.csv",
    "/sprints/{sprint}/charts/",
    "/sprints/{sprint}/charts/burn-down.svg",
    "/sprints/{sprint}/charts/burn-down.csv",
    "/sprints/{sprint}/report/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_by_reader(address, sprint, outsider, auditor, client_for):
    url = address.format(slug=sprint.project.slug, sprint=sprint.pk)
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(auditor).get(url).status_code == 200
    assert Client().get(url).status_code == 302
    assert client_for(auditor).post(url).status_code == 405


@pytest.mark.parametrize("address", ADDRESSES[:1] + ADDRESSES[3:4] + ADDRESSES[-1:])
def test_pages_hold_no_inline_script_or_style(address, sprint, lead, client_for):
    page = client_for(lead).get(address.format(slug=sprint.project.slug, sprint=sprint.pk))
    main = page.content.decode().partition('id="content"')[2]
    assert "<script" not in main
    assert "style=" not in main


def test_page_shows_pictures_with_numbers_and_advice_for_what_is_missing(sprint, lead, client_for):
    page = client_for(lead).get(f"/projects/{sprint.project.slug}/charts/").content.decode()
    assert f"/sprints/{sprint.pk}/charts/burn-down.svg?v=" in page
    assert "Burn-down in points" not in page  # points were written past the events
    assert "Burn-down in items" in page
    assert "Close a build or release sprint" in page
    assert '<th scope="row" class="nowrap">start</th>' in page


def test_picture_is_sent_once_per_state(sprint, lead, actor, client_for):
    browser = client_for(lead)
    address = f"/sprints/{sprint.pk}/charts/burn-down.svg"
    first = browser.get(address)
    assert first["Content-Type"] == "image/svg+xml"
    assert first["Content-Security-Policy"].endswith("sandbox")
    again = browser.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    work_items.add_work_item(
        sprint.project, NewWorkItem("task", "Late", sprint=sprint), actor=actor(lead)
    )
    changed = browser.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_picture_is_drawn_once_per_state_and_size(sprint, lead, client_for, monkeypatch):
    drawn = []
    draw = drawing.draw
    monkeypatch.setattr(
        drawing, "draw", lambda chart, narrow: drawn.append(narrow) or draw(chart, narrow=narrow)
    )
    browser = client_for(lead)
    for query in ("", "", "?size=narrow", "?size=narrow", "?v=unknown"):
        assert browser.get(f"/sprints/{sprint.pk}/charts/burn-up.svg{query}").status_code == 200
    assert drawn == [False, True]


def test_picture_of_a_page_is_not_computed_again(sprint, lead, client_for, monkeypatch):
    browser = client_for(lead)
    chart = charts.sprint_chart(sprint, "burn-down")
    charts.keep(sprint.ref, chart)

    def fail(*_args):
        raise AssertionError("It was computed again.")

    monkeypatch.setattr(charts, "sprint_chart", fail)
    address = f"/sprints/{sprint.pk}/charts/burn-down.svg?v={chart.digest}"
    assert browser.get(address).status_code == 200


def test_chart_without_numbers_and_unknown_chart_are_not_found(sprint, lead, client_for):
    browser = client_for(lead)
    empty = browser.get(f"/projects/{sprint.project.slug}/charts/velocity.svg")
    assert empty.status_code == 404
    assert b"Close a build" in empty.content
    assert browser.get(f"/projects/{sprint.project.slug}/charts/pie.svg").status_code == 404
    assert browser.get(f"/sprints/{sprint.pk}/charts/velocity.csv").status_code == 404


def test_csv_holds_the_table_and_no_formula(sprint, lead, actor, client_for):
    item = sprint.work_items.get(kind="task")
    work_items.move_work_item(item, "doing", actor=actor(lead))
    answer = client_for(lead).get(f"/projects/{sprint.project.slug}/charts/wip-age.csv")
    assert answer["Content-Disposition"].startswith("attachment")
    found = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["item"], row["status"]) for row in found] == [("'=Load the data", "doing")]


def test_rest_tables_are_those_of_the_rules(sprint, lead, api):
    answer = api(lead).get(f"/api/v1/sprints/{sprint.pk}/charts/").json()
    computed = charts.sprint_charts(sprint)
    assert [one["name"] for one in answer] == list(charts.SPRINT_CHARTS)
    assert [one["table"] for one in answer] == [
        json.loads(json.dumps(list(one.table))) for one in computed
    ]
    assert [one["digest"] for one in answer] == [one.digest for one in computed]


def test_rest_lists_every_chart_of_a_project(sprint, lead, api):
    answer = api(lead).get(f"/api/v1/projects/{sprint.project_id}/charts/").json()
    assert [one["name"] for one in answer] == list(charts.PROJECT_CHARTS)
    assert {one["name"] for one in answer if one["table"]} == {"uncertainty", "verdicts", "flow"}


@pytest.mark.parametrize(
    "path", ["sprints/{0}/charts/", "sprints/{0}/report/", "projects/{1}/charts/"]
)
def test_rest_hides_charts_from_strangers(path, sprint, outsider, auditor, api):
    url = "/api/v1/" + path.format(sprint.pk, sprint.project_id)
    assert api(outsider).get(url).status_code == 404
    assert api(auditor).get(url).status_code == 200


# --- The report -----------------------------------------------------------------------------------


def test_report_of_a_running_sprint_says_that_it_is_provisional(held, lead, client_for):
    page = client_for(lead).get(f"/sprints/{held.pk}/report/").content.decode()
    assert "Provisional" in page
    for said in ("Rank the calls.", "Recency helps", "Too slow.", "Pairing.", "Cache the data."):
        assert said in page
    assert "Sprint review: go" in page


@pytest.mark.no_ledger_guard
def test_report_follows_the_work(held):
    hypothesis = held.work_items.get(kind="hypothesis")
    ended = {"status": "done", "outcome": "refuted"}
    type(hypothesis).objects.filter(pk=hypothesis.pk).update(conclusion="It does not.", **ended)
    hypothesis.events.create(
        actor="user:1", kind="moved", data={**ended, "sprint": held.ref, "points": 3}
    )
    report = report_of(held)
    assert report["is_final"] is False
    assert report["totals"]["commitment"]["count"] == 2
    assert report["totals"]["done"]["count"] == 1
    assert [one["title"] for one in report["work"]["carried_over"]] == ["=Load the data"]
    assert [(one["outcome"], one["conclusion"]) for one in report["hypotheses"]] == [
        ("refuted", "It does not.")
    ]
    assert report["people"] == [
        {"name": "Sam", "days": 8.0, "points": 13, "items": 0, "assigned_points": 0}
    ]
    assert report["next"]["open_actions"][0]["text"] == "Cache the data."


def entry(title, points):
    return {"item": "work_item:1", "title": title, "kind": "task", "points": points, "outcome": ""}


@pytest.mark.no_ledger_guard
def test_report_of_a_closed_sprint_is_its_snapshot(held, lead, client_for):
    frozen = {
        "commitment": [entry("As it was called then", 5)],
        "added": [],
        "removed": [],
        "done": [entry("As it was called then", 5)],
        "carried_over": [],
        "cancelled": [],
        "kill_criteria": [
            {"title": "A signal", "state": "fail", "sentence": "None.", "has_failed": True}
        ],
    }
    SprintSnapshot.objects.create(sprint=held, data=frozen, digest="ab" * 32)
    type(held).objects.filter(pk=held.pk).update(status="closed", closed_at=timezone.now())
    held.refresh_from_db()
    report = report_of(held)
    assert report["is_final"] is True
    assert report["work"]["done"] == frozen["done"]
    assert report["totals"]["done"] == {"count": 1, "points": 5, "hours": 0.0}
    assert report["kill_criteria"] == frozen["kill_criteria"]
    page = client_for(lead).get(f"/sprints/{held.pk}/report/").content.decode()
    assert "ab" * 32 in page
    assert "As it was called then" in page
    assert "Provisional" not in page


def test_report_of_a_planned_sprint_shows_the_plan(project, lead, client_for):
    planned = factories.SprintFactory(project=project)
    factories.WorkItemFactory(project=project, sprint=planned, title="Later")
    page = client_for(lead).get(f"/sprints/{planned.pk}/report/").content.decode()
    assert "has not started" in page
    assert "Later" in page


def test_rest_answers_the_same_report(held, lead, api):
    answer = api(lead).get(f"/api/v1/sprints/{held.pk}/report/").json()
    expected = json.loads(json.dumps(report_of(held)))
    assert {name: answer[name] for name in ("work", "totals", "reviews", "next")} == {
        name: expected[name] for name in ("work", "totals", "reviews", "next")
    }


def test_report_takes_a_bounded_number_of_queries(
    held, lead, actor, client_for, django_assert_max_num_queries
):
    for number in range(15):
        item = NewWorkItem("hypothesis", f"H{number}", sprint=held, assignee=lead)
        work_items.add_work_item(held.project, item, actor=actor(lead))
    browser = client_for(lead)
    with django_assert_max_num_queries(50):
        assert browser.get(f"/sprints/{held.pk}/report/").status_code == 200
