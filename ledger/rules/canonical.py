"""Canonical JSON: one value has one spelling, so that hashing its bytes is hashing its meaning.

Keys are sorted by code point, text is NFC, there is no white space, integers stay below 2^53,
and floats and nulls do not exist. Verifiers hash the stored bytes and never serialise again.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

VERSION = 1
MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
#: Integers from here on are not exact in every JSON reader.
INTEGER_LIMIT = 2**53
_FORM: dict[str, Any] = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}


class NotCanonical(ValueError):
    """The value has no canonical form, or the bytes are not it."""


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a document that carries its version `v` and type `t`.

    Raises:
        NotCanonical: naming the path of the value that cannot be written and what to do.
    """
    if type(document.get("v")) is not int or not isinstance(document.get("t"), str):
        raise NotCanonical("a document needs an integer `v` (version) and a text `t` (type)")
    data = dumps(document).encode()
    if len(data) > MAX_BYTES:
        raise NotCanonical(
            f"the document has {len(data)} bytes, more than {MAX_BYTES}; "
            "store the material elsewhere and record its digest"
        )
    return data


def dumps(value: Any) -> str:
    """Return the canonical text of any permitted value."""
    return json.dumps(_normal(value, "$", 0), **_FORM)


def decode(data: bytes) -> dict[str, Any]:
    """Read canonical bytes back, refusing other spellings of the same object."""
    try:
        document = json.loads(data, parse_float=_refuse_float, parse_constant=_refuse_float)
        text = json.dumps(document, **_FORM)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"the body is not canonical JSON: {error}") from error
    if not isinstance(document, dict) or text.encode(errors="replace") != data:
        raise NotCanonical("the body is not in canonical form")
    return document


def _refuse_float(text: str) -> float:
    raise ValueError(f"{text} is a float")


def _normal(value: Any, path: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"{path}: nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, Mapping):
        return _object(value, path, depth)
    if isinstance(value, list | tuple):
        return [_normal(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(value)]
    if isinstance(value, float):
        raise NotCanonical(f"{path}: floats have no exact text; pass decimal_text(value)")
    raise NotCanonical(f"{path}: {type(value).__name__} cannot be recorded; pass text")


def _text(value: str, path: str) -> str:
    text = unicodedata.normalize("NFC", value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(f"{path}: the text holds half a surrogate pair") from error
    return text


def _integer(value: int, path: str) -> int:
    if abs(value) >= INTEGER_LIMIT:
        raise NotCanonical(f"{path}: {value} is beyond 2^53; pass it as text")
    return int(value)


def _object(value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical(f"{path}: key {key!r} is not text")
        name = _text(key, path)
        if name in result:
            raise NotCanonical(f"{path}: key {name!r} appears twice")
        result[name] = _normal(item, f"{path}.{name}", depth + 1)
    return result
