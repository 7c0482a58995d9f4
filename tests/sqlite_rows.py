"""The rows of a SQLite database: what is there, what was written since, and back again."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]
State = Mapping[str, Mapping[int, Row]]
#: Written by migrations, not by tests.
NOT_OURS = {"django_migrations", "django_content_type", "auth_permission", "alembic_version"}
#: Its trigger lets it move by one entry at a time.
LEDGER_HEAD = "ledger_ledgerhead"


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that were added and rows that were changed, by table."""

    added: Mapping[str, list[Row]]
    changed: Mapping[str, list[Row]]


def state_of(database: sqlite3.Connection) -> State:
    """Return every row by table and row id; each begins with its id."""
    found = {}
    for table in _tables(database):
        # A plus before a name keeps what is stored from being read as a date or truth value.
        names = ", ".join(f"+{name}" for name in _columns(database, table))
        rows = database.execute(f'SELECT rowid, {names} FROM "{table}" ORDER BY rowid').fetchall()  # noqa: S608
        if rows:
            found[table] = {row[0]: row for row in rows}
    return found


def mark_of(state: State) -> int:
    """Return a number that two states have in common only if they hold the same."""
    return hash(tuple((table, tuple(rows.values())) for table, rows in state.items()))


def written_between(before: State, after: State) -> Written:
    """Return what was written; rows may be added and changed, not removed."""
    added: dict[str, list[Row]] = {}
    changed: dict[str, list[Row]] = {}
    for table in {**before, **after}:
        old, rows = before.get(table, {}), after.get(table, {})
        assert set(old) <= set(rows), f"a remembered fixture removed rows of {table}"
        added[table] = [row for key, row in rows.items() if key not in old]
        changed[table] = [row for key, row in rows.items() if key in old and old[key] != row]
    return Written(added, changed)


def write_again(database: sqlite3.Connection, written: Written) -> None:
    """Write the same rows into a database that is as it was before them."""
    for table, rows in written.added.items():
        if rows:
            names = ", ".join(["rowid", *_columns(database, table)])
            marks = ", ".join("?" * len(rows[0]))
            database.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608
    for table, rows in written.changed.items():
        _change(database, table, rows)


def _change(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    columns = _columns(database, table)
    sets = ", ".join(f"{name} = ?" for name in columns)
    for row in rows:
        if table == LEDGER_HEAD:
            _walk_head_to(database, size=row[1 + columns.index('"size"')])
        database.execute(f'UPDATE "{table}" SET {sets} WHERE rowid = ?', (*row[1:], row[0]))  # noqa: S608


def _walk_head_to(database: sqlite3.Connection, *, size: int) -> None:
    (now,) = database.execute(f"SELECT size FROM {LEDGER_HEAD}").fetchone()  # noqa: S608
    for _ in range(now + 1, size):
        database.execute(f"UPDATE {LEDGER_HEAD} SET size = size + 1")  # noqa: S608


def _tables(database: sqlite3.Connection) -> list[str]:
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return sorted({name for (name,) in names} - NOT_OURS)


#: Columns of a table by the statement that made it.
_KNOWN: dict[str, list[str]] = {}


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    if table not in _KNOWN:
        described = database.execute(f'PRAGMA table_info("{table}")').fetchall()
        _KNOWN[table] = [f'"{column[1]}"' for column in described]
    return _KNOWN[table]
