"""Importing a backlog: the dry run tells what the import does, and both find items by key."""

import json

import pytest
from django.core.management import CommandError, call_command

from ledger.models import LedgerEntry
from projects import errors
from projects.models import WorkItem, WorkItemEvent
from projects.services import exchange
from projects.services.exchange import dry_run, export_work_items, import_work_items
from tests import factories
from tests.projects.test_rules_exchange import JIRA

pytestmark = pytest.mark.django_db

FILE = """key,kind,title,points,parent,sprint,assignee,depends_on,due_on,details
A-2,task,Second,2,A-1,,sam,A-3,2026-12-01,
A-1,epic,Uplift,,,,,,,
A-3,spike,Third,,,Sprint 1,,,,"{""question"": ""Why?""}"
"""


@pytest.fixture(autouse=True)
def sprint(project):
    factories.SprintFactory(project=project, name="Sprint 2", status="active")
    return factories.SprintFactory(project=project, name="Sprint 1", status="active")


def fates(found):
    return [one.fate for one in found.fates]


def written():
    return WorkItem.objects.count(), WorkItemEvent.objects.count(), LedgerEntry.objects.count()


@pytest.mark.parametrize("text", [FILE, JIRA])
def test_dry_run_writes_nothing_and_tells_what_the_import_then_does(project, lead, actor, text):
    before = written()
    told = dry_run(project, text.encode(), actor=actor(lead))
    assert (written(), told.is_done) == (before, False)
    done = import_work_items(project, text.encode(), actor=actor(lead))
    assert (fates(told), told.digest) == (fates(done), done.digest)
    assert set(fates(done)) == {"create"}
    entry = LedgerEntry.objects.get(event="work_item.imported")
    assert done.digest in bytes(entry.body).decode()


def test_everything_of_a_row_arrives(project, lead, actor, data_scientist, sprint):
    import_work_items(project, FILE.encode(), actor=actor(lead))
    epic, second, third = (WorkItem.objects.get(external_key=f"A-{n}") for n in (1, 2, 3))
    assert (second.parent, second.assignee, second.points) == (epic, data_scientist, 2)
    assert (second.due_on.isoformat(), list(second.depends_on.all())) == ("2026-12-01", [third])
    assert (third.sprint, third.status, third.details) == (sprint, "todo", {"question": "Why?"})


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_was_exported_comes_back_unchanged(project, lead, actor, form):
    import_work_items(project, FILE.encode(), actor=actor(lead))
    factories.WorkItemFactory(project=project, title="=SUM(A1)", description="'quoted", hours=1.5)
    text = export_work_items(project, form)
    before = list(WorkItem.objects.order_by("pk").values())
    found = import_work_items(project, text.encode(), actor=actor(lead))
    assert fates(found) == ["unchanged"] * 4
    assert list(WorkItem.objects.order_by("pk").values()) == before


def test_a_second_import_updates_what_changed(project, lead, actor):
    import_work_items(project, FILE.encode(), actor=actor(lead))
    changed = FILE.replace("Second,2", "Second thoughts,3").replace("A-3,2026", ",2026")
    found = import_work_items(project, changed.encode(), actor=actor(lead))
    assert fates(found) == ["update", "unchanged", "unchanged"]
    assert found.fates[0].changes == ["points", "title", "depends_on"]
    item = WorkItem.objects.get(external_key="A-2")
    assert (item.title, item.points, item.depends_on.count()) == ("Second thoughts", 3, 0)
    assert WorkItem.objects.count() == 3


BAD = """key,kind,title,points,sprint,assignee,parent,due_on
B-1,task,Good,1,,,,
B-2,duty,,many,Sprint 9,nobody,B-9,tomorrow
B-1,task,Again,,,,,
"""


def test_one_refused_row_refuses_the_whole_and_names_every_field(project, lead, actor):
    before = written()
    with pytest.raises(errors.RuleViolated) as refusal:
        import_work_items(project, BAD.encode(), actor=actor(lead))
    assert refusal.value.code == "import_refused"
    told = " ".join(refusal.value.details["reasons"])
    for field in ("points", "sprint", "assignee", "parent", "due_on"):
        assert f"Line 3, {field}:" in told
    assert "Line 4, key: B-1 stands on line 2 already." in told
    assert written() == before


def test_refused_rows_may_be_left_out(project, lead, actor):
    found = import_work_items(project, BAD.encode(), actor=actor(lead), skip_refused=True)
    assert fates(found) == ["create", "refused", "refused"]
    assert WorkItem.objects.get().title == "Good"
    counts = {"create": 1, "update": 0, "unchanged": 0, "remove": 0, "refused": 2}
    assert found.counts == counts


def test_rules_of_the_kinds_refuse_rows_too(project, lead, actor):
    rows = [
        {"kind": "duty", "title": "x"},
        {"kind": "task", "title": ""},
        {"kind": "task", "title": "x", "details": {"colour": "red"}},
        {"kind": "task", "title": "x", "key": "K", "depends_on": ["K"]},
    ]
    found = dry_run(project, json.dumps(rows).encode(), actor=actor(lead))
    assert fates(found) == ["refused"] * 4
    assert [sorted(one.errors) for one in found.fates] == [["kind"], ["title"], ["colour"], ["row"]]


def test_only_a_lead_imports(project, data_scientist, outsider, actor):
    for user, refusal in ((data_scientist, errors.NotPermitted), (outsider, errors.NotFound)):
        for command in (dry_run, import_work_items):
            with pytest.raises(refusal):
                command(project, FILE.encode(), actor=actor(user))
    assert not WorkItem.objects.exists()


def test_a_file_that_cannot_be_read_is_bad_input(project, lead, actor):
    with pytest.raises(errors.InvalidInput) as refusal:
        dry_run(project, b"kind;title\n", actor=actor(lead))
    assert refusal.value.code == "unreadable_file"


def test_commands_import_and_export(project, lead, tmp_path, capsys):
    file = tmp_path / "backlog.csv"
    file.write_text(FILE)
    call_command("import_backlog", project.slug, file, by="lena", dry_run=True)
    assert "dry run: 3 create" in capsys.readouterr().out
    assert not WorkItem.objects.exists()
    call_command("import_backlog", project.slug, file, by="lena")
    call_command("export_backlog", project.slug)
    assert "A-2,task,Second" in capsys.readouterr().out
    file.write_text(BAD)
    with pytest.raises(CommandError, match="Line 3, points"):
        call_command("import_backlog", project.slug, file, by="lena")


# --- Doors ----------------------------------------------------------------------------------------


def upload(text=FILE):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("backlog.csv", text.encode())


def test_rest_shows_and_imports_and_exports(project, lead, auditor, outsider, api):
    url = "/api/v1/work-items/import/"
    body = {"project": project.pk}
    told = api(lead).post(f"{url}?dry_run=1", {**body, "file": upload()}, format="multipart")
    assert (told.status_code, told.data["counts"]["create"]) == (200, 3), told.data
    assert not WorkItem.objects.exists()
    refused = [
        api(user).post(url, {**body, "file": upload()}, format="multipart").status_code
        for user in (outsider, auditor)
    ]
    assert refused == [404, 403]
    done = api(lead).post(url, {**body, "file": upload()}, format="multipart")
    assert done.data["is_done"]
    bad = api(lead).post(url, {**body, "file": upload(BAD)}, format="multipart")
    assert (bad.status_code, bad.data["code"]) == (422, "import_refused")
    exported = api(auditor).get("/api/v1/work-items/export/", {"project": project.pk, "as": "json"})
    assert len(json.loads(exported.content)["work_items"]) == 3
    assert api(auditor).get("/api/v1/work-items/export/", {"project": "x"}).status_code == 400


def test_page_shows_first_and_imports_what_was_shown(project, lead, client_for):
    url = f"/projects/{project.slug}/import/"
    browser = client_for(lead)
    shown = browser.post(url, {"file": upload()})
    assert "What the import would do" in shown.content.decode()
    assert not WorkItem.objects.exists()
    body = {"confirm": "1", "text": shown.context["text"]}
    assert browser.post(url, body).url == f"/projects/{project.slug}/backlog/"
    assert WorkItem.objects.count() == 3
    csv = browser.get(f"/projects/{project.slug}/backlog.csv")
    assert csv["Content-Disposition"].endswith('-backlog.csv"')
    assert exchange.read(csv.content).shape == "csv"


def test_page_refuses_what_was_tampered_with_and_says_why_a_file_is_not_read(
    project, lead, auditor, outsider, client_for
):
    url = f"/projects/{project.slug}/import/"
    forged = client_for(lead).post(url, {"confirm": "1", "text": "forged"})
    unread = client_for(lead).post(url, {"file": upload("kind;title\n")})
    assert (forged.status_code, unread.status_code) == (422, 422)
    assert "parted by semicolons" in unread.content.decode()
    assert client_for(auditor).post(url, {"file": upload()}).status_code == 403
    assert client_for(outsider).get(url).status_code == 404
    assert not WorkItem.objects.exists()
