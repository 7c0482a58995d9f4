"""Checks of data: the datasheet, and columns that nobody knows when a prediction is made."""

from typing import Any

from governance.rules.checks import CheckContext, CheckOutcome, Source, failed, missing, passed
from governance.rules.params import Names
from governance.rules.registry import Params, check

DATASHEET_SECTIONS = (
    "motivation",
    "composition",
    "collection",
    "preprocessing",
    "uses",
    "distribution",
    "maintenance",
)


@check("datasheet_complete", sections=Names())
def datasheet_complete(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when every section of the datasheet and its columns are filled in."""
    sheet = context.attributes.get("datasheet") or {}
    sections = list(params.get("sections") or DATASHEET_SECTIONS)
    absent = [name for name in sections if not is_filled(sheet.get(name))]
    if not is_filled(sheet.get("columns")):
        absent.append("columns")
    source = Source(context.subject_ref, context.bindings.get("datasheet", ""))
    if absent:
        message = f"The datasheet lacks: {', '.join(absent)}."
        return missing(message, source, sections=sections, absent=absent)
    message = f"The datasheet has all {len(sections)} sections and its columns."
    return passed(message, source, sections=sections, absent=[])


def is_filled(value: Any) -> bool:
    """Return whether a section says something."""
    return bool(value.strip() if isinstance(value, str) else value)


@check("leaks_excluded")
def leaks_excluded(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when datasheet and scope agree on the columns unknown at prediction, unused all."""
    if "leaks" not in context.attributes:
        return missing(
            "Nobody said which columns are known when a prediction is made.", context.subject
        )
    leaks = [str(name) for name in context.attributes["leaks"] or ()]
    if context.scope is None:
        return missing("Without an approved scope nobody said which columns are used.")
    sources = (context.subject, context.scope.source)
    notes = {str(note["column"]): note for note in context.scope.content.get("feature_notes") or ()}
    if used := [name for name in leaks if notes.get(name, {}).get("is_used")]:
        message = f"The scope uses {', '.join(used)}, unknown when a prediction is made."
        return failed(message, *sources, leaks=leaks, columns=used)
    if unmarked := _unmarked(notes, leaks):
        return failed(
            f"The scope says that {', '.join(unmarked)} is unknown when a prediction is made; "
            "the datasheet does not mark it.",
            *sources,
            leaks=leaks,
            columns=unmarked,
        )
    if not leaks:
        return passed("Every column is known when a prediction is made.", *sources, leaks=[])
    message = f"Marked as unknown at prediction and left out: {', '.join(leaks)}."
    return passed(message, *sources, leaks=leaks)


def _unmarked(notes: dict[str, Any], leaks: list[str]) -> list[str]:
    """Return the columns that the scope calls unknown and the datasheet does not."""
    return sorted(
        name
        for name, note in notes.items()
        if not note.get("is_known_at_prediction") and name not in leaks
    )
