"""Reading and writing backlogs as CSV and JSON; pure, and every trouble names its line."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.rules.spreadsheet import csv_text, unquoted
from projects.rules.text_files import (
    MOST_ROWS,
    Unreadable,
    check_header,
    csv_lines,
    decoded,
    json_of,
)

COLUMNS = (
    "key", "kind", "title", "description", "status", "outcome", "conclusion", "sprint", "parent",
    "assignee", "points", "hours", "due_on", "metric_key", "expected_effect", "time_box_hours",
    "depends_on", "details",
)  # fmt: skip
#: Written for the reader; no import sets them, because commands of their own do.
TOLD_ONLY = ("status", "outcome", "conclusion")

#: Jira's columns and ours; a column that Jira repeats is joined.
JIRA: Mapping[str, str] = {
    "Issue key": "key",
    "Summary": "title",
    "Issue Type": "kind",
    "Status": "status",
    "Story Points": "points",
    "Custom field (Story Points)": "points",
    "Custom field (Story point estimate)": "points",
    "Sprint": "sprint",
    "Assignee": "assignee",
    "Parent key": "parent",
    "Custom field (Epic Link)": "parent",
    "Epic Link": "parent",
    "Parent": "parent",
    "Description": "description",
    "Due date": "due_on",
    "Due Date": "due_on",
    "Inward issue link (Blocks)": "depends_on",
}
#: Read and kept as a line below the description.
JIRA_REMARKS = ("Priority", "Labels", "Created")
JIRA_KINDS: Mapping[str, str] = {
    "epic": "epic", "story": "story", "task": "task", "sub-task": "task", "subtask": "task",
    "bug": "bug", "spike": "spike", "improvement": "story", "new feature": "story",
    "experiment": "experiment", "hypothesis": "hypothesis",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One item as a file tells it; `number` is its line, or its place in a JSON list."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """What was read: the rows, and the columns that mean nothing here."""

    rows: tuple[Row, ...]
    columns: frozenset[str]
    unknown: tuple[str, ...] = ()
    shape: str = "csv"


def read(data: bytes) -> Table:
    """Return what a file holds: our CSV, our JSON, or Jira's CSV.

    Raises:
        Unreadable: it is too large, or is none of these.
    """
    text = decoded(data)
    table = _read_json(text) if text.lstrip()[0] in "[{" else _read_csv(text)
    if len(table.rows) > MOST_ROWS:
        raise Unreadable(f"The file has {len(table.rows)} rows; at most {MOST_ROWS} are read.")
    return table


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> str:
    """Return the rows as CSV that no spreadsheet runs and `read` takes back unchanged."""
    return csv_text(columns, rows)


def write_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as a JSON document."""
    return json.dumps({"work_items": list(rows)}, ensure_ascii=False, indent=2) + "\n"


def keys_in(text: object) -> list[str]:
    """Return the keys that a cell lists, parted by commas, semicolons or white space."""
    if isinstance(text, list):
        return [str(one).strip() for one in text if str(one).strip()]
    return str(text or "").replace(",", " ").replace(";", " ").split()


def _read_json(text: str) -> Table:
    found = json_of(text)
    rows = found.get("work_items") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("The JSON must be a list of work items, or hold one as work_items.")
    columns = frozenset(name for row in rows for name in row)
    unknown = tuple(sorted(columns - set(COLUMNS)))
    kept = tuple(
        Row(place, {name: value for name, value in row.items() if name in COLUMNS})
        for place, row in enumerate(rows, start=1)
    )
    return Table(kept, columns & set(COLUMNS), unknown, "json")


def _read_csv(text: str) -> Table:
    lines = list(csv_lines(text))
    _, header = lines[0]
    header = [name.strip() for name in header]
    if "Summary" in header and "Issue Type" in header:
        return _jira(header, lines[1:])
    check_header(header, needed=("kind", "title"), known=COLUMNS)
    unknown = tuple(name for name in header if name and name not in COLUMNS)
    rows = tuple(
        Row(line, {n: unquoted(c) for n, c in zip(header, cells, strict=True) if n in COLUMNS})
        for line, cells in lines[1:]
    )
    return Table(rows, frozenset(header) & set(COLUMNS), unknown)


def _jira(header: Sequence[str], lines: Iterable[tuple[int, Sequence[str]]]) -> Table:
    rows = []
    for line, cells in lines:
        values: dict[str, Any] = {}
        remarks: dict[str, list[str]] = {}
        for name, cell in zip(header, map(unquoted, cells), strict=True):
            text = cell.strip()
            if name in JIRA and text:
                _take_jira(values, JIRA[name], text)
            elif name in JIRA_REMARKS and text:
                remarks.setdefault(name, []).append(text)
        values["kind"] = JIRA_KINDS.get(str(values.get("kind", "")).lower(), values.get("kind", ""))
        if remarks:
            told = "\n".join(f"{name}: {', '.join(texts)}" for name, texts in remarks.items())
            values["description"] = f"{values.get('description', '')}\n\n{told}".strip()
        rows.append(Row(line, values))
    columns = frozenset(JIRA[name] for name in header if name in JIRA) | {"description"}
    known = {*JIRA, *JIRA_REMARKS}
    unknown = tuple(dict.fromkeys(name for name in header if name and name not in known))
    return Table(tuple(rows), columns, unknown, "jira")


def _take_jira(values: dict[str, Any], name: str, text: str) -> None:
    if name == "depends_on":
        values[name] = f"{values.get(name, '')} {text}".strip()
    elif name == "points":
        values.setdefault(name, text.removesuffix(".0"))
    elif name == "sprint":
        values[name] = text  # Of several sprints, the last one is where the issue is now.
    else:
        values.setdefault(name, text)
