"""A scope is written in the admin, and a card is moved, by hand."""

import re

import pytest

from projects.models import ScopingDocument
from projects.services import scoping
from tests import factories

pytestmark = pytest.mark.browser

PROBLEM = "Calls cost more than they bring, and nobody knows whom to call first."
STATEMENT = "More deposits for the same number of calls"
GAPS = ("Record a baseline", "Name what may go wrong", "List the approaches to be compared")


def save(page, name):
    page.get_by_role("button", name=name, exact=True).last.click()
    page.wait_for_load_state("load")


def fields_of(page):
    """Return what stands in the fields of the form."""
    return {
        name: page.locator(f"[name={name}]").input_value()
        for name in ("title", "problem_statement", "objectives-0-statement")
    }


@pytest.fixture
def gaps_saved(window, members, project, lead):
    """Let Lena begin a scope on the project's page and save it with gaps."""
    lena = window(lead)
    lena.open(f"/projects/{project.slug}/")
    page = lena.page
    page.get_by_role("link", name="Write a scope").click()
    page.locator("[name=title]").fill("Term deposits")
    page.locator("[name=problem_statement]").fill(PROBLEM)
    page.locator("[name=objectives-0-kind]").select_option("business")
    page.locator("[name=objectives-0-statement]").fill(STATEMENT)
    page.get_by_role("button", name="Add another Objective").click()
    page.locator("[name=objectives-1-kind]").select_option("ml")
    page.locator("[name=objectives-1-statement]").fill("Rank the first tenth well")
    save(page, "Save and continue editing")
    page.wait_for_url(re.compile("/change/"))
    return lena


def test_a_draft_with_gaps_is_saved_with_its_rows(gaps_saved):
    document = ScopingDocument.objects.get()
    assert (document.status, document.title) == ("draft", "Term deposits")
    rows = [row["statement"] for row in scoping.content_of(document)["objectives"]]
    assert rows == [STATEMENT, "Rank the first tenth well"]
    assert not gaps_saved.troubles()


@pytest.mark.parametrize("button", ["Submit", "Save and submit for review"])
def test_submitting_a_draft_with_gaps_lists_them_and_loses_nothing(gaps_saved, button):
    page = gaps_saved.page
    page.locator("[name=title]").fill("Term deposits by telephone")
    save(page, button)
    told = page.locator(".messagelist").inner_text()
    assert [gap for gap in GAPS if gap not in told] == []
    assert fields_of(page) == {
        "title": "Term deposits by telephone",
        "problem_statement": PROBLEM,
        "objectives-0-statement": STATEMENT,
    }
    document = ScopingDocument.objects.get()
    assert (document.status, document.title) == ("draft", "Term deposits by telephone")
    assert not gaps_saved.troubles()


def test_a_complete_draft_is_submitted_with_the_same_button(window, members, project, lead):
    draft = factories.write_scope(project, lead)
    lena = window(lead)
    lena.open(f"/admin/projects/scopingdocument/{draft.pk}/change/")
    save(lena.page, "Submit")
    assert "was submitted" in lena.page.locator(".messagelist").inner_text()
    draft.refresh_from_db()
    assert draft.status == "submitted"


def test_a_card_is_moved_without_a_mouse(window, racing_db, project, data_scientist):
    sprint = factories.SprintFactory(project=project, name="Sprint 1", status="active")
    card = factories.WorkItemFactory(
        project=project, sprint=sprint, status="todo", title="Rules on earlier contacts"
    )
    sam = window(data_scientist)
    sam.open(f"/sprints/{sprint.pk}/board/")
    page = sam.page

    def column_of(title):
        columns = page.locator(".board__column", has_text=re.compile(title))
        return columns.locator("h2").inner_text().split()[0]

    before = column_of(card.title)
    sam.press_until("Tab", f"Move “{card.title}” to Doing")
    focus = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert focus != "none", "the focus can be seen"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert (before, column_of(card.title)) == ("To", "Doing")
    card.refresh_from_db()
    assert card.status == "doing"
    assert not sam.troubles()
