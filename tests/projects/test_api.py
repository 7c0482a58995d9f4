"""The REST resources of projects, through the door."""

import pytest
from rest_framework.test import APIClient

from ledger.models import LedgerEntry
from projects.models import Project, ScopingDocument, Sprint, Stakeholder, WorkItem
from tests import factories

V1 = "/api/v1"


@pytest.fixture(autouse=True)
def no_guards(settings):
    settings.SPRINT_GUARDS = []


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project)


@pytest.fixture
def item(project, sprint):
    return factories.WorkItemFactory(
        project=project, sprint=sprint, kind=WorkItem.Kind.HYPOTHESIS, status="doing"
    )


def test_scope_is_written_assessed_and_submitted(project, lead, scope_content, api):
    client = api(lead)
    written = client.post(
        f"{V1}/scoping-documents/", {"project": project.pk, "content": scope_content}, format="json"
    )
    assert written.status_code == 201, written.data
    url = f"{V1}/scoping-documents/{written.data['id']}"
    readiness = client.get(f"{url}/readiness/").data
    assert readiness["is_submittable"]
    assert readiness["blockers"] == []
    submitted = client.post(f"{url}/submit/")
    assert (submitted.status_code, submitted.data["status"]) == (200, "submitted")
    assert submitted.data["content"]["title"] == scope_content["title"]


def test_refused_submission_lists_the_blockers(project, lead, api):
    blog = factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))
    answer = api(lead).post(f"{V1}/scoping-documents/{blog.pk}/submit/")
    assert answer.status_code == 422
    assert answer.data["code"] == "scope_not_ready"
    codes = {blocker["code"] for blocker in answer.data["blockers"]}
    assert {"baselines_missing", "leaking_feature", "split_random_on_time_order"} <= codes
    assert ScopingDocument.objects.get().status == "draft"


def test_wrong_content_names_every_field(project, lead, api):
    content = {
        "title": "T",
        "annual_benefit": "much",
        "criteria": [{"key": "a", "threshold": "high"}],
        "risks": [{"title": "R", "category": "data", "probability": 9, "impact": 1}],
        "colour": "red",
    }
    answer = api(lead).post(
        f"{V1}/scoping-documents/", {"project": project.pk, "content": content}, format="json"
    )
    assert answer.status_code == 400
    assert answer.data["code"] == "invalid_scope"
    fields = {error["field"] for error in answer.data["errors"]}
    assert {"annual_benefit", "colour", "criteria[0].threshold", "risks[0].probability"} <= fields
    assert not ScopingDocument.objects.exists()


def test_draft_is_replaced_by_put(draft, lead, scope_content, api):
    answer = api(lead).put(
        f"{V1}/scoping-documents/{draft.pk}/",
        {"content": {**scope_content, "title": "Other", "risks": []}},
        format="json",
    )
    assert answer.status_code == 200
    assert (answer.data["title"], answer.data["content"]["risks"]) == ("Other", [])


def test_submitted_document_cannot_be_replaced(submitted_scope, lead, scope_content, api):
    answer = api(lead).put(
        f"{V1}/scoping-documents/{submitted_scope.pk}/", {"content": scope_content}, format="json"
    )
    assert (answer.status_code, answer.data["code"]) == (409, "scope_not_draft")


def test_sprint_commands(project, lead, api):
    client = api(lead)
    body = {
        "project": project.pk,
        "name": "One",
        "kind": "experiment",
        "goal": "Learn",
        "starts_on": "2026-11-23",
        "ends_on": "2026-12-04",
    }
    sprint = client.post(f"{V1}/sprints/", body, format="json")
    assert sprint.status_code == 201, sprint.data
    url = f"{V1}/sprints/{sprint.data['id']}"
    assert client.post(f"{url}/start/").data["status"] == "active"
    assert client.post(f"{url}/start/").status_code == 409
    end = {"review_notes": "Shown.", "force_reason": "The team was on leave."}
    closed = client.post(f"{url}/close/", end, format="json")
    assert (closed.data["status"], closed.data["review_notes"]) == ("closed", "Shown.")


def test_work_item_commands(project, sprint, data_scientist, api):
    client = api(data_scientist)
    body = {
        "project": project.pk,
        "kind": "spike",
        "title": "Can call notes be joined?",
        "sprint": sprint.pk,
        "assignee": "sam",
        "time_box_hours": 8,
        "details": {"question": "By which key?", "method": "Join one month."},
    }
    item = client.post(f"{V1}/work-items/", body, format="json")
    assert (item.status_code, item.data["status"]) == (201, "todo"), item.data
    url = f"{V1}/work-items/{item.data['id']}"
    assert client.post(f"{url}/move/", {"to": "doing"}, format="json").status_code == 200
    body = {
        "outcome": "answered",
        "conclusion": "By customer number.",
        "details": {"evidence": "3 % without a partner", "next_steps": "Take them in."},
    }
    done = client.post(f"{url}/conclude/", body, format="json")
    assert (done.data["status"], done.data["outcome"]) == ("done", "answered"), done.data


def test_reference_to_another_projects_sprint_is_refused(project, lead, api):
    foreign = factories.SprintFactory()
    body = {"project": project.pk, "kind": "task", "title": "T", "sprint": foreign.pk}
    answer = api(lead).post(f"{V1}/work-items/", body, format="json")
    assert (answer.status_code, answer.data["code"]) == (400, "unknown_reference")
    assert not WorkItem.objects.exists()


def test_roles_are_given_and_ended(project, lead, outsider, api):
    client = api(lead)
    given = client.post(
        f"{V1}/stakeholders/",
        {
            "project": project.pk,
            "user": "otto",
            "role": "operations",
            "valid_from": "2026-01-01",
            "reporting_line": "Operations",
        },
        format="json",
    )
    assert given.status_code == 201, given.data
    assert given.data["reporting_line"] == "Operations"
    ended = client.post(
        f"{V1}/stakeholders/{given.data['id']}/end/", {"on": "2026-02-01"}, format="json"
    )
    assert ended.data["valid_to"] == "2026-02-01"
    assert not api(outsider).get(f"{V1}/projects/").data["results"]


#: Method, address and who may: 404 for strangers, 403 for insiders without the role.
COMMANDS = [
    ("scoping-documents/{draft}/submit/", "lead", {}),
    ("scoping-documents/{draft}/withdraw/", "lead", {}),
    ("sprints/{sprint}/start/", "lead", {}),
    ("sprints/{sprint}/cancel/", "lead", {}),
    ("work-items/{item}/move/", "data_scientist", {"to": "todo"}),
    (
        "work-items/{item}/conclude/",
        "data_scientist",
        {"outcome": "abandoned", "conclusion": "No."},
    ),
    ("stakeholders/{role}/end/", "lead", {"on": "2099-01-01"}),
]


@pytest.mark.parametrize(("path", "who", "body"), COMMANDS)
def test_commands_by_role(path, who, body, draft, item, request):
    api = request.getfixturevalue("api")
    role = Stakeholder.objects.get(project=draft.project, role="validator")
    ids = {"draft": draft.pk, "sprint": item.sprint_id, "item": item.pk, "role": role.pk}
    url = f"{V1}/" + path.format(**ids)
    before = LedgerEntry.objects.count()
    stranger = api(request.getfixturevalue("outsider")).post(url, body, format="json")
    insider = api(request.getfixturevalue("auditor")).post(url, body, format="json")
    assert (stranger.status_code, insider.status_code) == (404, 403)
    assert insider.data["code"] == "role_missing"
    assert APIClient().post(url, body, format="json").status_code == 401
    assert LedgerEntry.objects.count() == before
    allowed = api(request.getfixturevalue(who)).post(url, body, format="json")
    assert allowed.status_code == 200, allowed.data


def test_administrator_without_a_role_may_not_create_content(project, superuser, api):
    body = {"project": project.pk, "content": {"title": "T"}}
    answer = api(superuser).post(f"{V1}/scoping-documents/", body, format="json")
    assert answer.status_code == 404
    assert not ScopingDocument.objects.exists()


@pytest.mark.parametrize(
    "resource", ["projects", "stakeholders", "scoping-documents", "sprints", "work-items"]
)
def test_lists_take_the_same_number_of_queries_whatever_their_length(
    resource, lead, api, django_assert_num_queries, django_assert_max_num_queries
):
    def fill(count):
        for _ in range(count):
            project = factories.ProjectFactory()
            factories.StakeholderFactory(project=project, user=lead)
            factories.ScopingDocumentFactory(project=project)
            sprint = factories.SprintFactory(project=project)
            factories.WorkItemFactory(
                project=project, sprint=sprint, assignee=factories.UserFactory()
            )

    client = api(lead)
    fill(1)
    with django_assert_max_num_queries(5) as few:
        client.get(f"{V1}/{resource}/")
    fill(4)
    with django_assert_num_queries(len(few.captured_queries)):
        answer = client.get(f"{V1}/{resource}/")
    assert len(answer.data["results"]) == 5


def test_superuser_makes_a_project(superuser, api):
    answer = api(superuser).post(
        f"{V1}/projects/", {"slug": "churn", "name": "Churn"}, format="json"
    )
    assert answer.status_code == 201, answer.data
    assert Project.objects.get().created_by == superuser


def test_others_make_no_project(lead, project, api):
    answer = api(lead).post(f"{V1}/projects/", {"slug": "churn", "name": "Churn"}, format="json")
    assert (answer.status_code, answer.data["code"]) == (403, "may_not_create_projects")
    assert not Project.objects.filter(slug="churn").exists()


def test_sprints_are_filtered_by_project(sprint, lead, api):
    factories.SprintFactory()
    found = api(lead).get(f"{V1}/sprints/", {"project__slug": sprint.project.slug}).data["results"]
    assert [row["id"] for row in found] == [sprint.pk]
    assert Sprint.objects.count() == 2
