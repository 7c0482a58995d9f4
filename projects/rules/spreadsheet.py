"""Write tables for spreadsheets, which take text that begins like a formula for one."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

#: Beginnings that spreadsheets run as a formula, also behind white space.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as CSV; text that could run as a formula is quoted by an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([harmless(name) for name in columns])
    writer.writerows([harmless(row.get(name)) for name in columns] for row in rows)
    return file.getvalue()


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet runs; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
