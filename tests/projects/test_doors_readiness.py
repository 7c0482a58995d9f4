"""Readiness and the life of a project, through REST."""

import pytest

from projects.models import Project
from tests import factories

V1 = "/api/v1"


@pytest.fixture
def blog(project, lead):
    return factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))


def test_readiness_answers_everything_with_links_into_the_form(blog, lead, api):
    answer = api(lead).get(f"{V1}/scoping-documents/{blog.pk}/readiness/")
    assert answer.status_code == 200
    body = answer.data
    assert not body["is_submittable"]
    assert body["policy_version"] == 2
    assert len(body["policy_digest"]) == 64
    form = f"/admin/projects/scopingdocument/{blog.pk}/change/#"
    said = [*body["blockers"], *body["lost"], *body["under_scoped"]["signs"]]
    assert {item["link"] for item in said} == {form + item["field"] for item in said}
    assert [len(section["lost"]) > 0 for section in body["sections"]] == [True] * 9
    assert body["tier"]["computed"] == ""
    assert body["tier"]["answers"]["tier_purpose"] is None
    assert body["estimate"]["expected_days"] == 5
    assert body["estimate"]["multiplier"] is None
    assert body["money"]["payback_years"] is None


def test_balanced_scope_shows_its_tier_effort_and_money(project, lead, api):
    draft = factories.write_scope(project, lead)
    body = api(lead).get(f"{V1}/scoping-documents/{draft.pk}/readiness/").data
    assert (body["is_submittable"], body["blockers"]) == (True, [])
    assert (body["tier"]["chosen"], body["tier"]["is_overridden"]) == ("medium", False)
    assert len(body["estimate"]["phases"]) == 4
    assert body["estimate"]["p80_days"] > body["estimate"]["expected_days"]
    assert body["money"]["three_year_net"] == pytest.approx(256_500)


def test_strangers_see_no_readiness(blog, outsider, api):
    answer = api(outsider).get(f"{V1}/scoping-documents/{blog.pk}/readiness/")
    assert answer.status_code == 404


def test_lead_closes_a_project_through_rest(project, lead, data_scientist, outsider, api):
    url = f"{V1}/projects/{project.pk}"
    assert api(outsider).post(f"{url}/close/").status_code == 404
    assert api(data_scientist).post(f"{url}/close/").status_code == 403
    assert api(lead).post(f"{url}/pause/").data["status"] == "paused"
    assert api(lead).post(f"{url}/resume/").data["status"] == "active"
    assert api(lead).post(f"{url}/close/").data["status"] == "closed"
    again = api(lead).post(f"{url}/resume/")
    assert (again.status_code, again.data["code"]) == (409, "invalid_transition")
    assert Project.objects.get(pk=project.pk).status == "closed"


def test_closing_over_an_active_sprint_is_refused_with_its_name(project, lead, api):
    factories.SprintFactory(project=project, status="active", name="Sprint of May")
    answer = api(lead).post(f"{V1}/projects/{project.pk}/close/")
    assert (answer.status_code, answer.data["code"]) == (422, "project_has_active_sprints")
    assert "Sprint of May" in answer.data["detail"]
