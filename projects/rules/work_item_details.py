"""Reading what was typed into a kind's own fields; pure, and every wrong field is named."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from projects.rules.work_item_kinds import FIELDS, SIZE_WORDS, SIZED_BY, Field

LONGEST = {"text": 300, "list": 300, "long_text": 20_000, "person": 150, "run": 100, "dataset": 60}
MOST_IN_A_LIST = 50
_DATASET = re.compile(r"dataset_version:[1-9]\d*")
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})

Errors = dict[str, list[str]]


class Unreadable(ValueError):
    """The value is not of the field's type; the message says what is expected."""


def read_details(kind: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], Errors]:
    """Return the readable values by name, empty ones left out, and what is wrong by field."""
    own = {one.name: one for one in FIELDS[kind] if not one.is_column}
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name, raw in given.items():
        if name not in own:
            errors[name] = [_unknown(kind, own)]
            continue
        try:
            value = read_value(own[name], raw)
        except Unreadable as error:
            errors[name] = [str(error)]
            continue
        if not is_empty(value):
            values[name] = value
    return values, errors


def is_empty(value: object) -> bool:
    """Tell whether a field was left open; zero and no are answers."""
    return value is None or value in ("", [], {})


def size_errors(kind: str, sizes: Mapping[str, object]) -> Errors:
    """Return which of `points`, `hours` and `time_box_hours` do not size this kind."""
    return {
        name: [f"An item of kind {kind} is sized by {SIZE_WORDS.get(kind, 'points or hours')}."]
        for name, value in sizes.items()
        if value is not None and name not in SIZED_BY[kind]
    }


def read_value(field: Field, raw: object) -> Any:
    """Return the value as the field keeps it.

    Raises:
        Unreadable: it is of another type, too long, or none of the choices.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    return _READERS[field.type](field, raw)


def _text(field: Field, raw: object) -> str:
    if not isinstance(raw, str):
        raise Unreadable("Write text.")
    text = raw.strip()
    # A null character and half of a surrogate pair fit into no database.
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Unreadable("The text holds a character that cannot be stored.")
    if len(text) > LONGEST[field.type]:
        raise Unreadable(f"At most {LONGEST[field.type]} characters; it has {len(text)}.")
    return text


def _dataset(field: Field, raw: object) -> str:
    text = _text(field, raw)
    if not _DATASET.fullmatch(text):
        raise Unreadable("Name a dataset version as dataset_version: and its number.")
    return text


def _number(field: Field, raw: object) -> float:
    try:
        number = float(raw) if isinstance(raw, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(raw, bool) or not math.isfinite(number):
        raise Unreadable("Write a number.")
    if field.least is not None and number < field.least:
        raise Unreadable(f"At least {field.least:g}.")
    return number


def _choice(field: Field, raw: object) -> str:
    values = [value for value, _ in field.choices]
    if raw not in values:
        raise Unreadable(f"Choose one of {', '.join(values)}.")
    return str(raw)


def _list(field: Field, raw: object) -> list[str]:
    parts = re.split(r"[\n,]", raw) if isinstance(raw, str) else raw
    if not isinstance(parts, list):
        raise Unreadable("Write a list of texts.")
    texts = list(dict.fromkeys(text for part in parts if (text := _text(field, part))))
    if len(texts) > MOST_IN_A_LIST:
        raise Unreadable(f"At most {MOST_IN_A_LIST} entries.")
    return texts


def _yes_no(_field: Field, raw: object) -> bool:
    word = str(raw).strip().lower()
    if word not in _YES | _NO:
        raise Unreadable("Answer yes or no.")
    return word in _YES


def _item(_field: Field, raw: object) -> int:
    text = str(raw).strip().removeprefix("work_item:")
    if isinstance(raw, bool) or not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise Unreadable("Give the number of a work item.")
    return int(text)


_READERS: Mapping[str, Callable[[Field, object], Any]] = {
    "text": _text,
    "long_text": _text,
    "person": _text,
    "run": _text,
    "dataset": _dataset,
    "number": _number,
    "choice": _choice,
    "list": _list,
    "yes_no": _yes_no,
    "item": _item,
}


def _unknown(kind: str, own: Mapping[str, Field]) -> str:
    known = ", ".join(own) or "none"
    return f"An item of kind {kind} has no such field; its own fields are: {known}."
