"""Editorial edits of an approved scope, and the digest that its sign-offs bind."""

import copy

import pytest

from ledger.models import LedgerEntry, PersonalText
from projects.actors import person
from projects.errors import DomainError, NotFound
from projects.models import Risk, ScopingDocument, Sprint
from projects.services import scope_changes, scoping
from projects.services.scope_changes import edit_editorially, signed_hash
from tests import factories
from tests.factories import session_actor

pytestmark = pytest.mark.django_db
NEW = {"summary": "The bank rings those first who are likely to say yes."}


def edits():
    return LedgerEntry.objects.filter(event="scope.edited_editorially")


def refused(document, fields, code, *, user, **options):
    before = ScopingDocument.objects.filter(pk=document.pk).values().get()
    with pytest.raises(DomainError) as told:
        edit_editorially(document, fields, actor=session_actor(user), **options)
    assert told.value.code == code
    assert ScopingDocument.objects.filter(pk=document.pk).values().get() == before
    assert not edits().exists()
    return told.value


def test_editorial_edit_changes_the_words_and_no_sign_off(approved_scope, lead):
    signed, snapshot = signed_hash(approved_scope), copy.deepcopy(approved_scope.snapshot)
    edit_editorially(approved_scope, NEW, actor=session_actor(lead))
    approved_scope.refresh_from_db()
    assert approved_scope.summary == NEW["summary"]
    assert approved_scope.snapshot == snapshot
    assert signed_hash(approved_scope) == signed == approved_scope.content_hash
    found = scope_changes.changes_since_approval(approved_scope)
    assert [field.field for field in found.fields] == ["summary"]
    assert not found.material


def test_editorial_edit_is_recorded_with_its_hashes_and_without_its_words(approved_scope, lead):
    old = approved_scope.summary
    edit_editorially(approved_scope, NEW, actor=session_actor(lead))
    entry = edits().get()
    assert entry.data["before_hash"] == approved_scope.content_hash
    assert entry.data["after_hash"] != entry.data["before_hash"]
    assert NEW["summary"] not in bytes(entry.body).decode()
    kept = entry.data["fields"]["summary"]
    texts = {
        side: PersonalText.objects.get(reference=reference).text for side, reference in kept.items()
    }
    assert texts == {"before": old, "after": NEW["summary"]}


@pytest.mark.parametrize("field", ["intended_use", "criteria", "status", "tier"])
def test_material_field_takes_a_new_version(approved_scope, lead, field):
    told = refused(approved_scope, {field: "x", **NEW}, "material_field", user=lead)
    assert told.details["fields"] == [field]


def test_only_the_approved_scope_is_edited_like_this(submitted_scope, lead):
    refused(submitted_scope, NEW, "scope_not_approved", user=lead)


def test_who_may_not_edit_does_not(approved_scope, business_owner, outsider):
    refused(approved_scope, NEW, "role_missing", user=business_owner)
    refused(approved_scope, NEW, "not_found", user=outsider)


def test_wrong_and_unchanged_texts_are_refused(approved_scope, lead):
    refused(approved_scope, {"title": ""}, "invalid_scope", user=lead)
    refused(approved_scope, {"title": "x" * 201}, "invalid_scope", user=lead)
    refused(approved_scope, {"title": approved_scope.title}, "nothing_changed", user=lead)


def test_edit_of_what_somebody_else_changed_is_refused(approved_scope, lead):
    lock = approved_scope.version_lock
    refused(approved_scope, NEW, "stale_state", user=lead, read_version=lock - 1)


def test_editing_makes_nobody_an_author(approved_scope, lead, project):
    other = factories.UserFactory(username="zoe")
    factories.StakeholderFactory(project=project, user=other, role="lead")
    edit_editorially(approved_scope, NEW, actor=person(other, method="token"))
    assert other.pk not in scoping.author_ids(approved_scope)


@pytest.mark.no_ledger_guard
def test_material_row_changed_past_the_services_moves_what_is_signed(approved_scope):
    Risk.objects.filter(scope=approved_scope).update(impact=1)
    assert signed_hash(approved_scope) != approved_scope.content_hash


@pytest.mark.no_ledger_guard
def test_snapshot_changed_past_the_services_moves_what_is_signed(approved_scope):
    approved_scope.snapshot["criteria"][0]["threshold"] = 0.1
    approved_scope.save(update_fields=["snapshot"])
    assert signed_hash(approved_scope) != approved_scope.content_hash
    assert scope_changes.frozen_hash(approved_scope) == signed_hash(approved_scope)


def test_long_numbers_hash_alike_however_the_database_writes_them(approved_scope):
    approved_scope.snapshot["criteria"][0]["threshold"] = 10**16
    whole = scope_changes.frozen_hash(approved_scope)
    approved_scope.snapshot["criteria"][0]["threshold"] = 1e16
    assert scope_changes.frozen_hash(approved_scope) == whole


def test_snapshot_of_an_earlier_schema_compares_without_noise(approved_scope):
    old = {"title": approved_scope.title, "criteria": [{"key": "a", "metric_key": "m"}]}
    now = scope_changes.completed(old)
    assert now["currency"] == "EUR"
    assert now["criteria"][0]["min_runs"] == 1
    assert scope_changes.completed(now) == now


def test_version_is_compared_with_its_parent_or_the_one_named(approved_scope, project, lead):
    assert scope_changes.compared_with(approved_scope) is None
    second = scoping.start_from_version(approved_scope, actor=session_actor(lead))
    assert scope_changes.compared_with(second) == approved_scope
    assert scope_changes.compared_with(approved_scope, 2) == second
    with pytest.raises(NotFound):
        scope_changes.compared_with(second, 9)


def test_sprint_keeps_the_scope_that_it_started_under(
    approved_scope, project, lead, business_owner
):
    sprint = factories.SprintFactory(project=project, scope=approved_scope, status="active")
    second = scoping.start_from_version(approved_scope, actor=session_actor(lead))
    scoping.submit_scoping_document(second, actor=session_actor(lead))
    scoping.approve_scoping_document(
        second, actor=session_actor(business_owner), review_ref="gate_review:0"
    )
    approved_scope.refresh_from_db()
    assert approved_scope.status == "superseded"
    assert Sprint.objects.get(pk=sprint.pk).scope == approved_scope
