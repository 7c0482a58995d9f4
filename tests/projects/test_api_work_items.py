"""Work items over REST: edits, time boxes, dependencies, talk and files."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ledger.models import LedgerEntry
from projects.models import Attachment, Comment, WorkItem
from tests import factories

V1 = "/api/v1/work-items"


@pytest.fixture
def spike(project, data_scientist):
    return factories.WorkItemFactory(
        project=project,
        kind="spike",
        title="Joined?",
        time_box_hours=8,
        assignee=data_scientist,
        details={"question": "Which key?"},
    )


@pytest.fixture
def over(spike):
    spike.status = "doing"
    spike.time_box_ends_at = timezone.now() - timedelta(hours=1)
    spike.save()
    return spike


def test_answer_says_what_may_follow_and_why_not(spike, lead, api):
    body = api(lead).get(f"{V1}/{spike.pk}/").data
    moves = {move["to"]: move for move in body["allowed_transitions"]}
    assert set(moves) == {"todo", "doing", "dropped"}
    assert moves["todo"]["is_allowed"]
    assert moves["doing"]["reasons"] == ["Method: not filled in yet."]
    open_points = [check["field"] for check in body["checklists"]["done"] if check["reason"]]
    assert open_points == ["evidence", "next_steps"]
    assert (body["version"], body["depends_on"]) == (0, [])


def test_fields_are_changed_and_the_version_guards_them(spike, lead, api):
    client, url = api(lead), f"{V1}/{spike.pk}/"
    body = {"hours": 6.5, "assignee": "mia", "details": {"method": "Join."}, "version": 0}
    done = client.patch(url, body, format="json")
    assert done.status_code == 200, done.data
    assert (done.data["hours"], done.data["assignee"], done.data["version"]) == (6.5, "mia", 1)
    assert done.data["details"] == {"question": "Which key?", "method": "Join."}
    stale = client.patch(url, {**body, "hours": 9}, format="json")
    assert (stale.status_code, stale.data["code"]) == (409, "stale_state")
    cleared = client.patch(url, {"assignee": "", "hours": None}, format="json")
    assert (cleared.data["assignee"], cleared.data["hours"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"status": "done"}, {"status"}),
        ({"points": 3, "details": {"colour": "red"}}, {"points", "colour"}),
        ({"hours": "many"}, {"hours"}),
        ({"details": {"question": 4}}, {"question"}),
        ({"details": "x"}, {"details"}),
    ],
)
def test_every_wrong_field_is_named(spike, body, named, lead, api):
    answer = api(lead).patch(f"{V1}/{spike.pk}/", body, format="json")
    assert answer.status_code == 400
    assert set(answer.data["errors"]) == named
    assert not spike.events.exists()


def test_box_is_extended_once_by_the_lead_over_rest(over, lead, data_scientist, api):
    url, body = f"{V1}/{over.pk}/extend/", {"hours": 4, "reason": "The export came late."}
    assert api(data_scientist).post(url, body, format="json").status_code == 403
    assert api(lead).post(url, body, format="json").data["status"] == "doing"
    again = api(lead).post(url, body, format="json")
    assert (again.status_code, again.data["code"]) == (422, "already_extended")


def test_over_box_is_stopped_over_rest(over, data_scientist, api):
    client = api(data_scientist)
    late = client.post(f"{V1}/{over.pk}/move/", {"to": "review"}, format="json")
    assert (late.status_code, late.data["code"]) == (422, "time_box_over")
    assert len(late.data["reasons"]) == 3
    done = client.post(f"{V1}/{over.pk}/stop/", {"conclusion": "Half a key."}, format="json")
    assert (done.data["status"], done.data["outcome"]) == ("done", "time_box_expired")


def test_dependencies_over_rest(spike, project, lead, api):
    other, foreign = factories.WorkItemFactory(project=project), factories.WorkItemFactory()
    client = api(lead)
    added = client.post(f"{V1}/{spike.pk}/depend/", {"on": other.pk}, format="json")
    assert added.data["depends_on"] == [other.pk]
    circle = client.post(f"{V1}/{other.pk}/depend/", {"on": spike.pk}, format="json")
    assert (circle.status_code, circle.data["code"]) == (422, "dependency_cycle")
    elsewhere = client.post(f"{V1}/{spike.pk}/depend/", {"on": foreign.pk}, format="json")
    assert (elsewhere.status_code, elsewhere.data["code"]) == (400, "unknown_reference")
    removed = client.post(f"{V1}/{spike.pk}/undepend/", {"on": other.pk}, format="json")
    assert removed.data["depends_on"] == []


def test_comments_and_watching_over_rest(spike, lead, api):
    client = api(lead)
    made = client.post(f"{V1}/{spike.pk}/comments/", {"body": "**Hm**, @mia"}, format="json")
    assert (made.status_code, made.data["mentions"]) == (201, ["mia"])
    listed = client.get(f"{V1}/{spike.pk}/comments/").data
    assert [row["author"] for row in listed] == ["lena"]
    assert "<strong>Hm</strong>" in listed[0]["html"]
    off = client.post(f"{V1}/{spike.pk}/watch/", {"watching": False}, format="json")
    assert off.data == {"watching": False, "watchers": ["mia"]}
    kinds = [row["kind"] for row in client.get(f"{V1}/{spike.pk}/events/").data]
    assert kinds == ["commented"]


def test_files_over_rest(spike, lead, api):
    client, url = api(lead), f"{V1}/{spike.pk}/attachments/"
    made = client.post(url, {"file": SimpleUploadedFile("a.md", b"# A")}, format="multipart")
    assert made.status_code == 201, made.data
    assert client.get(url).data[0]["digest"] == made.data["digest"]
    refused = client.post(url, {"file": SimpleUploadedFile("a.png", b"x")}, format="multipart")
    assert (refused.status_code, refused.data["code"]) == (400, "file_is_not_what_it_says")
    assert client.post(url, {}, format="json").status_code == 400
    assert Attachment.objects.count() == 1


COMMANDS = [
    ("patch", "", {"hours": 1}, 403),
    ("post", "extend/", {"hours": 1, "reason": "x"}, 403),
    ("post", "stop/", {"conclusion": "x"}, 403),
    ("post", "depend/", {"on": 1}, 400),
    ("post", "comments/", {"body": "x"}, 403),
    ("post", "watch/", {"watching": True}, 403),
    ("get", "comments/", {}, 200),
    ("get", "events/", {}, 200),
    ("get", "attachments/", {}, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "insider"), COMMANDS)
def test_commands_by_role(method, path, body, insider, request):
    api = request.getfixturevalue("api")
    spike = request.getfixturevalue("spike")
    body = {**body, "on": spike.pk} if "on" in body else body
    insider = 403 if "on" in body else insider
    before = LedgerEntry.objects.count()
    for who, status in (("outsider", 404), ("auditor", insider)):
        call = getattr(api(request.getfixturevalue(who)), method)
        assert call(f"{V1}/{spike.pk}/{path}", body, format="json").status_code == status
    assert LedgerEntry.objects.count() == before
    assert not Comment.objects.exists()


def test_list_costs_the_same_whatever_its_length(project, lead, api, django_assert_num_queries):
    client = api(lead)
    factories.WorkItemFactory(project=project)
    with django_assert_num_queries(2):
        client.get(f"{V1}/")
    for item in factories.WorkItemFactory.create_batch(4, project=project):
        item.depends_on.add(WorkItem.objects.earliest("pk"))
    with django_assert_num_queries(2):
        answer = client.get(f"{V1}/")
    assert "allowed_transitions" not in answer.data["results"][0]
