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


def digest_of_set(digests: Iterable[str]) -> str:
    """Return one digest for a set of digests, whatever their order."""
    return digest_of(sorted(digests))
