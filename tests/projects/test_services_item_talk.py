"""Comments, mentions, watching, notices and files on work items."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ledger.models import LedgerEntry
from projects import content_store, errors
from projects.models import Attachment, Comment, Notice, Stakeholder
from projects.services import attachments, comments, notices
from projects.services.work_item_editing import edit_work_item
from projects.services.work_items import NewWorkItem, add_work_item, move_work_item
from tests import factories
from tests.factories import A_DAY, session_actor

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def item(project, lead, data_scientist, actor):
    return add_work_item(
        project, NewWorkItem("task", "Join", assignee=data_scientist), actor=actor(lead)
    )


def told(user):
    return [notice.text for notice in Notice.objects.filter(user=user).order_by("pk")]


def names(item):
    return sorted(user.username for user in item.watchers.all())


def test_author_and_assignee_watch(item, ml_engineer, lead, actor):
    assert names(item) == ["lena", "sam"]
    edit_work_item(item, {"assignee": ml_engineer}, actor=actor(lead))
    assert names(item) == ["lena", "mia", "sam"]


def test_mention_tells_and_watches_and_others_hear_of_the_comment(
    item, lead, data_scientist, ml_engineer, actor
):
    body = "@mia look, @otto cannot. @nobody neither."
    comment = comments.add_comment(item, body, actor=actor(data_scientist))
    assert [user.username for user in comment.mentions.all()] == ["mia"]
    assert names(item) == ["lena", "mia", "sam"]
    assert told(ml_engineer) == ["Sam mentioned you on “Join”"]
    assert told(lead) == ["Sam commented on “Join”"]
    assert told(data_scientist) == []
    entry = LedgerEntry.objects.get(event="work_item.commented")
    assert body not in str(vars(entry))


@pytest.mark.parametrize(
    ("body", "code"),
    [(" \n ", "comment_empty"), ("x" * 20_001, "comment_too_long"), ("\x00", "comment_unreadable")],
)
def test_comment_says_something_that_can_be_stored(item, body, code, lead, actor):
    with pytest.raises(errors.InvalidInput) as refusal:
        comments.add_comment(item, body, actor=actor(lead))
    assert refusal.value.code == code
    assert not Comment.objects.exists()


def test_auditor_reads_and_says_nothing(item, auditor, actor):
    for command in (
        lambda: comments.add_comment(item, "Hm.", actor=actor(auditor)),
        lambda: notices.watch(item, actor=actor(auditor)),
    ):
        with pytest.raises(errors.NotPermitted):
            command()
    assert not Comment.objects.exists()
    assert names(item) == ["lena", "sam"]


def test_comment_is_written_once(item, lead, actor):
    comment = comments.add_comment(item, "First.", actor=actor(lead))
    comment.body = "Second."
    with pytest.raises(errors.RuleViolated):
        comment.save()
    with pytest.raises(errors.RuleViolated):
        comment.delete()
    assert Comment.objects.get().body == "First."


def test_watchers_are_told_of_changes_by_others(item, lead, data_scientist, ml_engineer, actor):
    notices.watch(item, actor=actor(ml_engineer))
    move_work_item(item, "todo", actor=actor(data_scientist))
    edit_work_item(item, {"points": 3}, actor=actor(data_scientist))
    assert (
        told(lead)
        == told(ml_engineer)
        == [
            "Sam moved to to do: “Join”",
            "Sam changed points of “Join”",
        ]
    )
    assert told(data_scientist) == []
    notices.unwatch(item, actor=actor(ml_engineer))
    move_work_item(item, "doing", actor=actor(data_scientist))
    assert len(told(ml_engineer)) == 2


def test_who_left_the_project_is_told_nothing_more(item, lead, data_scientist, actor):
    today = timezone.now().date()
    Stakeholder.objects.filter(user=data_scientist).update(valid_to=today - A_DAY)
    move_work_item(item, "todo", actor=actor(lead))
    assert told(data_scientist) == []


def test_long_titles_fit_into_a_notice(project, lead, data_scientist, actor):
    new = NewWorkItem("task", "J" * 200, assignee=data_scientist)
    item = add_work_item(project, new, actor=actor(lead))
    details = {"points": 3, "hours": 4, "description": "x", "due_on": timezone.now().date()}
    edit_work_item(item, details, actor=actor(lead))
    assert len(told(data_scientist)[0]) <= 300


def test_notices_are_read_by_their_owner_only(item, lead, data_scientist, actor):
    move_work_item(item, "todo", actor=actor(lead))
    notice = Notice.objects.get(user=data_scientist)
    assert notices.mark_read(lead, [notice.pk]) == 0
    assert notices.unread_count(data_scientist) == 1
    assert notices.mark_read(data_scientist, [notice.pk]) == 1
    assert notices.unread_count(data_scientist) == 0


def test_file_is_kept_under_its_digest(item, data_scientist, actor):
    first = attachments.attach(
        item, SimpleUploadedFile("../plot.png", PNG), actor=actor(data_scientist)
    )
    second = attachments.attach(
        item, SimpleUploadedFile("plot.png", PNG), actor=actor(data_scientist)
    )
    digest = hashlib.sha256(PNG).hexdigest()
    assert (first.name, first.media_type, first.size) == ("plot.png", "image/png", len(PNG))
    assert first.digest == second.digest == digest
    assert content_store.read(digest) == PNG
    entry = LedgerEntry.objects.filter(event="attachment.added").last()
    assert entry.subject == item.ref
    assert item.events.last().data["digest"] == digest


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.png", b"", "file_empty"),
        ("a.csv", b"x" * 101, "file_too_large"),
        ("a.html", b"<html>", "file_type_not_allowed"),
        ("a.png", b"<html>", "file_is_not_what_it_says"),
    ],
)
def test_file_that_does_not_fit_is_refused(item, name, data, code, settings):
    settings.ATTACHMENT_MAX_BYTES = 100
    author = session_actor(item.created_by)
    with pytest.raises(errors.InvalidInput) as refusal:
        attachments.attach(item, SimpleUploadedFile(name, data), actor=author)
    assert refusal.value.code == code
    assert not Attachment.objects.exists()


def test_draft_takes_files_until_it_is_submitted(project, lead, business_owner, actor):
    draft = factories.write_scope(project, lead)
    row = attachments.attach(draft, SimpleUploadedFile("a.md", b"# A"), actor=actor(business_owner))
    assert (row.scope, row.item) == (draft, None)
    submitted = factories.submit_scope(project, lead)
    with pytest.raises(errors.RuleViolated) as refusal:
        attachments.attach(submitted, SimpleUploadedFile("a.md", b"# A"), actor=actor(lead))
    assert refusal.value.code == "scope_not_editable"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\temp\\a.csv", "a.csv"),
        ("/etc/passwd.txt", "passwd.txt"),
        ("a\r\nX: y.csv", "a_X_ y.csv"),
        ("\u202egpj.exe.png", "_gpj.exe.png"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("..", "file"),
    ],
)
def test_name_of_a_file_is_only_a_name(given, kept):
    assert attachments.clean_name(given) == kept
