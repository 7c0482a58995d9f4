"""Walking the log from its first entry, with the memory of one entry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ledger.rules import canonical, entries, merkle, notes


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it is stored: the body, what was hashed from it, and its columns."""

    seq: int
    recorded_at: datetime
    event: str
    actor: str
    actor_name: str
    actor_salt: bytes
    method: str
    subject: str
    body: bytes
    leaf_hash: bytes
    previous_hash: bytes
    entry_hash: bytes


@dataclass(slots=True)
class Walk:
    """How far the log has been found good; the next `step` continues from here."""

    size: int = 0
    last_hash: bytes = entries.GENESIS
    compact_range: list[bytes] = field(default_factory=list)
    last_at: str = ""
    clock_steps_back: int = 0
    erased_names: int = 0

    def step(self, row: Row) -> list[str]:
        """Return what is wrong with the next entry; go over it only if nothing is."""
        problems = [*self._position(row), *_columns(row)]
        if problems:
            return problems
        at = entries.timestamp(row.recorded_at)
        self.clock_steps_back += at < self.last_at
        self.erased_names += not row.actor_salt
        self.compact_range = merkle.append(self.size, self.compact_range, row.leaf_hash)
        self.size, self.last_hash, self.last_at = row.seq, row.entry_hash, at
        return []

    def _position(self, row: Row) -> Iterator[str]:
        if row.seq != self.size + 1:
            yield f"entry {self.size + 1} is missing; the next one is {row.seq}"
        if row.leaf_hash != merkle.leaf_hash(row.body):
            yield "the leaf hash does not fit the body"
        if row.previous_hash != self.last_hash:
            yield "the previous hash is not the hash of the entry before"
        if row.entry_hash != entries.chain_hash(row.previous_hash, row.leaf_hash):
            yield "the entry hash does not fit the previous hash and the leaf hash"

    def check(self, tree: notes.Tree) -> str:
        """Return what is wrong with a checkpoint over exactly the entries walked so far."""
        if merkle.root(self.compact_range) != tree.root:
            return f"the root over {tree.size} entries is not the one that was signed"
        return ""


def _columns(row: Row) -> Iterator[str]:
    """Compare every plain column with what the hashed body says."""
    try:
        document = canonical.decode(row.body)
    except canonical.NotCanonical as error:
        yield str(error)
        return
    expected = {
        "v": canonical.VERSION,
        "t": entries.TYPE,
        "seq": row.seq,
        "at": entries.timestamp(row.recorded_at),
        "event": row.event,
        "actor": row.actor,
        "method": row.method,
        "subject": row.subject,
    }
    for name, value in expected.items():
        if document.get(name) != value:
            yield f"{name} is {value!r}, but the hashed body says {document.get(name)!r}"
    yield from _name(row, document.get("actor_name"))


def _name(row: Row, reference: object) -> Iterator[str]:
    is_erased = not row.actor_salt and not row.actor_name
    if not is_erased and entries.text_reference(row.actor_salt, row.actor_name) != reference:
        yield f"actor_name {row.actor_name!r} is not the name that was recorded"
