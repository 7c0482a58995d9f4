"""Scoping documents in and out of files; what an import would do is shown first, and then done."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.db import models, transaction

from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.models import Project, ScopingDocument
from projects.rules import scope_files
from projects.rules.changes import ROW_KEYS
from projects.rules.fates import REFUSED, Fate, Import
from projects.rules.scope_files import FIELD_COLUMNS, FIELDS, PARTS, WHOLE, ScopeFile
from projects.rules.spreadsheet import csv_text
from projects.rules.text_files import Unreadable
from projects.services.content import CHILDREN, Content, content_of, fields_of
from projects.services.scoping import write_draft

JSON_TYPE, CSV_TYPE = "application/json", "text/csv; charset=utf-8"
_ROW = re.compile(r"(?P<list>\w+)\[(?P<place>\d+)\](?:\.(?P<field>\w+))?$")
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes: into an open draft, or into the project's next version."""

    project: Project
    document: ScopingDocument | None = None
    part: str = WHOLE


@dataclass(frozen=True, slots=True)
class Export:
    """A part of a document as a file."""

    text: str
    name: str
    media_type: str


def export_scope(document: ScopingDocument, part: str = WHOLE) -> Export:
    """Return a document, its fields or one of its lists, such as an import takes back.

    Raises:
        InvalidInput: code `unknown_part`.
    """
    _require_part(part)
    content = document.snapshot or content_of(document)
    name = f"{document.project.slug}-scope-v{document.version}"
    if part == WHOLE:
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        return Export(text, f"{name}.json", JSON_TYPE)
    if part == FIELDS:
        rows: Iterable[Mapping[str, Any]] = (
            {"field": field.name, "value": content.get(field.name)}
            for field in fields_of(ScopingDocument)
        )
        return Export(csv_text(FIELD_COLUMNS, rows), f"{name}-fields.csv", CSV_TYPE)
    columns = columns_of(part)
    return Export(csv_text(columns, content.get(part) or ()), f"{name}-{part}.csv", CSV_TYPE)


def dry_run(target: Target, data: bytes, *, actor: Actor) -> Import:
    """Return what an import of the file would do; nothing is written.

    The file goes through the very command of an import, in a transaction that is taken back.

    Raises:
        InvalidInput: code `unreadable_file` or `unknown_part`; the message names the line.
        InvalidTransition: code `scope_not_draft`.
    """
    file = _read(target, data, actor=actor)
    # The caller's document keeps the version that it was read at.
    tried = replace(target, document=copy(target.document))
    with transaction.atomic():
        fates, _ = _take(tried, file, actor=actor)
        transaction.set_rollback(True)
    return Import(tuple(fates), file.unknown, target.part, _digest(data))


@transaction.atomic
def import_scope(target: Target, data: bytes, *, actor: Actor) -> tuple[Import, ScopingDocument]:
    """Write what a file holds into a draft, or into the project's next version.

    Raises:
        InvalidInput: code `unreadable_file` or `unknown_part`; the message names the line.
        InvalidTransition: code `scope_not_draft`.
        RuleViolated: code `import_refused`; a field or a row is refused. Nothing is written.
        StaleState: somebody else saved the draft first.
    """
    file = _read(target, data, actor=actor)
    fates, draft = _take(target, file, actor=actor)
    found = Import(tuple(fates), file.unknown, target.part, _digest(data), is_done=True)
    if draft is None:
        raise RuleViolated(
            f"{found.counts[REFUSED]} of {len(found.fates)} rows are refused, so nothing was "
            "imported.",
            code="import_refused",
            reasons=found.reasons[:100],
            details={"counts": found.counts},
        )
    return found, draft


def columns_of(part: str) -> tuple[str, ...]:
    """Return the columns of a list's CSV."""
    return tuple(field.name for field in fields_of(CHILDREN[part][0]))


def _read(target: Target, data: bytes, *, actor: Actor) -> ScopeFile:
    access.require(actor, "scope.write", target.project)
    _require_part(target.part)
    columns = columns_of(target.part) if target.part in CHILDREN else ()
    try:
        file = scope_files.read(data, target.part, columns)
    except Unreadable as error:
        raise InvalidInput(str(error), code="unreadable_file") from error
    if target.part == WHOLE:
        return file
    return ScopeFile(file.part, _typed_content(file), file.lines, file.unknown)


def _take(
    target: Target, file: ScopeFile, *, actor: Actor
) -> tuple[list[Fate], ScopingDocument | None]:
    before: Content = content_of(target.document) if target.document else {}
    after = scope_files.merged(before, file)
    try:
        with transaction.atomic():
            draft = write_draft(
                target.project, actor=actor, content=after, document=target.document
            )
    except InvalidInput as error:
        if error.code != "invalid_scope":
            raise
        return _refused(scope_files.fates_of(before, after, file), error, file), None
    return scope_files.fates_of(before, content_of(draft), file), draft


def _refused(fates: list[Fate], error: InvalidInput, file: ScopeFile) -> list[Fate]:
    """Put each wrong field on the fate of its row, or on one of its own where there is none."""
    found = {(fate.key, fate.number): fate for fate in fates}
    for problem in error.details["errors"]:
        key, number, title, name = _place(problem["field"], file)
        fate = found.get((key, number))
        if fate is None or (key == FIELDS and fate.title != title):
            fate = next((one for one in fates if (one.key, one.title) == (key, title)), None)
        if fate is None:
            fate = Fate(number, key, title)
            fates.append(fate)
            found[key, number] = fate
        fate.refuse(name, problem["message"])
    return fates


def _place(path: str, file: ScopeFile) -> tuple[str, int, str, str]:
    """Return the part, line, title and field that a path such as `criteria[0].key` names."""
    match = _ROW.match(path)
    if match is not None:
        name, place = match["list"], int(match["place"])
        rows = file.content.get(name)
        row = rows[place] if isinstance(rows, list) and place < len(rows) else None
        number = file.lines.get((name, place), place + 1)
        return name, number, scope_files.title_of(name, row), match["field"] or "row"
    name, _, rest = path.partition(".")
    if name in ROW_KEYS:
        return name, 0, "(list)", rest or "list"
    return FIELDS, file.lines.get(name, 0), name, name


def _typed_content(file: ScopeFile) -> Content:
    """Return a CSV's cells as the values that JSON would hold."""
    if file.part == FIELDS:
        known = {field.name: field for field in fields_of(ScopingDocument)}
        return {
            name: _typed(known[name], cell) if name in known else cell
            for name, cell in file.content.items()
        }
    fields = {field.name: field for field in fields_of(CHILDREN[file.part][0])}
    rows = file.content[file.part]
    return {file.part: [{n: _typed(fields[n], cell) for n, cell in row.items()} for row in rows]}


def _typed(field: "models.Field[Any, Any]", cell: str) -> object:
    """Return a cell as its field takes it; one that does not fit stays text, to be named."""
    text = cell.strip()
    if isinstance(field, models.CharField | models.TextField):
        return text
    convert = next((reads for kind, reads in _CELLS if isinstance(field, kind)), str)
    try:
        return convert(text) if text else None
    except ValueError:
        return text


def _flag(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError(text)
    return text.lower() in _YES


def _json(text: str) -> object:
    return json.loads(text) if text[0] in "[{" else text.split()


#: How cells are read by the kind of their field; dates, amounts and people stay texts.
_CELLS: "tuple[tuple[type[models.Field[Any, Any]], Callable[[str], object]], ...]" = (
    (models.BooleanField, _flag),
    (models.JSONField, _json),
    (models.FloatField, float),
    (models.IntegerField, int),
)


def _require_part(part: str) -> None:
    if part not in PARTS:
        raise InvalidInput(
            f"A document has no part {part!r}; there are: {', '.join(PARTS)}.", code="unknown_part"
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
