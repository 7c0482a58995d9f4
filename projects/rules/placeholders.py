"""Text in [brackets]: what a template leaves to be written. It counts as nothing written."""

from collections.abc import Iterator, Mapping
from typing import Any

from projects.rules.scope_terms import Blocker, Content


def is_placeholder(value: object) -> bool:
    """Return whether a text is guidance of a template that nobody has replaced."""
    text = value.strip() if isinstance(value, str) else ""
    return text.startswith("[") and text.endswith("]")


def written(content: Content) -> dict[str, Any]:
    """Return the content without its placeholders; a row that still holds one is no row yet."""
    return {
        name: [row for row in value if not _holds_one(row)]
        if isinstance(value, list)
        else ("" if is_placeholder(value) else value)
        for name, value in content.items()
    }


def left_in(content: Content) -> Iterator[Blocker]:
    """Yield what still has to be replaced, by field and by list."""
    for name, value in content.items():
        count = sum(map(_holds_one, value)) if isinstance(value, list) else is_placeholder(value)
        if count:
            what = f"{count} of its rows" if isinstance(value, list) else "its text"
            label = name.replace("_", " ")
            yield Blocker(
                "placeholder_left",
                f"The template's guidance still stands in “{label}”: replace the [brackets] in "
                f"{what}, or delete what does not apply.",
                name,
            )


def _holds_one(row: object) -> bool:
    return isinstance(row, Mapping) and any(map(is_placeholder, row.values()))
