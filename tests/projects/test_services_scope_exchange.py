"""Scoping documents in and out of files: what goes out comes back, and a dry run tells it all."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from ledger.models import LedgerEntry
from projects import errors
from projects.models import Criterion, ScopingDocument
from projects.rules import scope_files
from projects.rules.changes import ROW_KEYS
from projects.rules.scope_files import FIELDS, PARTS, WHOLE
from projects.rules.text_files import Unreadable
from projects.services import scoping
from projects.services.content import CHILDREN, content_hash, content_of
from projects.services.scope_exchange import Target, dry_run, export_scope, import_scope
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


def fates(found, *, but=("unchanged",)):
    return [(one.key, one.title, one.fate) for one in found.fates if one.fate not in but]


def written():
    return (
        [content_of(one) for one in ScopingDocument.objects.order_by("pk")],
        LedgerEntry.objects.count(),
    )


def changed_rows(draft, part, change):
    """Return a list's CSV after `change(rows)` worked on its rows."""
    rows = list(csv.DictReader(io.StringIO(export_scope(draft, part).text)))
    rows = change(rows) or rows
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_parts_are_the_lists_of_the_document():
    assert set(ROW_KEYS) == set(CHILDREN)


@pytest.mark.parametrize("part", PARTS)
def test_what_was_exported_comes_back_unchanged(project, draft, lead, actor, part):
    before = content_hash(content_of(draft))
    data = export_scope(draft, part).text.encode()
    found, again = import_scope(Target(project, draft, part), data, actor=actor(lead))
    assert fates(found) == []
    assert again.pk == draft.pk
    assert content_hash(content_of(again)) == before


def test_a_whole_document_begins_the_next_version(project, draft, lead, actor):
    data = export_scope(draft).text.encode()
    found, version = import_scope(Target(project), data, actor=actor(lead))
    assert (version.version, version.status) == (draft.version + 1, "draft")
    assert {one.fate for one in found.fates} == {"create", "unchanged"}
    assert content_hash(content_of(version)) == content_hash(content_of(draft))


@pytest.mark.parametrize("part", ["criteria", WHOLE])
def test_dry_run_writes_nothing_and_tells_what_the_import_then_does(
    project, draft, lead, actor, part
):
    content = content_of(draft)
    content["criteria"] = content["criteria"][1:]
    content["criteria"][0]["threshold"] = 0.42
    data = json.dumps(content).encode()
    if part == "criteria":

        def change(rows):
            rows[1]["threshold"] = "0.42"
            return rows[1:]

        data = changed_rows(draft, part, change)
    target, before = Target(project, draft, part), written()
    told = dry_run(target, data, actor=actor(lead))
    assert (written(), told.is_done) == (before, False)
    done, _ = import_scope(target, data, actor=actor(lead))
    assert (fates(told), told.digest) == (fates(done), done.digest)
    removed, kept = before[0][0]["criteria"][0]["key"], content["criteria"][0]["key"]
    assert set(fates(done)) == {("criteria", kept, "update"), ("criteria", removed, "remove")}
    assert Criterion.objects.get(scope=draft, key=kept).threshold == 0.42


def test_fields_of_a_csv_leave_the_others_as_they_are(project, draft, lead, actor):
    data = b"field,value\ntitle,Ring first\nparked_ideas,\nlatency_limit_ms,150\n"
    found, _ = import_scope(Target(project, draft, FIELDS), data, actor=actor(lead))
    draft.refresh_from_db()
    assert (draft.title, draft.latency_limit_ms) == ("Ring first", 150)
    assert draft.problem_statement
    assert (found.fates[0].number, found.fates[0].fate) == (2, "update")


def test_every_refused_cell_is_named_with_its_line_and_nothing_is_written(
    project, draft, lead, actor
):
    def spoil(rows):
        rows[0]["threshold"] = "half"
        rows[1]["by_date"], rows[1]["greater_is_better"] = "31.12.2026", "perhaps"

    data, target = changed_rows(draft, "criteria", spoil), Target(project, draft, "criteria")
    before = written()
    told = dry_run(target, data, actor=actor(lead))
    refused = {one.number: set(one.errors) for one in told.fates if one.fate == "refused"}
    assert refused == {2: {"threshold"}, 3: {"by_date", "greater_is_better"}}
    with pytest.raises(errors.RuleViolated) as refusal:
        import_scope(target, data, actor=actor(lead))
    assert refusal.value.code == "import_refused"
    assert any(
        reason.startswith("Line 2, threshold: ") for reason in refusal.value.details["reasons"]
    )
    assert written() == before


def test_unknown_fields_and_people_of_a_json_are_named(project, lead, actor):
    content = {"title": "T", "colour": "red", "risks": [{"title": "R", "owner": "nobody"}]}
    told = dry_run(Target(project), json.dumps(content).encode(), actor=actor(lead))
    named = {(one.key, one.title): set(one.errors) for one in told.fates if one.errors}
    assert named["fields", "colour"] == {"colour"}
    assert "owner" in named["risks", "R"]


@pytest.mark.parametrize(
    ("data", "part", "words"),
    [
        (b"", WHOLE, "empty"),
        (b"[1]", WHOLE, "one object"),
        (b'{"title": NaN}', WHOLE, "no JSON"),
        (b"name;value\n", FIELDS, "semicolons"),
        (b"field,value\ntitle,A\ntitle,B\n", FIELDS, "Line 3"),
        (b"title,level\n", "criteria", "lacks key"),
        (b"key,title\na\n", "criteria", "Line 2"),
        ("key\n\xe9".encode("latin-1"), "criteria", "0xE9"),
        (b"x", "colours", "no part"),
    ],
)
def test_a_file_that_cannot_be_read_is_bad_input(project, lead, actor, data, part, words):
    before = written()
    with pytest.raises(errors.InvalidInput) as refusal:
        import_scope(Target(project, None, part), data, actor=actor(lead))
    assert words in refusal.value.message
    assert written() == before


def test_what_was_submitted_takes_no_file(project, submitted_scope, lead, actor):
    data, before = export_scope(submitted_scope).text.encode(), written()
    with pytest.raises(errors.InvalidTransition) as refusal:
        import_scope(Target(project, submitted_scope), data, actor=actor(lead))
    assert refusal.value.code == "scope_not_draft"
    assert written() == before


def test_only_those_who_write_the_scope_import_it(project, draft, business_owner, outsider, actor):
    data, before = export_scope(draft).text.encode(), written()
    for user, error in ((business_owner, errors.NotPermitted), (outsider, errors.NotFound)):
        with pytest.raises(error):
            dry_run(Target(project, draft), data, actor=actor(user))
        with pytest.raises(error):
            import_scope(Target(project, draft), data, actor=actor(user))
    assert written() == before


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip)
FORMULAS = st.builds(str.__add__, st.sampled_from(["", "=", "+", "-", "@", "'", "|"]), TEXT)


@given(st.lists(st.fixed_dictionaries({"group": FORMULAS, "effect": FORMULAS}), min_size=1))
def test_texts_of_a_list_survive_a_spreadsheet(rows):
    from projects.rules.spreadsheet import csv_text

    text = csv_text(("group", "effect"), rows)
    read = scope_files.read(text.encode(), "affected_parties", ("group", "effect"))
    assert read.content["affected_parties"] == rows


def test_a_cell_that_runs_in_a_spreadsheet_is_quoted_on_the_way_out(project, lead):
    content = factories.scope_content_of()
    content["risks"][0]["title"] = "=cmd()"
    draft = factories.write_scope(project, lead, content)
    assert "'=cmd()" in export_scope(draft, "risks").text
    with pytest.raises(Unreadable):
        scope_files.read(b"\x00", "risks", ("title",))


def test_rest_shows_imports_and_exports(project, draft, lead, business_owner, outsider, api):
    client, places = api(lead), "/api/v1/scoping-documents"
    text = client.get(f"{places}/{draft.pk}/export/?part=criteria").content
    file = {"file": SimpleUploadedFile("c.csv", text.replace(b"0.58", b"0.57"))}
    body = {"project": project.pk, "document": draft.pk, "part": "criteria", **file}
    shown = client.post(f"{places}/import/?dry_run=1", body, format="multipart")
    assert (shown.status_code, shown.data["counts"]["update"]) == (200, 1), shown.data
    assert (shown.data["is_done"], shown.data["document"]) == (False, None)
    file["file"].seek(0)
    done = client.post(f"{places}/import/", body, format="multipart")
    assert (done.data["is_done"], done.data["document"]) == (True, draft.pk)
    for user, status in ((business_owner, 403), (outsider, 404)):
        file["file"].seek(0)
        assert api(user).post(f"{places}/import/", body, format="multipart").status_code == status
    assert api(outsider).get(f"{places}/{draft.pk}/export/").status_code == 404


def test_page_shows_first_and_imports_what_was_shown(project, draft, lead, client_for):
    client, place = client_for(lead), f"/projects/{project.slug}/import-scope/"
    text = client.get(f"/scopes/{draft.pk}/export/risks/").content
    upload = SimpleUploadedFile("risks.csv", text.replace(b"dialler", b"telephone"))
    form = {"document": draft.pk, "part": "risks"}
    shown = client.post(place, {**form, "file": upload})
    assert "remove" in shown.content.decode()
    assert scoping.content_of(draft)["risks"][0]["title"] in shown.content.decode()
    kept = {**form, "confirm": "1", "text": shown.context["text"]}
    answer = client.post(place, kept)
    assert answer["Location"] == f"/scopes/{draft.pk}/"
    assert any("telephone" in row["title"] for row in content_of(draft)["risks"])


def test_page_keeps_what_was_chosen_when_a_file_is_refused(project, draft, lead, client_for):
    form = {"document": draft.pk, "part": "risks", "file": SimpleUploadedFile("r.csv", b"a;b\n")}
    answer = client_for(lead).post(f"/projects/{project.slug}/import-scope/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "semicolons" in page
    assert '<option value="risks" selected>' in page


def test_commands_import_and_export(project, draft, lead, tmp_path, capsys):
    call_command("export_scope", project.slug)
    file = tmp_path / "scope.json"
    file.write_text(capsys.readouterr().out)
    call_command("import_scope", project.slug, str(file), "--by", "lena", "--dry-run")
    assert "dry run: " in capsys.readouterr().out
    assert ScopingDocument.objects.count() == 1
    call_command("import_scope", project.slug, str(file), "--by", "lena")
    assert "imported: " in capsys.readouterr().out
    assert ScopingDocument.objects.count() == 2
    with pytest.raises(CommandError, match="no scope v9"):
        call_command("import_scope", project.slug, str(file), "--by", "lena", "--number", "9")
