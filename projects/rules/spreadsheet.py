"""Write tables for spreadsheets, which take text that begins like a formula for one."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Beginnings that spreadsheets run as a formula, also behind white space.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
#: Beginnings that are written behind an apostrophe, so that what is read back is what was there.
_QUOTED = (*FORMULA, "'")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as CSV that no spreadsheet runs; numbers stay numbers."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([quoted(name) for name in columns])
    writer.writerows([cell_of(row.get(name)) for name in columns] for row in rows)
    return file.getvalue()


def cell_of(value: object) -> object:
    """Return a value as a cell: lists of keys part by blanks, objects and other lists as JSON."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and not any(" " in str(one) for one in value):
        return quoted(" ".join(map(str, value)))
    if isinstance(value, list | dict):
        return quoted(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return quoted(str(value))


def quoted(text: str) -> str:
    """Return a cell behind an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_QUOTED) else text


def unquoted(cell: str) -> str:
    """Return what `quoted` was given; other cells stay as they are."""
    is_quoted = cell.startswith("'") and cell[1:].lstrip(" ").startswith(_QUOTED)
    return cell[1:] if is_quoted else cell
