"""Read CSV and JSON that people upload; every trouble names its line and what to do."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 1000


class Unreadable(ValueError):
    """The file cannot be read as what it should be; the message says where and what to do."""


def decoded(data: bytes) -> str:
    """Return an uploaded file as text.

    Raises:
        Unreadable: it is too large, empty, or no UTF-8.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(
            f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read. Split it."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"Line {line}: the byte 0x{data[error.start]:02X} at position {error.start + 1} is not "
            "UTF-8. Save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)."
        ) from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise Unreadable(f"Line {line}: the file holds a null character; it is no text.")
    if not text.strip():
        raise Unreadable("The file is empty.")
    return text


def json_of(text: str) -> object:
    """Return what JSON holds; NaN and infinity are no JSON.

    Raises:
        Unreadable: it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(f"Line {error.lineno}: this is no JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"This is no JSON that can be read: {error}.") from error


def csv_lines(text: str) -> Iterable[tuple[int, list[str]]]:
    """Yield each line that is not blank with its number; all have as many cells as the first.

    Raises:
        Unreadable: cells are missing or too many, or quotes do not match.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width, line = 0, 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise Unreadable(
                    f"Line {begins}: {len(cells)} cells, but the header names {width} columns. "
                    "Put text that holds a comma between double quotes."
                )
            yield begins, cells
    except csv.Error as error:
        raise Unreadable(
            f"Line {line}: the quotes do not match ({error}). Write a quote within a quoted cell "
            "twice."
        ) from error


def check_header(header: Sequence[str], *, needed: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a header that is parted wrongly, names a column twice or lacks a needed one."""
    if len(header) == 1:
        for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if sign in header[0]:
                raise Unreadable(
                    f"Line 1: the columns are parted by {name}; save the file with commas."
                )
    twice = sorted(name for name, count in Counter(header).items() if count > 1 and name)
    if twice:
        raise Unreadable(f"Line 1: the header names {', '.join(twice)} twice.")
    missing = [name for name in needed if name not in header]
    if missing:
        raise Unreadable(
            f"Line 1: the header lacks {' and '.join(missing)}. It may name: {', '.join(known)}."
        )


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")
