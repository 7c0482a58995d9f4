"""The pages of projects, through the door."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from projects.services import scoping
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_guards(settings):
    settings.SPRINT_GUARDS = []


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, name="Sprint 1", status="active")


@pytest.fixture
def item(project, sprint):
    return factories.WorkItemFactory(
        project=project, sprint=sprint, kind="hypothesis", status="doing", title="<b>Flattery</b>"
    )


def words_of(response):
    """Return what a reader sees of a page, without its marks."""
    return re.sub(r"<[^>]+>", "", response.content.decode())


def test_project_page_says_where_it_stands_and_who_is_waited_for(submitted_scope, lead, client_for):
    page = words_of(client_for(lead).get(f"/projects/{submitted_scope.project.slug}/"))
    assert "The scope is under review." in page
    assert "Decide on scope v1: Bruno (business owner), Dora (data owner)" in page


def test_project_page_lists_what_blocks_a_draft(project, lead, client_for):
    blog = factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))
    page = html.unescape(words_of(client_for(lead).get(f"/projects/{project.slug}/")))
    assert scoping.assess(blog).reasons[0] in page
    assert "more stand against submitting the scope" in page
    assert "Write and submit the scope: Lena (lead)" in page


def test_scope_page_shows_readiness_and_gauges(project, lead, client_for):
    blog = factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))
    page = client_for(lead).get(f"/scopes/{blog.pk}/").content.decode()
    assert "It cannot be submitted yet." in page
    assert re.search(r"Under-scoped: \d+ of 100", page)
    targets = set(re.findall(r'href="#([a-z_]+)"', page))
    assert targets
    assert targets <= set(re.findall(r'id="([a-z_]+)"', page))


def test_scope_page_holds_no_inline_script_or_style(submitted_scope, lead, client_for):
    page = client_for(lead).get(f"/scopes/{submitted_scope.pk}/").content.decode()
    main = page[page.index('id="content"') :]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", main)


def test_board_moves_a_card_without_javascript(item, data_scientist, client_for):
    browser = client_for(data_scientist)
    board = f"/sprints/{item.sprint_id}/board/"
    page = browser.get(board).content.decode()
    assert "&lt;b&gt;Flattery" in page
    assert reverse("projects:item-move", args=[item.pk]) in page
    response = browser.post(f"/work-items/{item.pk}/move/", {"to": "review"})
    assert (response.status_code, response.url) == (302, board)
    item.refresh_from_db()
    assert item.status == "review"


def test_board_concludes_a_hypothesis(item, data_scientist, client_for):
    body = {"outcome": "abandoned", "conclusion": "No."}
    client_for(data_scientist).post(f"/work-items/{item.pk}/conclude/", body)
    item.refresh_from_db()
    assert (item.status, item.outcome) == ("done", "abandoned")


def test_refusal_is_a_message_on_the_board(item, data_scientist, client_for):
    response = client_for(data_scientist).post(
        f"/work-items/{item.pk}/move/", {"to": "done"}, follow=True
    )
    assert "record the outcome" in str(next(iter(response.context["messages"])))
    item.refresh_from_db()
    assert item.status == "doing"


def test_auditor_sees_the_board_without_buttons(item, auditor, client_for):
    page = client_for(auditor).get(f"/sprints/{item.sprint_id}/board/").content.decode()
    assert "Flattery" in page
    assert "/move/" not in page
    assert "/close/" not in page


def test_lead_closes_the_sprint_on_the_board(item, lead, client_for):
    client_for(lead).post(f"/sprints/{item.sprint_id}/close/", {"force_reason": "Cut short."})
    item.refresh_from_db()
    assert (item.sprint, item.status) == (None, "backlog")


def test_backlog_item_is_taken_into_the_sprint(project, sprint, lead, client_for):
    waiting = factories.WorkItemFactory(project=project)
    client_for(lead).post(f"/work-items/{waiting.pk}/schedule/", {"sprint": sprint.pk})
    waiting.refresh_from_db()
    assert (waiting.sprint, waiting.status) == (sprint, "todo")


@pytest.mark.parametrize(
    "path", ["/projects/{slug}/", "/scopes/{scope}/", "/sprints/{sprint}/board/"]
)
def test_pages_by_reader(path, submitted_scope, sprint, outsider, auditor, client_for):
    url = path.format(slug=submitted_scope.project.slug, scope=submitted_scope.pk, sprint=sprint.pk)
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(auditor).get(url).status_code == 200
    assert Client().get(url).status_code == 302


def test_commands_of_pages_take_no_get_and_no_foreign_form(item, lead, client_for):
    browser = client_for(lead)
    assert browser.get(f"/work-items/{item.pk}/move/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
    refused = strict.post(f"/work-items/{item.pk}/move/", {"to": "review"})
    assert refused.status_code == 403


def test_redirect_after_a_command_stays_on_this_site(item, lead, client_for):
    body = {"to": "review", "next": "https://elsewhere.example/"}
    response = client_for(lead).post(f"/work-items/{item.pk}/move/", body)
    assert response.url == f"/sprints/{item.sprint_id}/board/"


def test_project_list_shows_own_projects_only(project, lead, outsider, client_for):
    assert project.name in client_for(lead).get("/projects/").content.decode()
    assert project.name not in client_for(outsider).get("/projects/").content.decode()
