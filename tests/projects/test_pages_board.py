"""Board and backlog, through the door."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projects.models import WipLimit, WorkItem
from projects.services import wip_limits
from projects.services.wip_limits import NewLimit
from tests import factories
from tests.projects.test_api_board import run_fact

pytestmark = pytest.mark.django_db

#: Whatever the number of cards.
MOST_QUERIES = 30
JSON = {"Accept": "application/json"}


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, name="Sprint 1", status="active")


@pytest.fixture
def item(project, sprint):
    return factories.WorkItemFactory(
        project=project, sprint=sprint, status="doing", title="<b>Rules</b>", rank=1.0
    )


def text_of(response):
    return response.content.decode()


def titles(page):
    return re.findall(r'data-title="([^"]*)"', page)


def test_project_board_shows_all_active_sprints(project, sprint, item, auditor, client_for):
    other = factories.SprintFactory(project=project, name="Sprint 2", status="active")
    planned = factories.SprintFactory(project=project, name="Sprint 3")
    for home, title in ((other, "elsewhere"), (planned, "later")):
        factories.WorkItemFactory(project=project, sprint=home, status="todo", title=title)
    page = text_of(client_for(auditor).get(f"/projects/{project.slug}/board/"))
    assert titles(page) == ["elsewhere", "&lt;b&gt;Rules&lt;/b&gt;"]
    assert "/move/" not in page


def test_a_project_without_active_sprint_says_what_to_do(project, lead, client_for):
    page = text_of(client_for(lead).get(f"/projects/{project.slug}/board/"))
    assert "No sprint is active" in page
    assert f"/projects/{project.slug}/backlog/" in page


def test_filters_stay_in_the_address_and_nonsense_filters_nothing(item, lead, client_for):
    url = f"/sprints/{item.sprint_id}/board/"
    browser = client_for(lead)
    page = text_of(browser.get(url, {"q": "nothing like it", "lanes": "assignee"}))
    assert titles(page) == []
    assert 'value="nothing like it"' in page
    assert '<option value="assignee" selected>' in page
    odd = {"kind": "x", "epic": "²", "lanes": "x", "mine": "2"}
    assert len(titles(text_of(browser.get(url, odd)))) == 1


def test_going_back_after_a_move_keeps_the_filters(item, lead, client_for):
    back = f"/sprints/{item.sprint_id}/board/?kind=task"
    page = text_of(client_for(lead).get(back))
    assert f'name="next" value="{back}"' in page


def test_board_of_200_items_takes_a_bounded_number_of_queries(
    project, sprint, data_scientist, lead, client_for
):
    epic = factories.WorkItemFactory(project=project, kind="epic")
    browser = client_for(lead)

    def queries(count):
        for n in range(count):
            row = factories.WorkItemFactory(
                project=project, sprint=sprint, parent=epic, assignee=data_scientist, rank=n,
                status=["todo", "doing", "review", "done"][n % 4],
            )  # fmt: skip
            row.depends_on.add(epic)
        with CaptureQueriesContext(
            connection,
        ) as found:
            page = browser.get(f"/sprints/{sprint.pk}/board/?lanes=epic")
        return len(found), len(titles(text_of(page)))

    few, _ = queries(4)
    assert queries(196) == (few, 200)
    assert few <= MOST_QUERIES


def test_backlog_takes_the_same_number_of_queries_whatever_its_length(
    project, sprint, data_scientist, lead, client_for
):
    browser = client_for(lead)

    def queries(count):
        for n in range(count):
            factories.WorkItemFactory(project=project, assignee=data_scientist, rank=n)
        with CaptureQueriesContext(connection) as found:
            browser.get(f"/projects/{project.slug}/backlog/")
        return len(found)

    few = queries(3)
    assert queries(40) == few
    assert few <= MOST_QUERIES


def test_a_refused_move_is_told_to_scripts_and_to_forms(item, project, lead, client_for):
    limits = {"doing": NewLimit(1, "block")}
    wip_limits.set_wip_limits(project, limits, actor=factories.session_actor(lead))
    waiting = factories.WorkItemFactory(project=project, sprint=item.sprint, status="todo")
    browser, url = client_for(lead), f"/work-items/{waiting.pk}/move/"
    told = browser.post(url, {"to": "doing", "seen": "todo"}, headers=JSON)
    assert (told.status_code, told.json()["code"]) == (422, "wip_limit_reached")
    shown = browser.post(url, {"to": "doing", "seen": "todo"}, follow=True)
    assert "“Doing” is full" in str(next(iter(shown.context["messages"])))
    waiting.refresh_from_db()
    assert waiting.status == "todo"


def test_a_stale_move_says_where_the_card_is(item, lead, client_for):
    told = client_for(lead).post(
        f"/work-items/{item.pk}/move/", {"to": "dropped", "seen": "todo"}, headers=JSON
    )
    assert (told.status_code, told.json()["code"]) == (409, "card_moved_meanwhile")
    item.refresh_from_db()
    assert item.status == "doing"


def test_going_over_a_warning_limit_is_done_and_warned_about(item, project, lead, client_for):
    limits = {"review": NewLimit(1, "warn")}
    wip_limits.set_wip_limits(project, limits, actor=factories.session_actor(lead))
    factories.WorkItemFactory(project=project, sprint=item.sprint, status="review")
    told = client_for(lead).post(f"/work-items/{item.pk}/move/", {"to": "review"}, headers=JSON)
    assert told.status_code == 200
    assert "holds 2 and should hold 1" in told.json()["warning"]
    item.refresh_from_db()
    assert item.status == "review"


def test_lead_sets_limits_on_the_board_and_others_do_not(
    project, item, lead, data_scientist, client_for
):
    url = f"/projects/{project.slug}/board/limits/"
    body = {"doing-most": "2", "doing-mode": "block", "todo-most": ""}
    client_for(lead).post(url, body)
    assert [str(one) for one in WipLimit.objects.all()] == ["at most 2 in Doing"]
    page = text_of(client_for(lead).get(f"/projects/{project.slug}/board/"))
    assert "1 of 2" in page
    client_for(data_scientist).post(url, {})
    client_for(lead).post(url, {"doing-most": "many"})
    assert WipLimit.objects.get().most == 2


def test_backlog_is_ranked_and_taken_into_a_sprint_without_javascript(
    project, sprint, data_scientist, client_for
):
    rows = [
        factories.WorkItemFactory(project=project, title=t, rank=n) for n, t in enumerate("abc")
    ]
    factories.SprintFactory(project=project, name="Next")
    url, browser = f"/projects/{project.slug}/backlog/", client_for(data_scientist)
    move = "/work-items/{}/move/".format
    browser.post(move(rows[2].pk), {"place": "top"})
    browser.post(move(rows[0].pk), {"after": rows[1].pk})
    page = text_of(browser.get(url))
    assert titles(page) == ["c", "b", "a"]
    assert "Sprint 1" in page
    assert "Next" in page
    browser.post(f"/work-items/{rows[1].pk}/schedule/", {"sprint": sprint.pk, "next": url})
    assert titles(text_of(browser.get(url))) == ["c", "a"]


def test_quick_add_puts_an_item_at_the_end(project, lead, client_for):
    factories.WorkItemFactory(project=project, title="first", rank=5.0)
    url = f"/projects/{project.slug}/backlog/"
    client_for(lead).post(f"{url}add/", {"title": "second", "kind": "task", "points": "3"})
    assert titles(text_of(client_for(lead).get(url))) == ["first", "second"]
    assert WorkItem.objects.get(title="second").points == 3


def test_a_refused_quick_add_keeps_what_was_typed(project, lead, client_for):
    url = f"/projects/{project.slug}/backlog/"
    body = {"title": "Half & half", "kind": "task", "points": "many"}
    response = client_for(lead).post(f"{url}add/", body, follow=True)
    assert 'value="Half &amp; half"' in text_of(response)
    assert "whole number" in text_of(response)
    assert not WorkItem.objects.exists()


def test_a_card_shows_its_newest_run_against_the_criteria(
    item, approved_scope, lead, client_for, monkeypatch
):
    key = approved_scope.snapshot["criteria"][0]["metric_key"]
    runs = [
        run_fact(run_id=n * 32, name=f"run {n}", work_item=item.pk, metrics={key: 0.99}, status=s)
        for n, s in (("1", "FINISHED"), ("2", "RUNNING"))
    ]
    monkeypatch.setattr("projects.facts.runs_of", lambda project: runs)
    monkeypatch.setattr("projects.facts.refresh_runs", lambda run_ids: None)
    page = text_of(client_for(lead).get(f"/sprints/{item.sprint_id}/board/"))
    assert "run 2" in page
    assert "and 1 earlier run" in page
    assert f'hx-get="/work-items/{item.pk}/runs/?compact=1"' in page
    whole = text_of(client_for(lead).get(f"/work-items/{item.pk}/runs/"))
    assert ("run 1" in whole, "run 2" in whole, f"{key} 0.99" in whole) == (True, True, True)


@pytest.mark.parametrize(
    "path",
    [
        "/projects/{slug}/board/",
        "/projects/{slug}/backlog/",
        "/sprints/{sprint}/board/",
        "/work-items/{item}/runs/",
    ],
)
def test_pages_by_reader(path, item, outsider, auditor, client_for):
    url = path.format(slug=item.project.slug, sprint=item.sprint_id, item=item.pk)
    assert client_for(outsider).get(url).status_code == 404
    page = client_for(auditor).get(url)
    assert page.status_code == 200
    assert "<form method" not in text_of(page).partition('id="content"')[2]
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize(
    "path", ["/projects/{slug}/board/limits/", "/projects/{slug}/backlog/add/"]
)
def test_commands_hide_from_strangers(path, item, outsider, client_for):
    url = f"/projects/{item.project.slug}/{path}"
    assert client_for(outsider).post(url, {"title": "x", "kind": "task"}).status_code == 404
    assert WorkItem.objects.count() == 1
