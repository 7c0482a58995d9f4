"""Let fixtures write rows once per process, and bring the same rows back from then on.

A review with its sign-offs takes most of a second through the services and a few milliseconds from
memory. Rows are brought back only onto a database that holds exactly what it held when they were
written, under the same settings and from the same arguments; everything else is written anew.
PostgreSQL's sequences do not roll back, so nothing is the same twice there and nothing remembered.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django.conf import UserSettingsHolder, settings
from django.db import connection, models, transaction

from ledger.models import LedgerHead

Made = TypeVar("Made")
Row = tuple[Any, ...]
State = Mapping[str, Mapping[Any, Row]]
#: Written by migrations, not by fixtures.
NOT_OURS = {"django_migrations", "django_content_type", "auth_permission", "sqlite_sequence"}


@dataclass(frozen=True, slots=True)
class Memory:
    """What a fixture wrote and returned."""

    added: Mapping[str, list[Row]]
    changed: Mapping[str, list[Row]]
    made: Any


_memories: dict[Any, Memory] = {}


def remembered(build: Callable[..., Made]) -> Callable[..., Made]:
    """Make a fixture of rows one that is built once per process; it may add and change rows only.

    It returns a model instance, read anew each time, or None.
    """

    @functools.wraps(build)
    def recall(**arguments: Any) -> Any:
        if connection.vendor != "sqlite":
            return build(**arguments)
        before = _state()
        key = (build.__module__, build.__qualname__, *_told(arguments), _settings(), _mark(before))
        if key not in _memories:
            made = build(**arguments)
            _memories[key] = _memory(before, _state(), made)
            return made
        return _bring_back(_memories[key])

    return recall


def _told(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, _name_of(value)) for name, value in arguments.items()]


def _name_of(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value._meta.label, value.pk
    return getattr(value, "__qualname__", None) or repr(value)


def _settings() -> str:
    """Return what the test overrides; a directory counts by what is in it."""
    holder, changed = settings._wrapped, {}
    while isinstance(holder, UserSettingsHolder):
        own = {name: value for name, value in holder.__dict__.items() if name.isupper()}
        changed = {**own, **changed}
        holder = holder.default_settings
    return repr(sorted((name, _contents(value)) for name, value in changed.items()))


def _contents(value: Any) -> str:
    if not isinstance(value, Path):
        return repr(value)
    files = sorted(path for path in value.rglob("*") if path.is_file())
    return repr([(str(path.relative_to(value)), path.read_bytes()) for path in files])


def _state() -> State:
    """Return every row by table and key."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - NOT_OURS
        found = {}
        for table in sorted(tables):
            # A plus before a name keeps what is stored from being read as a date or truth value.
            names = ", ".join(f"+{name}" for name in _columns(table))
            cursor.execute(f'SELECT rowid, {names} FROM "{table}" ORDER BY rowid')  # noqa: S608
            if rows := cursor.fetchall():
                found[table] = {row[0]: row for row in rows}
        return found


def _mark(state: State) -> int:
    return hash(tuple((table, tuple(rows.values())) for table, rows in state.items()))


def _memory(before: State, after: State, made: Any) -> Memory:
    added: dict[str, list[Row]] = {}
    changed: dict[str, list[Row]] = {}
    for table in {**before, **after}:
        old, rows = before.get(table, {}), after.get(table, {})
        assert set(old) <= set(rows), f"a remembered fixture removed rows of {table}"
        added[table] = [row for key, row in rows.items() if key not in old]
        changed[table] = [row for key, row in rows.items() if key in old and old[key] != row]
    if made is not None:
        assert isinstance(made, models.Model), "a remembered fixture returns a model instance"
        made = (type(made), made.pk)
    return Memory(added, changed, made)


def _bring_back(memory: Memory) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in memory.added.items():
            _insert(cursor, table, rows)
        for table, rows in memory.changed.items():
            _update(cursor, table, rows)
    if memory.made is None:
        return None
    model, pk = memory.made
    return model._default_manager.get(pk=pk)


def _insert(cursor: Any, table: str, rows: list[Row]) -> None:
    if rows:
        names = ", ".join(["rowid", *_columns(table)])
        marks = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def _update(cursor: Any, table: str, rows: list[Row]) -> None:
    if not rows:
        return
    if table == LedgerHead._meta.db_table:
        _walk_head_to(cursor, size=rows[0][1 + _columns(table).index('"size"')])
    sets = ", ".join(f"{name} = %s" for name in _columns(table))
    values = [(*row[1:], row[0]) for row in rows]
    cursor.executemany(f'UPDATE "{table}" SET {sets} WHERE rowid = %s', values)  # noqa: S608


def _walk_head_to(cursor: Any, *, size: int) -> None:
    """Move the ledger's head to before `size`: its trigger lets it move by one entry only."""
    table = LedgerHead._meta.db_table
    cursor.execute(f"SELECT size FROM {table}")  # noqa: S608
    for _ in range(cursor.fetchone()[0] + 1, size):
        cursor.execute(f"UPDATE {table} SET size = size + 1")  # noqa: S608


@functools.cache
def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return [f'"{column.name}"' for column in described]
