"""The database itself refuses to change or remove a policy version that is no draft."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from governance.models import PolicyVersion
from governance.services import policies
from ledger import triggers
from projects.actors import system

pytestmark = pytest.mark.django_db
TABLE = PolicyVersion._meta.db_table
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="speaks SQLite's SQL")
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="speaks PostgreSQL's SQL"
)


@pytest.fixture
def draft(policy: PolicyVersion) -> PolicyVersion:
    return policies.write_draft(
        "standard", title="Standard policy", text="schema: 1\n", actor=system("setup")
    )


@pytest.fixture(params=["published", "retired"])
def frozen(request: Any, policy: PolicyVersion) -> PolicyVersion:
    PolicyVersion.objects.filter(pk=policy.pk).update(status=request.param)
    policy.refresh_from_db()
    return policy


def execute(sql: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@contextmanager
def refused() -> Iterator[None]:
    """Assert that the database refuses what happens inside, and that no row differs after it."""
    before = list(PolicyVersion.objects.order_by("pk").values())
    with pytest.raises(IntegrityError):
        yield
    assert list(PolicyVersion.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "change",
    [
        "text = 'schema: 1'",
        "digest = 'e'",
        "number = 7",
        "note = 'another reason'",
        "created_by_id = NULL, created_at = '2020-01-01'",
        "status = 'draft'",
        "status = 'retired', text = text || ' '",
        "id = 99",
    ],
)
def test_what_a_version_says_stays(frozen: PolicyVersion, change: str) -> None:
    with refused():
        execute(f"UPDATE {TABLE} SET {change} WHERE id = %s", frozen.pk)  # noqa: S608


def test_a_version_is_not_deleted(frozen: PolicyVersion) -> None:
    with refused():
        execute(f"DELETE FROM {TABLE} WHERE id = %s", frozen.pk)  # noqa: S608


def test_its_status_moves_on(policy: PolicyVersion) -> None:
    execute(f"UPDATE {TABLE} SET status = 'retired' WHERE id = %s", policy.pk)  # noqa: S608
    policy.refresh_from_db()
    assert policy.status == "retired"


def test_a_draft_changes_and_goes(draft: PolicyVersion) -> None:
    execute(f"UPDATE {TABLE} SET text = 'x', digest = 'e' WHERE id = %s", draft.pk)  # noqa: S608
    draft.refresh_from_db()
    assert draft.text == "x"
    draft.delete()
    assert not PolicyVersion.objects.filter(status="draft").exists()


@only_sqlite
@pytest.mark.parametrize("pragma", [0, 1])
@pytest.mark.parametrize("key", ["id", "number", "status"])
def test_sqlite_replaces_no_version(policy: PolicyVersion, pragma: int, key: str) -> None:
    """OR REPLACE removes the row in the way without asking delete triggers."""
    columns = [field.attname for field in PolicyVersion._meta.local_fields]
    new = {"id": "99", "number": "99", "status": "'draft'", key: key, "text": "'x'"}
    values = ", ".join(new.get(name, name) for name in columns)
    execute(f"PRAGMA recursive_triggers = {pragma}")
    try:
        with refused():
            execute(
                f"INSERT OR REPLACE INTO {TABLE} ({', '.join(columns)}) "  # noqa: S608
                f"SELECT {values} FROM {TABLE} WHERE id = %s",
                policy.pk,
            )
    finally:
        execute("PRAGMA recursive_triggers = 1")


@only_sqlite
@pytest.mark.parametrize("change", ["number = 1", "status = 'published'", "id = %s"])
def test_sqlite_makes_no_room_for_a_draft(
    policy: PolicyVersion, draft: PolicyVersion, change: str
) -> None:
    execute("PRAGMA recursive_triggers = 0")
    keys = [policy.pk, draft.pk] if "%s" in change else [draft.pk]
    try:
        with refused():
            execute(f"UPDATE OR REPLACE {TABLE} SET {change} WHERE id = %s", *keys)  # noqa: S608
    finally:
        execute("PRAGMA recursive_triggers = 1")


@only_postgresql
def test_postgresql_truncates_nothing(policy: PolicyVersion) -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with refused():
        execute(f"TRUNCATE {TABLE} CASCADE")


def test_a_missing_trigger_is_told(policy: PolicyVersion) -> None:
    name = f"{TABLE}_frozen_update"
    on = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    assert triggers.missing() == []
    execute(f"DROP TRIGGER {name}{on}")
    assert triggers.missing() == [name]
