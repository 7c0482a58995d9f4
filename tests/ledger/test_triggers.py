"""The database itself refuses to change the record, and gets its triggers back."""

from contextlib import contextmanager
from itertools import product

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction

from ledger import triggers
from ledger.checks import check_triggers
from ledger.models import Checkpoint, LedgerEntry, LedgerHead, PersonalText
from ledger.services import remember_personal_text, verify

only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="speaks SQLite's SQL")
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="speaks PostgreSQL's SQL"
)

TABLES = [model._meta.db_table for model in (LedgerEntry, Checkpoint, PersonalText, LedgerHead)]
APPEND_ONLY = [model._meta.db_table for model in (LedgerEntry, Checkpoint, LedgerHead)]


def execute(sql, params=None):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@contextmanager
def unchanged():
    def rows():
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
                yield [
                    tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                    for row in cursor.fetchall()
                ]

    before = list(rows())
    yield
    assert list(rows()) == before
    assert verify().ok


@pytest.fixture
def rows(filled):
    remember_personal_text("words")
    return filled


@pytest.mark.parametrize(("verb", "table"), list(product(["update", "delete"], APPEND_ONLY)))
def test_update_and_delete_are_refused(rows, verb, table):
    sql = {"update": f"UPDATE {table} SET id = id", "delete": f"DELETE FROM {table}"}  # noqa: S608
    with unchanged(), pytest.raises(IntegrityError):
        execute(sql[verb])


def test_personal_text_is_erased_but_never_changed(rows):
    with unchanged(), pytest.raises(IntegrityError, match="erase a text"):
        execute("UPDATE ledger_personaltext SET text = 'other'")
    execute("DELETE FROM ledger_personaltext")
    assert not PersonalText.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        "actor_name = 'Somebody'",
        "actor_name = ''",
        "actor_name = '', actor_salt = actor_salt, subject = 'x'",
    ],
)
def test_a_name_may_only_be_erased_whole(rows, changes):
    with unchanged(), pytest.raises(IntegrityError):
        execute(f"UPDATE ledger_ledgerentry SET {changes} WHERE seq = 2")  # noqa: S608


def copy_of_last(**changes):
    entry = LedgerEntry.objects.get(seq=7)
    entry.pk = None
    for name, value in changes.items():
        setattr(entry, name, value)
    return entry


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 9},
        {"seq": 8, "previous_hash": bytes(32)},
        {"seq": 8},
        {"seq": 7},
        {"seq": 0},
    ],
)
def test_an_entry_that_does_not_continue_the_chain_is_refused(rows, changes):
    with unchanged(), pytest.raises(IntegrityError), transaction.atomic():
        copy_of_last(**changes).save(force_insert=True)


@only_sqlite
@pytest.mark.parametrize(
    ("conflict", "pragma"), list(product(["REPLACE", "IGNORE", "FAIL"], [0, 1]))
)
@pytest.mark.parametrize("table", TABLES)
def test_sqlite_insert_or_replace_is_refused_whatever_the_pragma(rows, table, conflict, pragma):
    execute(f"PRAGMA recursive_triggers = {pragma}")
    try:
        with unchanged(), pytest.raises(IntegrityError):
            execute(f"INSERT OR {conflict} INTO {table} SELECT * FROM {table}")  # noqa: S608
        with unchanged(), pytest.raises(IntegrityError):
            execute(f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")  # noqa: S608
    finally:
        execute("PRAGMA recursive_triggers = 1")


@only_sqlite
def test_sqlite_replacing_an_old_row_by_a_fitting_new_one_is_refused(rows):
    columns = "recorded_at, event, actor, actor_name, actor_salt, method, subject, body"
    execute("PRAGMA recursive_triggers = 0")
    try:
        with unchanged(), pytest.raises(IntegrityError, match="broken chain"):
            execute(
                f"INSERT OR REPLACE INTO ledger_ledgerentry (id, seq, {columns}, leaf_hash, "  # noqa: S608
                f"previous_hash, entry_hash) SELECT 1, 8, {columns}, leaf_hash, %s, entry_hash "
                "FROM ledger_ledgerentry WHERE seq = 1",
                [rows[-1].entry_hash],
            )
    finally:
        execute("PRAGMA recursive_triggers = 1")


@only_postgresql
@pytest.mark.parametrize("table", TABLES)
def test_postgresql_truncate_is_refused(rows, table):
    with unchanged(), pytest.raises(IntegrityError):
        execute(f"TRUNCATE {table} CASCADE")


@only_postgresql
def test_postgresql_upsert_is_refused(rows):
    with unchanged(), pytest.raises(DatabaseError):
        execute(
            "INSERT INTO ledger_checkpoint SELECT * FROM ledger_checkpoint "
            "ON CONFLICT (size) DO UPDATE SET root = EXCLUDED.note::bytea"
        )


def test_a_missing_trigger_fails_the_check(db):
    assert check_triggers(databases=["default"]) == []
    triggers.drop()
    [error] = check_triggers(databases=["default"])
    assert error.id == "ledger.E001"
    assert "ledger_entry_chain" in error.msg
    triggers.install()
    assert check_triggers(databases=["default"]) == []
    assert check_triggers(databases=None) == []


@only_sqlite
def test_a_trigger_replaced_by_a_harmless_one_fails_the_check(db):
    execute("DROP TRIGGER ledger_entry_delete")
    execute(
        "CREATE TRIGGER ledger_entry_delete BEFORE DELETE ON ledger_ledgerentry "
        "WHEN 0 BEGIN SELECT RAISE(ABORT, 'never'); END"
    )
    assert triggers.missing() == ["ledger_entry_delete"]


@only_postgresql
def test_a_disabled_trigger_fails_the_check(db):
    execute("ALTER TABLE ledger_ledgerentry DISABLE TRIGGER ledger_entry_delete")
    assert triggers.missing() == ["ledger_entry_delete"]


@pytest.fixture(scope="module")
def migrated_once(django_db_blocker, tmp_path_factory, django_db_use_migrations):
    """Return the alias of a migrated database of its own."""
    if not django_db_use_migrations:
        pytest.skip("migrates a database: run it with --migrations")
    settings = {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3"}
    settings |= {"NAME": str(tmp_path_factory.mktemp("migrated") / "db.sqlite3"), "OPTIONS": {}}
    with django_db_blocker.unblock():
        connections.settings["migrated"] = settings
        call_command("migrate", database="migrated", verbosity=0)
    yield "migrated"
    with django_db_blocker.unblock():
        connections["migrated"].close()
        del connections.settings["migrated"], connections["migrated"]


@pytest.fixture
def migrated(migrated_once, django_db_blocker):
    with django_db_blocker.unblock():
        yield migrated_once


def migrate(*target, **options):
    call_command("migrate", "ledger", *target, database="migrated", verbosity=0, **options)


@pytest.mark.slow
def test_triggers_survive_migrating_back_and_forth(migrated):
    assert triggers.missing(migrated) == []
    migrate("zero")
    left = triggers._present(connections[migrated])
    assert not [name for name in left if name.startswith("ledger_")]
    migrate()
    assert len(triggers._present(connections[migrated])) == len(triggers.triggers("sqlite"))
    assert triggers.missing(migrated) == []


@pytest.mark.slow
def test_triggers_come_back_after_a_table_is_rebuilt(migrated):
    old = LedgerEntry._meta.get_field("event")
    new = models.CharField(max_length=61)
    new.set_attributes_from_name("event")
    new.model = LedgerEntry
    with connections[migrated].schema_editor() as editor:
        editor.alter_field(LedgerEntry, old, new)
    assert "ledger_entry_delete" in triggers.missing(migrated)
    with pytest.raises(SystemCheckError, match=r"ledger\.E001"):
        migrate(skip_checks=False)
    migrate()
    assert triggers.missing(migrated) == []
