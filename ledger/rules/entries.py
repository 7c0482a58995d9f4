"""What one entry says and how entries are tied together; the specification in code.

body     = canonical JSON: v, t, seq, at, event, actor, actor_name, method, subject, data
leaf     = SHA-256(0x00 || body)
entry    = SHA-256(0x02 || previous entry || leaf), the first on 32 zero bytes
name     = SHA-256(salt || text), which keeps personal words out of the hashed bytes
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.rules import canonical

TYPE = "ledger.entry"
GENESIS = bytes(32)
SALT_SIZE = 16


@dataclass(frozen=True, slots=True)
class Statement:
    """The content of one entry before it is hashed; `actor_name` is the salted reference."""

    seq: int
    at: datetime
    event: str
    actor: str
    actor_name: str
    method: str
    subject: str
    data: Mapping[str, Any]

    def body(self) -> bytes:
        """Return the canonical bytes that are hashed and stored."""
        document = {name: getattr(self, name) for name in self.__slots__}
        document |= {"v": canonical.VERSION, "t": TYPE, "at": timestamp(self.at)}
        return canonical.encode(document)


def timestamp(moment: datetime) -> str:
    """Return a moment as UTC text with microseconds, the only spelling of a time in a body."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """Tie a leaf to everything before it."""
    return hashlib.sha256(b"\x02" + previous + leaf).digest()


def text_reference(salt: bytes, text: str) -> str:
    """Return the reference under which hashed bytes may name a personal text."""
    return hashlib.sha256(salt + normal_text(text).encode()).hexdigest()


def normal_text(text: str) -> str:
    """Return text in the normal form that is hashed and stored."""
    return unicodedata.normalize("NFC", text)


def without_nulls(value: Any) -> Any:
    """Leave out keys without a value; canonical bytes have no null."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value]
    return value
