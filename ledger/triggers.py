"""Triggers that refuse to change the record, on SQLite and PostgreSQL.

They are defence, not proof: whoever owns the database can drop them, and then the hashes and the
checkpoints outside tell. Table rebuilds lose triggers silently, so they are installed again after
every migrate. Apps above have their own tables kept in the same way: they name a model whose rows
never change with `keep_append_only`, and one whose rows stop changing with `keep_frozen`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.models import Checkpoint, LedgerEntry, LedgerHead, PersonalText
from ledger.rules.entries import GENESIS

VENDORS = ("sqlite", "postgresql")
REFUSE = "ledger_refuse"
CHAIN = "ledger_chain"
#: Models of other apps whose rows are added and never changed.
_KEPT: list[type[models.Model]] = []
#: Models of other apps whose rows stop changing once they leave a status.
_FROZEN: list["Frozen"] = []


@dataclass(frozen=True, slots=True)
class Trigger:
    """One refusal; `condition` empty means always."""

    name: str
    model: type[models.Model]
    on: str
    message: str
    condition: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def sql(self, vendor: str) -> str:
        """Return the statement that creates it."""
        if vendor == "sqlite":
            return self._sqlite()
        return self._postgresql()

    def _sqlite(self) -> str:
        when = f" WHEN {self.condition}" if self.condition else ""
        return (
            f"CREATE TRIGGER {self.name} BEFORE {self.on} ON {self.table}{when} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        )

    def _postgresql(self) -> str:
        each = "STATEMENT" if self.on == "TRUNCATE" else "ROW"
        # A WHEN clause of PostgreSQL holds no subquery, so the chain is checked in a function.
        function = CHAIN if self.on == "INSERT" else REFUSE
        when = f"WHEN ({self.condition}) " if self.condition and self.on != "INSERT" else ""
        return (
            f"CREATE TRIGGER {self.name} BEFORE {self.on} ON {self.table} FOR EACH {each} "
            f"{when}EXECUTE FUNCTION {function}('{self.message}')"
        )


@dataclass(frozen=True, slots=True)
class Frozen:
    """Which fields of a model stay as they are, and the row with them, once it is no draft."""

    model: type[models.Model]
    fields: tuple[str, ...]
    draft: str = "draft"

    @property
    def message(self) -> str:
        return f"a {self.model._meta.verbose_name} never changes once it is no {self.draft}"

    def triggers(self, vendor: str) -> list[Trigger]:
        """Return the refusals for a database of that kind."""
        table, left = self.model._meta.db_table, f"OLD.status <> '{self.draft}'"
        found = [
            self._trigger("update", "UPDATE", f"{left} AND ({self._is_changed(vendor)})"),
            self._trigger("delete", "DELETE", left),
        ]
        if vendor == "postgresql":
            return [*found, self._trigger("truncate", "TRUNCATE")]
        # Only names of our own table and columns.
        lost = f"SELECT 1 FROM {table} AS was WHERE was.status <> '{self.draft}'"  # noqa: S608
        taken = f"{lost} AND ({self._is_taken()})"
        return [
            *found,
            self._trigger("replace", "INSERT", f"EXISTS ({taken})"),
            self._trigger("replace_by_update", "UPDATE", f"EXISTS ({taken} AND was.id <> OLD.id)"),
        ]

    def _trigger(self, name: str, on: str, condition: str = "") -> Trigger:
        name = f"{self.model._meta.db_table}_frozen_{name}"
        return Trigger(name, self.model, on, self.message, condition)

    def _is_changed(self, vendor: str) -> str:
        other = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
        columns = ["id", *map(self._column, self.fields)]
        changed = [f"NEW.{name} {other} OLD.{name}" for name in columns]
        return " OR ".join([*changed, f"NEW.status = '{self.draft}'"])

    def _column(self, field: str) -> str:
        found: Any = self.model._meta.get_field(field)
        return str(found.column)

    def _is_taken(self) -> str:
        """Return the condition that OR REPLACE would remove the row `was` to make room."""
        unique = [
            one for one in self.model._meta.constraints if isinstance(one, models.UniqueConstraint)
        ]
        return " OR ".join(["was.id = NEW.id", *(f"({self._is_same(one)})" for one in unique)])

    def _is_same(self, unique: models.UniqueConstraint) -> str:
        same = [f"was.{name} = NEW.{name}" for name in map(self._column, unique.fields)]
        # Where it holds for some rows only, both have to be among them.
        conditions: Any = unique.condition.children if unique.condition else ()
        for name, value in conditions:
            same += [f"was.{name} = '{value}'", f"NEW.{name} = '{value}'"]
        return " AND ".join(same)


def keep_frozen(model: type[models.Model], fields: Iterable[str]) -> None:
    """Have the database refuse to change these fields of what is no draft, or to remove it."""
    frozen = Frozen(model, tuple(sorted(fields)))
    if frozen not in _FROZEN:
        _FROZEN.append(frozen)


def keep_append_only(model: type[models.Model]) -> None:
    """Have the database refuse to change or remove rows of another app's model."""
    if model not in _KEPT:
        _KEPT.append(model)


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Create every trigger anew, where the tables exist."""
    connection = connections[using]
    if not _is_migrated(connection):
        return
    drop(using)
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in _functions(connection.vendor):
            cursor.execute(statement)
        for trigger in _expected(connection):
            cursor.execute(trigger.sql(connection.vendor))


def drop(using: str = DEFAULT_DB_ALIAS) -> None:
    """Remove every trigger; for tests that empty the tables afterwards."""
    connection = connections[using]
    if not _is_migrated(connection):
        return
    on_table = connection.vendor == "postgresql"
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for trigger in _expected(connection):
            table = f" ON {trigger.table}" if on_table else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{table}")


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the names of triggers that a migrated database should have and has not."""
    connection = connections[using]
    if not _is_migrated(connection):
        return []
    present = _present(connection)
    vendor = connection.vendor
    return [
        trigger.name
        for trigger in _expected(connection)
        if trigger.name not in present
        # SQLite keeps the statement, so one that was replaced by a harmless one shows as well.
        or (vendor == "sqlite" and present[trigger.name] != trigger.sql(vendor))
    ]


def triggers(vendor: str) -> list[Trigger]:
    """Return every trigger for a database of that kind."""
    append_only = "ledger rows are append-only"
    found = [
        Trigger("ledger_entry_update", LedgerEntry, "UPDATE", append_only, _not_erasure(vendor)),
        Trigger("ledger_entry_delete", LedgerEntry, "DELETE", append_only),
        Trigger("ledger_entry_chain", LedgerEntry, "INSERT", "broken chain", _broken_chain(vendor)),
        Trigger("ledger_checkpoint_update", Checkpoint, "UPDATE", append_only),
        Trigger("ledger_checkpoint_delete", Checkpoint, "DELETE", append_only),
        Trigger("ledger_text_update", PersonalText, "UPDATE", "erase a text, do not change it"),
        Trigger(
            "ledger_head_update",
            LedgerHead,
            "UPDATE",
            "the head moves one entry at a time",
            "NEW.size <> OLD.size + 1",
        ),
        Trigger("ledger_head_delete", LedgerHead, "DELETE", append_only),
    ]
    found += _against_replace() if vendor == "sqlite" else _against_truncate()
    found += [trigger for model in _KEPT for trigger in _append_only(model, vendor)]
    return found + [trigger for frozen in _FROZEN for trigger in frozen.triggers(vendor)]


def _append_only(model: type[models.Model], vendor: str) -> list[Trigger]:
    table, message = model._meta.db_table, f"{model._meta.verbose_name} rows are append-only"
    found = [
        Trigger(f"{table}_keep_{verb.lower()}", model, verb, message)
        for verb in ("UPDATE", "DELETE", *(("TRUNCATE",) if vendor == "postgresql" else ()))
    ]
    if vendor == "sqlite":
        # Only the name of our own table.
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608
        found.append(Trigger(f"{table}_keep_replace", model, "INSERT", message, taken))
    return found


def _expected(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return the triggers of the tables that are there: another app may not be migrated yet."""
    tables = set(connection.introspection.table_names())
    return [trigger for trigger in triggers(connection.vendor) if trigger.table in tables]


def _against_replace() -> list[Trigger]:
    """INSERT OR REPLACE deletes without asking delete triggers unless a pragma is set."""
    unique = {Checkpoint: "size", PersonalText: "reference", LedgerHead: "id"}
    return [
        Trigger(
            f"ledger_{model._meta.model_name}_replace",
            model,
            "INSERT",
            "ledger rows are not replaced",
            # Only names of our own tables and columns.
            f"EXISTS (SELECT 1 FROM {model._meta.db_table} "  # noqa: S608
            f"WHERE id = NEW.id OR {column} = NEW.{column})",
        )
        for model, column in unique.items()
    ]


def _against_truncate() -> list[Trigger]:
    return [
        Trigger(f"ledger_{model._meta.model_name}_truncate", model, "TRUNCATE", "append-only")
        for model in (LedgerEntry, Checkpoint, PersonalText, LedgerHead)
    ]


def _not_erasure(vendor: str) -> str:
    """Return the condition that an update does more than erase the actor's name and its salt."""
    same = "IS" if vendor == "sqlite" else "IS NOT DISTINCT FROM"
    erasable = {"actor_name", "actor_salt"}
    columns = [field.column for field in LedgerEntry._meta.local_fields]
    kept = [f"NEW.{name} {same} OLD.{name}" for name in columns if name not in erasable]
    erased = ["NEW.actor_name = ''", "length(NEW.actor_salt) = 0"]
    return f"NOT ({' AND '.join([*kept, *erased])})"


def _broken_chain(vendor: str) -> str:
    table = LedgerEntry._meta.db_table
    zeros = GENESIS.hex()
    genesis = f"x'{zeros}'" if vendor == "sqlite" else f"decode('{zeros}', 'hex')"
    # Only the name of our own table.
    return (
        f"NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM {table}) "  # noqa: S608
        f"OR NEW.previous_hash <> COALESCE((SELECT entry_hash FROM {table} "
        f"ORDER BY seq DESC LIMIT 1), {genesis}) "
        f"OR EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
    )


def _functions(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return []
    refuse = "RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';"
    check = f"IF {_broken_chain(vendor)} THEN {refuse} END IF; RETURN NEW;"
    return [_function(REFUSE, refuse), _function(CHAIN, check)]


def _function(name: str, body: str) -> str:
    head = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
    return f"{head} AS $$ BEGIN {body} END $$"


def _is_migrated(connection: BaseDatabaseWrapper) -> bool:
    wanted = {model._meta.db_table for model in (LedgerEntry, Checkpoint, PersonalText, LedgerHead)}
    return connection.vendor in VENDORS and wanted <= set(connection.introspection.table_names())


def _present(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the triggers that are there and active, with their statements."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid)"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {str(name): str(sql) for name, sql in rows}
