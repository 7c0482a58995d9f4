"""Drafts that begin from a template or another scope, through REST."""

import pytest

from projects.models import ScopingDocument
from tests import factories
from tests.factories import StakeholderFactory

pytestmark = pytest.mark.django_db
TEMPLATES = "/api/v1/scope-templates/"


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


@pytest.fixture
def other(lead):
    project = factories.ProjectFactory(slug="loans", name="Loans")
    StakeholderFactory(project=project, user=lead, role="lead")
    return project


def copy_url(document):
    return f"/api/v1/scoping-documents/{document.pk}/copy/"


def test_templates_are_listed_and_shown(lead, api):
    listed = api(lead).get(TEMPLATES).data
    assert {"tabular-classification", "forecasting", "anomaly-detection"} == {
        one["key"] for one in listed
    }
    shown = api(lead).get(f"{TEMPLATES}forecasting/").data
    assert shown["content"]["ml_task"] == "forecasting"


def test_a_draft_begins_from_a_template(project, lead, api):
    answer = api(lead).post(f"{TEMPLATES}forecasting/start/", {"project": project.pk})
    assert answer.status_code == 201, answer.data
    assert answer.data["content"]["split_strategy"] == "temporal"
    assert ScopingDocument.objects.get().status == "draft"


def test_a_scope_is_copied_onto_another_project(draft, other, lead, api):
    answer = api(lead).post(copy_url(draft), {"project": other.pk})
    assert answer.status_code == 201, answer.data
    assert (answer.data["project"], answer.data["version"]) == (other.pk, 1)
    assert answer.data["content"]["title"] == draft.title


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"project": 0}, 404, "not_found"), ({}, 400, None), ({"project": "mine"}, 400, None)],
)
def test_a_copy_names_a_project_that_the_caller_sees(draft, lead, api, body, status, code):
    answer = api(lead).post(copy_url(draft), body)
    assert answer.status_code == status
    assert code is None or answer.data["code"] == code
    assert ScopingDocument.objects.count() == 1


def test_strangers_and_readers_copy_nothing(draft, other, outsider, auditor, api):
    assert api(outsider).post(copy_url(draft), {"project": other.pk}).status_code == 404
    refused = api(auditor).post(copy_url(draft), {"project": draft.project.pk})
    assert (refused.status_code, refused.data["code"]) == (403, "role_missing")
    refused = api(auditor).post(f"{TEMPLATES}forecasting/start/", {"project": draft.project.pk})
    assert refused.status_code == 403
    assert ScopingDocument.objects.count() == 1


def test_an_unknown_template_is_404(project, lead, api):
    answer = api(lead).post(f"{TEMPLATES}nothing/start/", {"project": project.pk})
    assert (answer.status_code, answer.data["code"]) == (404, "no_such_template")
