"""Finding out whether the log is what was recorded, and where it first is not."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from django.db.models import Subquery
from django.db.models.functions import Coalesce

from ledger import anchors, keys, triggers
from ledger.models import Checkpoint, LedgerEntry, LedgerHead, PersonalText
from ledger.rules import entries, merkle, notes
from ledger.rules.walking import Row, Walk

CHUNK = 2000
_COLUMNS = [column.name for column in fields(Row)]
_BINARY = {"actor_salt", "body", "leaf_hash", "previous_hash", "entry_hash"}


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found; `first_bad_seq` is the entry from which on nothing is proven."""

    entries: int
    checkpoints: int
    anchored: int
    signed_size: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    first_bad_seq: int | None = None

    @property
    def ok(self) -> bool:
        """Tell whether everything that was checked holds."""
        return not self.problems

    @property
    def unsigned_tail(self) -> int:
        """Return how many entries no checkpoint covers yet."""
        return max(self.entries - self.signed_size, 0)


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint whose signature holds, and where it was found."""

    tree: notes.Tree
    source: str


class _Verification:
    """One run over the log; holds what was found so far."""

    def __init__(self) -> None:
        self.walk = Walk()
        self.problems: list[str] = []
        self.first_bad_seq: int | None = None
        self.checkpoints = 0
        self.anchored = 0
        self.signed_size = 0
        self.verifiers = keys.known_verifiers()
        # Checkpoints first: the head, read later, can only have grown beyond all of them.
        self.signed = sorted(self._signed(), key=lambda signed: signed.tree.size)
        self.head = LedgerHead.objects.first() or LedgerHead(last_hash=entries.GENESIS)

    def run(self) -> Report:
        self._walk_entries()
        if self.first_bad_seq is None:
            self._compare_head()
        self._check_beyond_head()
        self._check_texts()
        return Report(
            entries=self.walk.size,
            checkpoints=self.checkpoints,
            anchored=self.anchored,
            signed_size=self.signed_size,
            problems=tuple(self.problems),
            warnings=tuple(self._warnings()),
            first_bad_seq=self.first_bad_seq,
        )

    def _signed(self) -> Iterator[_Signed]:
        for checkpoint in Checkpoint.objects.order_by("size").iterator():
            self.checkpoints += 1
            signed = self._read(checkpoint.note, f"checkpoint {checkpoint.size}")
            if signed is not None:
                self._compare_columns(checkpoint, signed.tree)
                yield signed
        for note in anchors.read_file():
            self.anchored += 1
            signed = self._read(note, f"anchored note {self.anchored}")
            if signed is not None:
                yield signed

    def _read(self, note: str, source: str) -> _Signed | None:
        try:
            tree = notes.verify_any(note, self.verifiers)
        except ValueError as error:
            self.problems.append(f"{source}: {error}")
            return None
        if tree.origin != keys.origin():
            self.problems.append(f"{source}: it belongs to another log, {tree.origin!r}")
            return None
        return _Signed(tree, source)

    def _compare_columns(self, checkpoint: Checkpoint, tree: notes.Tree) -> None:
        if (checkpoint.size, bytes(checkpoint.root)) != (tree.size, tree.root):
            self.problems.append(f"checkpoint {checkpoint.size}: its columns differ from its note")

    def _walk_entries(self) -> None:
        waiting = iter(self.signed)
        due = next(waiting, None)
        for row in rows(self.head.size):
            if reasons := self.walk.step(row):
                self._stop(self.walk.size + 1, reasons)
                return
            while due is not None and due.tree.size <= self.walk.size:
                if problem := self.walk.check(due.tree):
                    self._stop(None, [f"{due.source}: {problem}"])
                    return
                self.signed_size = due.tree.size
                due = next(waiting, None)
        if due is not None:
            size = self.walk.size
            reason = f"{due.source} signs {due.tree.size} entries, but there are only {size}"
            self._stop(size + 1, [reason])

    def _stop(self, seq: int | None, reasons: list[str]) -> None:
        # A wrong root alone cannot tell which of the entries since the last good one it was.
        self.first_bad_seq = seq or self.signed_size + 1
        self.problems += [f"entry {seq}: {reason}" if seq else reason for reason in reasons]

    def _compare_head(self) -> None:
        compact_range = [node.hex() for node in self.walk.compact_range]
        walked = (self.walk.size, self.walk.last_hash, compact_range)
        if walked != (self.head.size, bytes(self.head.last_hash), self.head.compact_range):
            self.problems.append(
                f"the head row says {self.head.size} entries; its size, last hash or Merkle "
                f"range differ from the {self.walk.size} entries that are there"
            )

    def _check_beyond_head(self) -> None:
        """Look for entries that were inserted without moving the head."""
        # One statement, since entries appended between two would look inserted.
        size = Coalesce(Subquery(LedgerHead.objects.values("size")[:1]), 0)
        beyond = LedgerEntry.objects.filter(seq__gt=size).order_by("seq").first()
        if beyond is not None and self.first_bad_seq is None:
            self._stop(beyond.seq, ["it stands beyond the head, so it was not appended"])

    def _check_texts(self) -> None:
        for text in PersonalText.objects.iterator(chunk_size=CHUNK):
            if entries.text_reference(bytes(text.salt), text.text) != text.reference:
                self.problems.append(f"personal text {text.reference[:12]} was changed")

    def _warnings(self) -> Iterator[str]:
        if names := triggers.missing():
            yield f"the database lacks triggers: {', '.join(names)}"
        if self.walk.clock_steps_back:
            yield f"the clock went back {self.walk.clock_steps_back} times"
        if self.walk.erased_names:
            yield f"{self.walk.erased_names} entries have no actor name any more"


def verify() -> Report:
    """Check every entry, checkpoint and anchored note against each other.

    Reads only, in one pass; appends may go on meanwhile. What the database alone cannot show is
    a log that was cut back to an earlier state: that needs an anchor that remembers more.
    """
    return _Verification().run()


def root_at(size: int) -> bytes:
    """Return the root over the first `size` entries, from their stored leaf hashes."""
    leaves = LedgerEntry.objects.filter(seq__lte=size).order_by("seq")
    hashes = leaves.values_list("leaf_hash", flat=True).iterator(chunk_size=CHUNK)
    return merkle.root_of(bytes(leaf) for leaf in hashes)


def rows(size: int) -> Iterator[Row]:
    """Read the first `size` entries in order, a chunk at a time."""
    queryset = LedgerEntry.objects.filter(seq__lte=size).order_by("seq")
    for values in queryset.values(*_COLUMNS).iterator(chunk_size=CHUNK):
        # PostgreSQL answers binary columns as memoryview.
        binary = {name: bytes(values[name]) for name in _BINARY}
        yield Row(**{**values, **binary})
