"""The log is read by whoever holds its permission, and written through no door."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from ledger.models import Checkpoint, LedgerEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LIST = "/api/v1/ledger/"


@pytest.fixture
def reader():
    user = UserFactory(username="reader", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_ledgerentry", "view_checkpoint"])
    )
    return user


@pytest.mark.parametrize("path", ["", "1/", "checkpoint/", "verify/"])
def test_strangers_are_sent_away(filled, api, client, path):
    assert client.get(LIST + path).status_code == 401
    assert api(UserFactory(is_staff=True)).get(LIST + path).status_code == 403


def test_a_role_on_one_project_opens_no_log_of_all_projects(filled, api, client_for, lead):
    lead.is_staff = True
    lead.save()
    lead.groups.add(Group.objects.get(name="Stakeholders"))
    browser = client_for(lead)
    assert api(lead).get(LIST).status_code == 403
    assert browser.get("/admin/ledger/ledgerentry/").status_code == 403
    assert browser.get("/admin/ledger/checkpoint/").status_code == 403
    assert b"/admin/ledger/" not in browser.get("/inbox/").content


def test_a_superuser_reads(filled, api, superuser):
    assert api(superuser).get(LIST).status_code == 200


def test_an_entry_shows_the_text_that_was_hashed(filled, api, reader):
    shown = api(reader).get(LIST + "4/").json()
    entry = filled[3]
    assert shown["body"].encode() == entry.body
    assert shown["entry_hash"] == entry.entry_hash.hex()
    assert (shown["title"], shown["actor_name"]) == ("Thing made", "Léna Ørsted")
    assert shown["details"] == {"number": 3}
    assert api(reader).get(LIST + "8/").status_code == 404
    assert api(reader).get(LIST + "x/").status_code == 404


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        ("", [7, 6, 5, 4, 3, 2, 1]),
        ("event=thing.signed", [6, 3]),
        ("event__in=thing.signed,thing.lost", [6, 3]),
        ("subject=thing:1&seq__lt=3", [2, 1]),
        ("subject__startswith=thing:&seq__gt=5", [7, 6]),
        ("actor=user:8", []),
        ("actor=user:7&page_size=2", [7, 6]),
    ],
)
def test_entries_are_filtered_newest_first(filled, api, reader, query, seqs):
    answer = api(reader).get(f"{LIST}?{query}").json()
    assert [entry["seq"] for entry in answer["results"]] == seqs


def test_the_number_of_queries_does_not_grow(filled, api, reader, django_assert_num_queries):
    client = api(reader)
    with django_assert_num_queries(3):  # two for the permission, one for the page
        client.get(LIST)


def test_the_latest_checkpoint_can_be_taken_away(filled, api, reader):
    answer = api(reader).get(LIST + "checkpoint/").json()
    assert answer["size"] == 6
    assert answer["note"] == Checkpoint.objects.get(size=6).note
    assert len(answer["root_hash"]) == 64


def test_an_empty_ledger_has_no_checkpoint_to_take(api, reader):
    assert api(reader).get(LIST + "checkpoint/").status_code == 404


def test_only_staff_have_it_verified(filled, api, reader):
    answer = api(reader).get(LIST + "verify/").json()
    assert (answer["ok"], answer["entries"], answer["unsigned_tail"]) == (True, 7, 1)
    reader.is_staff = False
    reader.save()
    assert api(reader).get(LIST + "verify/").status_code == 403
    assert api(reader).get(LIST).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_method_writes(filled, api, superuser, method):
    for path in (LIST, LIST + "4/", LIST + "verify/", LIST + "checkpoint/"):
        assert getattr(api(superuser), method)(path).status_code == 405
    assert LedgerEntry.objects.count() == 7


def test_the_admin_lists_and_shows_but_changes_nothing(filled, client_for, reader):
    browser = client_for(reader)
    page = browser.get(reverse("admin:ledger_ledgerentry_changelist") + "?event=thing.signed")
    assert page.status_code == 200
    assert page.context["cl"].result_count == 2
    pk = filled[3].pk
    shown = browser.get(reverse("admin:ledger_ledgerentry_change", args=[pk]))
    assert filled[3].entry_hash.hex() in shown.content.decode()
    assert "&quot;number&quot;: 3" in shown.content.decode()
    for name, arguments in (("add", []), ("delete", [pk])):
        address = reverse(f"admin:ledger_ledgerentry_{name}", args=arguments)
        assert browser.get(address).status_code == 403
        assert browser.post(address, {"post": "yes"}).status_code == 403
    change = reverse("admin:ledger_ledgerentry_change", args=[pk])
    assert browser.post(change, {"subject": "thing:99"}).status_code == 403
    assert LedgerEntry.objects.filter(seq=4, subject="thing:1").exists()


@pytest.mark.parametrize("query", ["q=thing%3A1", "q=L%C3%A9na", "q=user%3A7"])
def test_the_admin_searches(filled, client_for, reader, query):
    page = client_for(reader).get(f"/admin/ledger/ledgerentry/?{query}")
    assert page.context["cl"].result_count == 7


def test_the_admin_shows_checkpoints(filled, client_for, reader):
    browser = client_for(reader)
    checkpoint = Checkpoint.objects.get(size=6)
    assert browser.get("/admin/ledger/checkpoint/").status_code == 200
    shown = browser.get(f"/admin/ledger/checkpoint/{checkpoint.pk}/change/")
    assert checkpoint.note.splitlines()[2] in shown.content.decode()


def test_a_body_that_someone_spoiled_still_shows(filled, without_triggers, api, client_for, reader):
    without_triggers(4, body=b"\xff{")
    assert api(reader).get(LIST + "4/").json()["details"] == {}
    page = client_for(reader).get(f"/admin/ledger/ledgerentry/{filled[3].pk}/change/")
    assert page.status_code == 200
