"""The page of a scoping document, through the door."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ledger.models import LedgerEntry
from projects.models import Attachment
from projects.rules.scope_layout import SECTIONS
from projects.services import scoping
from projects.services.content import CHILDREN, fields_of
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.CONTENT_STORE = tmp_path


@pytest.fixture
def draft(project, lead):
    content = factories.scope_content_of()
    content["responsibilities"] = [
        {"activity": "validation", "person": "vera", "raci": "accountable"},
        {"activity": "validation", "person": "sam", "raci": "consulted"},
        {"activity": "scope", "person": "lena", "raci": "responsible"},
    ]
    content["autonomy"] = "decide_with_review"
    return factories.write_scope(project, lead, content)


def page_of(client_for, user, document):
    return client_for(user).get(f"/scopes/{document.pk}/")


def test_every_field_and_list_stands_in_exactly_one_section():
    placed = [name for section in SECTIONS for name in section.names]
    fields = {field.name for field in fields_of(scoping.ScopingDocument)}
    assert sorted(placed) == sorted(fields | set(CHILDREN))


def test_every_field_and_list_can_be_linked_to(draft, lead, client_for):
    page = page_of(client_for, lead, draft).content.decode()
    ids = set(re.findall(r'id="([a-z_]+)"', page))
    wanted = {name for section in SECTIONS for name in section.names} | {"stakeholders"}
    assert wanted <= ids


def test_values_are_in_a_readers_words(draft, lead, client_for):
    page = page_of(client_for, lead, draft).content.decode()
    assert "Decide With Review" in page
    assert "test_roc_auc: at least 0.58" in page
    assert "traditional ML" in page
    assert "decide_with_review" not in page


def test_responsibilities_are_a_matrix_of_activity_and_person(draft, lead, client_for):
    page = page_of(client_for, lead, draft).content.decode()
    table = page[page.index('id="responsibilities"') :]
    table = table[: table.index("</table>")]
    head = re.findall(r'<th scope="col">([^<]*)</th>', table)
    rows = {
        name: re.findall(r'<td class="raci">([^<]*)</td>', row)
        for name, row in re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', table)
    }
    assert head == ["Activity", "Lena", "Sam", "Vera"]
    assert rows["Validation"] == ["", "C", "A"]
    assert rows["Scope"] == ["R", "", ""]
    assert rows["Retirement"] == ["", "", ""]


def test_the_page_names_the_other_versions(draft, lead, client_for):
    second = factories.write_scope(draft.project, lead)
    page = page_of(client_for, lead, second).content.decode()
    assert f'href="/scopes/{draft.pk}/"' in page


def test_a_version_of_the_earlier_schema_is_shown_as_it_was(submitted_scope, lead, client_for):
    before = {
        "title": "Old",
        "monitoring_plan": "Watch the drift each month.",
        "open_questions": ["Who pays?"],
        "objectives": [],
    }
    rows = type(submitted_scope).objects.filter(pk=submitted_scope.pk)
    rows.update(schema_version=1, snapshot=json.loads(json.dumps(before)))
    page = page_of(client_for, lead, submitted_scope)
    assert page.status_code == 200
    assert "Watch the drift each month." in page.content.decode()
    assert "Who pays?" in page.content.decode()


def test_a_longer_scope_costs_no_more_queries(
    project, lead, client_for, django_assert_max_num_queries
):
    content = factories.scope_content_of()
    content["risks"] = [
        {**content["risks"][0], "title": f"Risk {number}", "owner": owner}
        for number, owner in enumerate(["lena", "sam", "mia", "dora"] * 5)
    ]
    draft = factories.write_scope(project, lead, content)
    browser = client_for(lead)
    with django_assert_max_num_queries(90):
        browser.get(f"/scopes/{draft.pk}/")


def upload(browser, document, name="notes.txt"):
    file = SimpleUploadedFile(name, b"What the call centre told us.\n")
    return browser.post(f"/scopes/{document.pk}/attach/", {"file": file}, follow=True)


def test_a_file_is_attached_to_a_draft_and_listed(draft, data_scientist, client_for):
    page = upload(client_for(data_scientist), draft)
    assert "notes.txt" in page.content.decode()
    assert Attachment.objects.get().scope == draft
    assert LedgerEntry.objects.filter(event="attachment.added", subject=draft.ref).exists()


def test_a_submitted_version_takes_no_file(submitted_scope, lead, auditor, client_for):
    page = upload(client_for(lead), submitted_scope)
    assert "attach the file to a new draft" in page.content.decode()
    assert not Attachment.objects.exists()


def test_a_file_of_another_kind_is_refused_with_its_reason(draft, lead, client_for):
    page = upload(client_for(lead), draft, "run.exe")
    assert Attachment.objects.count() == 0
    assert page.context["messages"]


def test_strangers_attach_nothing_and_auditors_are_told(draft, outsider, auditor, client_for):
    assert upload(client_for(outsider), draft).status_code == 404
    assert "attachment.add" in upload(client_for(auditor), draft).content.decode()
    assert not Attachment.objects.exists()
