"""A scope is written with its readiness beside it, copied from a template, and submitted."""

import re

import pytest
from django.contrib.auth.models import Group

from projects.models import ScopingDocument
from projects.permissions import STAKEHOLDERS_GROUP
from tests import factories

pytestmark = pytest.mark.browser

STATEMENT = "Team leads work through the list by surname, and most calls are for nothing. " * 4


def score_of(page):
    return int(page.locator("#readiness-panel .score").inner_text())


@pytest.fixture
def lena(window, members, lead):
    lead.groups.add(Group.objects.get(name=STAKEHOLDERS_GROUP))
    return window(lead)


@pytest.fixture
def blog(members, project, lead):
    return factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))


def test_typing_changes_the_panel_and_saves_nothing(lena, blog):
    page = lena.page
    lena.open(f"/admin/projects/scopingdocument/{blog.pk}/change/")
    before = score_of(page)
    page.locator("[name=problem_statement]").fill(STATEMENT)
    page.locator("[name=current_process]").fill("Lists are handed out by surname, as ever before.")
    page.wait_for_function(
        "before => Number(document.querySelector('#readiness-panel .score').textContent) > before",
        arg=before,
    )
    assert page.locator("[name=problem_statement]").input_value() == STATEMENT
    blog.refresh_from_db()
    assert blog.problem_statement != STATEMENT
    assert not lena.troubles()


def test_a_lost_point_leads_to_its_field(lena, blog):
    page = lena.page
    lena.open(f"/admin/projects/scopingdocument/{blog.pk}/change/")
    page.locator("#section-operation > summary").click()
    page.locator('#readiness-panel a[href="#fallback"]').first.click()
    field = page.locator("[name=fallback]")
    field.wait_for(state="visible")
    assert page.evaluate("document.activeElement.name") == "fallback"
    box = field.bounding_box()
    assert 0 <= box["y"] <= 900
    assert not lena.troubles()


def test_a_draft_begins_from_a_template_and_says_what_to_replace(lena, members, project):
    page = lena.page
    lena.open("/admin/projects/scopingdocument/start/")
    page.get_by_label("Forecasting").check()
    page.get_by_role("button", name="Begin the draft").click()
    page.wait_for_url(re.compile("/change/"))
    draft = ScopingDocument.objects.get()
    assert draft.split_strategy == "temporal"
    panel = page.locator("#readiness-panel").inner_text()
    assert "replace the [brackets]" in panel
    assert score_of(page) < 20
    assert not lena.troubles()


def test_a_complete_draft_is_seen_ready_and_submitted(lena, members, project, lead):
    draft = factories.write_scope(project, lead)
    page = lena.page
    lena.open(f"/admin/projects/scopingdocument/{draft.pk}/change/")
    assert "It may be submitted." in page.locator("#readiness-panel").inner_text()
    page.locator("[name=title]").fill("Call the likely buyers first")
    page.get_by_role("button", name="Save and submit for review").click()
    page.wait_for_load_state("load")
    assert "was submitted" in page.locator(".messagelist").inner_text()
    draft.refresh_from_db()
    assert (draft.status, draft.title) == ("submitted", "Call the likely buyers first")
    assert not lena.troubles()


def test_a_person_is_found_by_typing_a_name(lena, blog, ml_engineer):
    page = lena.page
    lena.open(f"/admin/projects/scopingdocument/{blog.pk}/change/")
    page.locator("#risks details.scope-card > summary").first.click()
    page.locator("#risks .field-owner .select2-selection").first.click()
    page.locator(".select2-search__field").fill("mi")
    page.get_by_role("option", name="Mia (mia)").click()
    page.locator("[name=_continue]").last.click()
    page.wait_for_load_state("load")
    assert blog.risks.get().owner == ml_engineer
    assert not lena.troubles()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_form_fits_the_window(window, blog, lead, width):
    lena = window(lead, width=width)
    lena.open(f"/admin/projects/scopingdocument/{blog.pk}/change/")
    assert lena.overflows() == []
    folded = not lena.page.locator("#readiness-card").is_visible()
    assert folded == (width == 390)
