"""A scoping document as files: the whole as JSON, each of its lists and its fields as CSV.

A list that comes in replaces the list that is there, so a row that the file does not hold is
removed. Fields that a CSV of fields does not name stay as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.rules.changes import ROW_KEYS, by_key, row_name, same_value
from projects.rules.fates import CREATE, REMOVE, UNCHANGED, UPDATE, Fate
from projects.rules.spreadsheet import unquoted
from projects.rules.text_files import Unreadable, check_header, csv_lines, decoded, json_of

Content = Mapping[str, Any]

WHOLE, FIELDS = "document", "fields"
#: What a file may hold: the whole document, its single fields, or one of its lists.
PARTS = (WHOLE, FIELDS, *ROW_KEYS)
FIELD_COLUMNS = ("field", "value")


@dataclass(frozen=True, slots=True)
class ScopeFile:
    """What was read: lists and fields as texts or JSON values, and where each stood.

    `lines` maps the name of a field, or a list with the place of a row, to its line; JSON has none.
    """

    part: str
    content: Content
    lines: Mapping[str | tuple[str, int], int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def read(data: bytes, part: str, columns: Sequence[str]) -> ScopeFile:
    """Return what a file holds of the part; `columns` are those of the list, if it is one.

    Raises:
        Unreadable: it is no such file; the message names the line.
    """
    text = decoded(data)
    if part == WHOLE:
        found = json_of(text)
        if not isinstance(found, dict):
            raise Unreadable("The JSON must be one object: fields by name, and lists of rows.")
        return ScopeFile(part, found)
    if part == FIELDS:
        return _read_fields(text)
    return _read_list(text, part, columns)


def merged(before: Content, file: ScopeFile) -> dict[str, Any]:
    """Return the content that the document has after the file was taken in."""
    return dict(file.content) if file.part == WHOLE else {**before, **file.content}


def fates_of(before: Content, after: Content, file: ScopeFile) -> list[Fate]:
    """Return what became of each field and row, in the order of the file; the removed come last.

    `before` and `after` are contents as the document writes them out.
    """
    names = [name for name in file.content if name not in ROW_KEYS and name in after]
    fates = [_fate_of_field(name, before, after, file) for name in names]
    if file.part == WHOLE:
        gone = [n for n in after if n not in ROW_KEYS and n not in names]
        fates += [_removed_field(n) for n in gone if not same_value(before.get(n), after[n])]
    lists = [n for n in ROW_KEYS if n in file.content or (file.part == WHOLE and before.get(n))]
    for name in lists:
        fates += _fates_of_list(name, before, after, file)
    return fates


def _read_fields(text: str) -> ScopeFile:
    (_, header), *lines = csv_lines(text)
    header = [name.strip() for name in header]
    check_header(header, needed=FIELD_COLUMNS, known=FIELD_COLUMNS)
    content: dict[str, str] = {}
    places: dict[str | tuple[str, int], int] = {}
    for line, cells in lines:
        row = dict(zip(header, map(unquoted, cells), strict=True))
        name = row["field"].strip()
        if name in content:
            raise Unreadable(f"Line {line}: the field {name} stands on line {places[name]} too.")
        content[name], places[name] = row["value"], line
    unknown = tuple(name for name in header if name not in FIELD_COLUMNS)
    return ScopeFile(FIELDS, content, places, unknown)


def _read_list(text: str, part: str, columns: Sequence[str]) -> ScopeFile:
    (_, header), *lines = csv_lines(text)
    header = [name.strip() for name in header]
    check_header(header, needed=ROW_KEYS[part], known=columns)
    rows = [
        {name: cell for name, cell in zip(header, map(unquoted, cells), strict=True)
         if name in columns}
        for _, cells in lines
    ]  # fmt: skip
    places: dict[str | tuple[str, int], int] = {
        (part, place): line for place, (line, _) in enumerate(lines)
    }
    unknown = tuple(name for name in header if name and name not in columns)
    return ScopeFile(part, {part: rows}, places, unknown)


def _fate_of_field(name: str, before: Content, after: Content, file: ScopeFile) -> Fate:
    fate = Fate(file.lines.get(name, 0), FIELDS, name)
    if not same_value(before.get(name), after[name]):
        fate.fate = CREATE if _is_empty(before.get(name)) else UPDATE
    return fate


def _removed_field(name: str) -> Fate:
    return Fate(0, FIELDS, name, REMOVE)


def _fates_of_list(name: str, before: Content, after: Content, file: ScopeFile) -> list[Fate]:
    given: Iterable[Any] = file.content.get(name) or ()
    rows = [row for row in given if isinstance(row, Mapping)]
    old, new = by_key(name, before.get(name) or ()), by_key(name, after.get(name) or ())
    keys = by_key(name, rows)
    fates = []
    for place, key in enumerate(keys):
        fate = Fate(file.lines.get((name, place), place + 1), name, key[0])
        was, now = old.get(key), new.get(key)
        if was is None:
            fate.fate = CREATE
        elif now is not None:
            fate.changes = [n for n in now if not same_value(was.get(n), now[n])]
            fate.fate = UPDATE if fate.changes else UNCHANGED
        fates.append(fate)
    return fates + [Fate(0, name, key[0], REMOVE) for key in old if key not in keys]


def title_of(name: str, row: Any) -> str:
    """Return a row's name, also where the row is no object."""
    return row_name(name, row) if isinstance(row, Mapping) else "(unnamed)"


def _is_empty(value: object) -> bool:
    return value in (None, "", [], {})
