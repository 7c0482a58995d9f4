"""The page of a work item, the page for a new one, and notices, as a browser meets them."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import Attachment, Notice, WorkItem
from projects.services import attachments, comments
from projects.services.work_items import (
    NewWorkItem,
    add_work_item,
    conclude_work_item,
    move_work_item,
)
from tests import factories
from tests.factories import A_DAY

READY = {"question": "Which key?", "method": "Join a month."}


@pytest.fixture
def spike(project, lead, data_scientist, actor):
    new = NewWorkItem(
        "spike",
        "Can <b>notes</b> be joined?",
        time_box_hours=8,
        assignee=data_scientist,
        details=READY,
    )
    return add_work_item(project, new, actor=actor(lead))


@pytest.fixture
def running(spike, lead, actor):
    return move_work_item(spike, "doing", actor=actor(lead))


def content(answer):
    return answer.content.decode()


def test_page_shows_fields_checklists_and_history(spike, lead, client_for, known_facts):
    known_facts.a_run("r" * 32, work_item=spike.pk)
    page = content(client_for(lead).get(f"/work-items/{spike.pk}/"))
    assert "Can &lt;b&gt;notes&lt;/b&gt; be joined?" in page
    for words in ("Which key?", "Evidence: not filled in yet.", "created it", "r" * 32):
        assert words in page
    assert not re.search(r"<[^>]*\b(style|on\w+)=", page.partition("<main")[2])


def test_reader_without_a_part_in_building_sees_no_forms(spike, auditor, client_for):
    page = content(client_for(auditor).get(f"/work-items/{spike.pk}/"))
    own = page.partition('id="content"')[2]
    assert "Which key?" in own
    assert "/edit/" not in own
    assert "/comment/" not in own
    assert "Your roles on the project do not allow it." in own


def test_strangers_find_nothing(spike, project, lead, outsider, client_for, actor):
    row = attachments.attach(spike, SimpleUploadedFile("a.md", b"# A"), actor=actor(lead))
    client = client_for(outsider)
    for path in (
        f"/work-items/{spike.pk}/",
        f"/projects/{project.slug}/work-items/new/",
        f"/attachments/{row.pk}/",
    ):
        assert client.get(path).status_code == 404
    for verb in ("edit", "comment", "stop", "extend", "depend", "watch", "attach", "conclude"):
        assert client.post(f"/work-items/{spike.pk}/{verb}/", {}).status_code == 404
    assert spike.events.count() == 2


def edit_of(item, **changes):
    return {
        "version": item.version_lock,
        "title": item.title,
        "time_box_hours": item.time_box_hours,
        **item.details,
        **changes,
    }


def test_fields_are_edited_on_the_page(spike, data_scientist, client_for):
    body = edit_of(spike, title="Joined?", hours="6", question="By which key?", assignee="mia")
    answer = client_for(data_scientist).post(f"/work-items/{spike.pk}/edit/", body)
    assert (answer.status_code, answer.url) == (302, f"/work-items/{spike.pk}/")
    spike.refresh_from_db()
    assert (spike.title, spike.hours, spike.assignee.username) == ("Joined?", 6.0, "mia")
    assert spike.details["question"] == "By which key?"


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"version": 99}, 409, "was changed by someone else"),
        ({"hours": "many"}, 400, "Enter a number."),
        ({"hours": "-1"}, 400, "greater than or equal to 0"),
        ({"title": ""}, 400, "This field is required."),
        ({"version": "x"}, 400, "Save"),
    ],
)
def test_refused_edit_keeps_what_was_typed(spike, changes, status, words, lead, client_for):
    body = edit_of(spike, method="A method typed for an hour", **changes)
    answer = client_for(lead).post(f"/work-items/{spike.pk}/edit/", body)
    assert answer.status_code == status
    assert words in content(answer)
    assert "A method typed for an hour" in content(answer)
    spike.refresh_from_db()
    assert spike.details == READY


def test_saving_again_after_a_conflict_is_a_decision(spike, lead, client_for):
    client = client_for(lead)
    body = edit_of(spike, method="Mine", version=99)
    page = content(client.post(f"/work-items/{spike.pk}/edit/", body))
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    assert (
        client.post(f"/work-items/{spike.pk}/edit/", {**body, "version": version}).status_code
        == 302
    )
    spike.refresh_from_db()
    assert spike.details["method"] == "Mine"


def test_conclusion_asks_for_what_the_kind_owes_and_keeps_the_words(
    running, data_scientist, client_for
):
    client, url = client_for(data_scientist), f"/work-items/{running.pk}/conclude/"
    body = {"outcome": "answered", "conclusion": "By number, as found.", "evidence": "3 %"}
    answer = client.post(url, body)
    assert answer.status_code == 422
    assert "Next steps: not filled in yet." in content(answer)
    assert "By number, as found." in content(answer)
    assert "3 %" in content(answer)
    running.refresh_from_db()
    assert (running.status, running.details) == ("doing", READY)
    assert client.post(url, {**body, "next_steps": "A story."}).status_code == 302
    running.refresh_from_db()
    assert (running.status, running.outcome) == ("done", "answered")


def test_over_box_offers_its_choices(running, lead, data_scientist, client_for):
    ended = timezone.now() - A_DAY
    WorkItem.objects.filter(pk=running.pk).update(time_box_ends_at=ended)
    page = content(client_for(data_scientist).get(f"/work-items/{running.pk}/"))
    assert "Over for 1 day." in page
    assert "Stop here" in page
    assert "Extend it once" not in page
    client = client_for(lead)
    assert "Extend it once" in content(client.get(f"/work-items/{running.pk}/"))
    refused = client.post(
        f"/work-items/{running.pk}/extend/", {"hours": "99", "reason": "A good reason"}
    )
    assert refused.status_code == 422
    assert "A good reason" in content(refused)
    body = {"hours": "4", "reason": "A good reason"}
    assert client.post(f"/work-items/{running.pk}/extend/", body).status_code == 302
    running.refresh_from_db()
    assert running.time_box_ends_at > timezone.now()


def test_work_that_ended_in_time_has_no_time_left_and_no_choice(running, lead, actor, client_for):
    details = {"evidence": "3 %", "next_steps": "A story."}
    conclude_work_item(
        running, actor=actor(lead), outcome="answered", conclusion="Yes.", details=details
    )
    client, url = client_for(lead), f"/work-items/{running.pk}/"
    assert "The work ended before it did." in content(client.get(url))
    WorkItem.objects.filter(pk=running.pk).update(time_box_ends_at=timezone.now() - A_DAY)
    page = content(client.get(url))
    assert "Stop here" not in page
    assert "Take the work up again, once" in page
    client.post(f"{url}extend/", {"hours": "4", "reason": "A new export"})
    running.refresh_from_db()
    assert (running.status, running.outcome) == ("doing", "")


def test_comment_is_shown_as_markdown_and_a_refused_one_is_kept(spike, lead, client_for):
    client, url = client_for(lead), f"/work-items/{spike.pk}/comment/"
    client.post(url, {"body": "**Look**, @sam <script>alert(1)</script>"})
    page = content(client.get(f"/work-items/{spike.pk}/"))
    assert "<strong>Look</strong>" in page
    assert '<strong class="mention">@sam</strong>' in page
    assert "<script>alert" not in page
    kept = client.post(url, {"body": "x" * 20_001})
    assert kept.status_code == 400
    assert "x" * 20_001 in content(kept)


def test_dependencies_and_watching_without_javascript(spike, project, lead, client_for):
    other = factories.WorkItemFactory(project=project, title="Export")
    client = client_for(lead)
    client.post(f"/work-items/{spike.pk}/depend/", {"on": other.pk})
    assert list(spike.depends_on.all()) == [other]
    client.post(f"/work-items/{spike.pk}/depend/", {"on": other.pk, "remove": "1"})
    assert not spike.depends_on.exists()
    assert client.post(f"/work-items/{spike.pk}/depend/", {"on": "x"}).status_code == 404
    client.post(f"/work-items/{spike.pk}/watch/", {"watch": "off"})
    assert [user.username for user in spike.watchers.all()] == ["sam"]


def test_file_is_attached_and_downloaded_harmless(spike, lead, auditor, client_for):
    client = client_for(lead)
    file = SimpleUploadedFile("notes.md", b"# <script>alert(1)</script>")
    client.post(f"/work-items/{spike.pk}/attach/", {"file": file})
    row = Attachment.objects.get()
    answer = client_for(auditor).get(f"/attachments/{row.pk}/")
    assert b"".join(answer.streaming_content) == b"# <script>alert(1)</script>"
    assert answer["Content-Disposition"] == 'attachment; filename="notes.md"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    client.post(f"/work-items/{spike.pk}/attach/", {})
    client.post(f"/work-items/{spike.pk}/attach/", {"file": SimpleUploadedFile("a.svg", b"<svg/>")})
    assert Attachment.objects.count() == 1


def test_new_item_of_a_kind(project, lead, client_for):
    client = client_for(lead)
    url = f"/projects/{project.slug}/work-items/new/"
    assert "Question" in content(client.get(url, {"kind": "spike"}))
    assert "Rollback" in content(client.get(url, {"kind": "story", "flavour": "deployment"}))
    assert client.get(url, {"kind": "poem"}).status_code == 200
    refused = client.post(
        f"{url}?kind=spike", {"title": "Joined?", "question": "Typed", "time_box_hours": "-3"}
    )
    assert refused.status_code == 400
    assert "Typed" in content(refused)
    assert not WorkItem.objects.exists()
    body = {"title": "Joined?", "question": "Typed", "time_box_hours": "8", "assignee": "sam"}
    answer = client.post(f"{url}?kind=spike", body)
    item = WorkItem.objects.get()
    assert answer.url == f"/work-items/{item.pk}/"
    assert (item.kind, item.details, item.assignee.username) == (
        "spike", {"question": "Typed"}, "sam",
    )  # fmt: skip


def test_auditor_writes_no_item(project, auditor, client_for):
    answer = client_for(auditor).get(f"/projects/{project.slug}/work-items/new/")
    assert answer.status_code == 403


def test_epic_shows_its_children_and_how_far_they_came(project, lead, client_for):
    epic = factories.WorkItemFactory(project=project, kind="epic", title="A list")
    for status, points in (("done", 3), ("todo", 1), ("dropped", 5)):
        factories.WorkItemFactory(project=project, parent=epic, status=status, points=points)
    page = content(client_for(lead).get(f"/work-items/{epic.pk}/"))
    assert "75 %: 1 of 2 done, 3 of 4 points" in page


def test_page_takes_the_same_number_of_queries_whatever_happened(
    spike, lead, client_for, actor, django_assert_num_queries
):
    client, url = client_for(lead), f"/work-items/{spike.pk}/"
    comments.add_comment(spike, "@sam 1", actor=actor(lead))
    attachments.attach(spike, SimpleUploadedFile("a.md", b"# A"), actor=actor(lead))
    with _counted() as few:
        client.get(url)
    for number in range(4):
        comments.add_comment(spike, f"@sam {number}", actor=actor(lead))
        attachments.attach(spike, SimpleUploadedFile(f"{number}.md", b"# A"), actor=actor(lead))
    with django_assert_num_queries(len(few)):
        client.get(url)


def _counted():
    return CaptureQueriesContext(connection)


def test_notices_are_shown_counted_and_read(
    spike, project, lead, data_scientist, client_for, actor
):
    move_work_item(spike, "todo", actor=actor(lead))
    comments.add_comment(spike, "@sam look", actor=actor(lead))
    client = client_for(data_scientist)
    page = content(client.get("/notices/"))
    assert "Lena mentioned you on" in page
    assert "2 not read" in page
    newest = Notice.objects.filter(user=data_scientist).first()
    client.post("/notices/read/", {"notice": newest.pk})
    assert "1 not read" in content(client.get("/notices/"))
    client.post("/notices/read/", {"notice": "x"})
    assert Notice.objects.filter(read_at=None, user=data_scientist).count() == 1
    client.post("/notices/read/")
    assert "not read" not in content(client.get("/notices/"))
    assert "Nobody has told you anything yet." in content(client_for(lead).get("/notices/"))


def test_list_of_notices_takes_the_same_number_of_queries(
    spike, lead, data_scientist, client_for, actor, django_assert_num_queries
):
    client = client_for(data_scientist)
    comments.add_comment(spike, "@sam 1", actor=actor(lead))
    with _counted() as few:
        client.get("/notices/")
    for number in range(4):
        comments.add_comment(spike, f"@sam {number}", actor=actor(lead))
    with django_assert_num_queries(len(few)):
        client.get("/notices/")


def test_admin_shows_comments_and_files_and_changes_neither(
    spike, superuser, lead, client_for, actor
):
    comments.add_comment(spike, "Said once.", actor=actor(lead))
    attachments.attach(spike, SimpleUploadedFile("a.md", b"# A"), actor=actor(lead))
    client = client_for(superuser)
    page = content(client.get(f"/admin/projects/workitem/{spike.pk}/change/"))
    assert "Said once." in page
    assert "a.md" in page
    assert 'name="_save"' not in page
