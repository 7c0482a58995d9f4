"""Files go out of one page and into another, and nothing is written before it was shown."""

import os

import pytest

from projects.models import Criterion, WorkItem
from tests import factories
from tests.projects.test_rules_exchange import JIRA

pytestmark = pytest.mark.browser


@pytest.fixture
def draft(racing_db, project, lead):
    return factories.write_scope(project, lead)


def look(shown, name):
    """Measure the page; keep a picture where the variable SHOTS names a folder."""
    assert shown.troubles() == []
    assert shown.overflows() == []
    assert all(name for _, name in shown.controls())
    if folder := os.environ.get("SHOTS"):
        shown.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_criteria_leave_as_csv_and_come_back_changed(window, draft, lead, tmp_path, width, scheme):
    shown = window(lead, width=width, scheme=scheme)
    shown.open(f"/scopes/{draft.pk}/")
    page = shown.page
    page.get_by_text("One part as CSV").click()
    with page.expect_download() as leaving:
        page.locator("#main").get_by_role("link", name="criteria", exact=True).click()
    file = tmp_path / "criteria.csv"
    leaving.value.save_as(file)
    text = file.read_text()
    assert ",0.58," in text
    file.write_text(text.replace(",0.58,", ",0.61,"))

    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("What the file holds").select_option("criteria")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Show what it would do").click()
    page.get_by_role("heading", name="What the import would do").wait_for()
    look(shown, f"scope-import-{width}-{scheme}")
    assert "1 update" in page.locator("#main").inner_text()
    assert not Criterion.objects.filter(threshold=0.61).exists()

    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(f"**/scopes/{draft.pk}/")
    assert Criterion.objects.filter(scope=draft, threshold=0.61).exists()


def test_a_backlog_of_jira_is_shown_and_then_imported(
    window, racing_db, project, lead, data_scientist, tmp_path
):
    factories.SprintFactory(project=project, name="Sprint 2", status="active")
    shown = window(lead)
    shown.open(f"/projects/{project.slug}/import/")
    file = tmp_path / "jira.csv"
    file.write_text(JIRA)
    page = shown.page
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Show what it would do").click()
    page.get_by_role("heading", name="What the import would do").wait_for()
    look(shown, "backlog-import")
    assert not WorkItem.objects.exists()
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/backlog/")
    assert WorkItem.objects.exists()
