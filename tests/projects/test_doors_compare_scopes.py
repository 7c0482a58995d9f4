"""Scopes side by side: the two teams and the balanced third."""

import re

import pytest
from django.test import Client

from tests import factories
from tests.governance import faces

pytestmark = pytest.mark.django_db

TEAMS = ("card-fraud-team-a", "card-fraud-team-b", "card-fraud")


@pytest.fixture
def drafts(project, lead):
    return [
        factories.write_scope(project, lead, factories.scope_content_of(name)) for name in TEAMS
    ]


def words_of(response):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r" (?=[:,.])", "", text)


def test_the_three_stand_side_by_side_with_gauges_and_signs(project, drafts, lead, client_for):
    response = client_for(lead).get(f"/projects/{project.slug}/compare-scopes/")
    said = words_of(response)
    assert [one.document.pk for one in response.context["columns"]] == [one.pk for one in drafts]
    assert "100 of 100" in said  # the copying team shows every sign of it
    assert "All prior art is from blogs, tutorials or vendors. +20" in said
    assert "The favoured approach is a method of our own. +15" in said
    assert "4 roles disagree" in said
    assert list(faces.offences_in(response)) == []


def test_a_column_names_what_another_has_and_not_what_all_lack(project, drafts, lead, client_for):
    columns = client_for(lead).get(f"/projects/{project.slug}/compare-scopes/").context["columns"]
    codes = [{one.code for one in column.readiness.blockers} for column in columns]
    for column in columns:
        assert {one.code for one in column.misses}.isdisjoint(set.intersection(*codes))
    assert columns[0].misses
    assert columns[2].misses == ()


def test_versions_are_chosen_by_id_within_the_project(project, drafts, lead, client_for):
    url = f"/projects/{project.slug}/compare-scopes/"
    browser = client_for(lead)
    chosen = browser.get(f"{url}?ids={drafts[2].pk},{drafts[0].pk}").context["columns"]
    assert [one.document.pk for one in chosen] == [drafts[0].pk, drafts[2].pk]
    foreign = factories.ScopingDocumentFactory()
    assert browser.get(f"{url}?ids={foreign.pk}").status_code == 404
    assert browser.get(f"{url}?ids=one,two").status_code == 404


def test_the_project_page_leads_to_it_once_there_is_something_to_compare(project, lead, client_for):
    def links():
        page = client_for(lead).get(f"/projects/{project.slug}/").content.decode()
        return f"/projects/{project.slug}/compare-scopes/" in page

    factories.write_scope(project, lead)
    assert not links()
    factories.write_scope(project, lead)
    assert links()


def test_an_empty_project_is_told_so(project, lead, client_for):
    page = client_for(lead).get(f"/projects/{project.slug}/compare-scopes/")
    assert "There is no scope to compare yet." in words_of(page)


def test_strangers_do_not_see_it(project, drafts, outsider, client_for):
    url = f"/projects/{project.slug}/compare-scopes/"
    assert client_for(outsider).get(url).status_code == 404
    assert Client().get(url).status_code == 302
