"""Events of work items and snapshots of sprints are written once, whoever asks."""

import pytest
from django.db import DatabaseError, connection, transaction

from ledger import triggers
from projects import errors
from projects.models import SprintSnapshot, WorkItemEvent
from tests import factories

pytestmark = pytest.mark.django_db


def execute(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def event():
    item = factories.WorkItemFactory()
    return WorkItemEvent.objects.create(item=item, actor="user:1", kind="created", data={"a": 1})


@pytest.fixture
def snapshot():
    sprint = factories.SprintFactory()
    return SprintSnapshot.objects.create(sprint=sprint, data={"done": []}, digest="0" * 64)


@pytest.fixture(params=["event", "snapshot"])
def row(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: type(row).objects.update(data={}),
        lambda row: type(row).objects.filter(pk=row.pk).delete(),
        lambda row: type(row)._default_manager.bulk_update([row], ["data"]),
    ],
)
def test_a_row_that_was_written_is_neither_changed_nor_removed(row, change):
    before = row.data
    row.data = {"changed": True}
    with pytest.raises(errors.RuleViolated) as refusal, transaction.atomic():
        change(row)
    assert refusal.value.code == "append_only"
    row.refresh_from_db()
    assert row.data == before


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_the_same_past_the_models(row, statement):
    table = type(row)._meta.db_table
    with pytest.raises(DatabaseError, match="append-only"):
        execute(statement.format(table))
    assert type(row).objects.filter(pk=row.pk).exists()


def test_a_row_is_not_replaced_by_another_of_its_number(event):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite replaces rows on insert")
    with pytest.raises(DatabaseError, match="append-only"):
        execute(
            "INSERT OR REPLACE INTO projects_workitemevent (id, item_id, at, actor, kind, data)"
            " SELECT id, item_id, at, 'user:2', kind, data FROM projects_workitemevent"
        )
    event.refresh_from_db()
    assert event.actor == "user:1"


def test_missing_triggers_of_other_apps_are_named(event):
    on_table = " ON projects_workitemevent" if connection.vendor == "postgresql" else ""
    execute(f"DROP TRIGGER projects_workitemevent_keep_delete{on_table}")
    assert triggers.missing() == ["projects_workitemevent_keep_delete"]
