"""Let fixtures write rows once per process, and bring the same rows back from then on.

A review with its sign-offs takes most of a second through the services and a few milliseconds from
memory. Rows are brought back only onto a database that holds exactly what it held when they were
written, under the same settings and from the same arguments; everything else is written anew.
PostgreSQL's sequences do not roll back, so nothing is the same twice there and nothing remembered.
"""

import functools
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from django.conf import UserSettingsHolder, settings
from django.db import connection, models, transaction

from tests.sqlite_rows import Written, mark_of, state_of, write_again, written_between

Made = TypeVar("Made")
_memories: dict[Any, tuple[Written, Any]] = {}


def remembered(build: Callable[..., Made]) -> Callable[..., Made]:
    """Make a fixture of rows one that is built once per process; it may add and change rows only.

    It returns a model instance, read anew each time, or None.
    """

    @functools.wraps(build)
    def recall(**arguments: Any) -> Any:
        if connection.vendor != "sqlite":
            return build(**arguments)
        before = state_of(database())
        key = (*named(build), *_told(arguments), mark_of(before))
        if key not in _memories:
            made = build(**arguments)
            _memories[key] = written_between(before, state_of(database())), _kept(made)
            return made
        written, kept = _memories[key]
        with transaction.atomic():
            write_again(database(), written)
        return _read(kept)

    return recall


def database() -> sqlite3.Connection:
    """Return the connection of the running test to its SQLite database."""
    connection.ensure_connection()
    return cast("sqlite3.Connection", connection.connection)


def named(build: Callable[..., Any]) -> tuple[str, ...]:
    """Return which fixture it is, under which settings."""
    return build.__module__, build.__qualname__, _settings()


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


def _kept(made: Any) -> Any:
    assert made is None or isinstance(made, models.Model), "only a model instance is remembered"
    return None if made is None else (type(made), made.pk)


def _read(kept: Any) -> Any:
    if kept is None:
        return None
    model, pk = kept
    return model._default_manager.get(pk=pk)
