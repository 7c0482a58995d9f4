"""Digests of what a sign-off binds."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a JSON value in one spelling: sorted keys, no white space, UTF-8.

    Raises:
        ValueError: the value holds a number that is not finite.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def bindings_digest(bindings: Mapping[str, str]) -> str:
    """Return the digest of a whole mapping from part to digest."""
    return digest_of(dict(bindings))


def same_numbers(value: Any) -> Any:
    """Return a JSON value with each number in the one form that survives every database.

    PostgreSQL gives back 1e16 as a whole number and -0.0 as 0.0; SQLite gives back what it got.
    """
    if isinstance(value, Mapping):
        return {str(key): same_numbers(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [same_numbers(part) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) + 0.0
    return value


def digest_of_set(digests: Iterable[str]) -> str:
    """Return one digest for a set of digests, whatever their order."""
    return digest_of(sorted(digests))
