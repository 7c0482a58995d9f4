"""The head of the log: locking it, moving it on, signing it."""

from django.db import transaction

from ledger import anchors, keys
from ledger.errors import BrokenHead
from ledger.models import Checkpoint, LedgerHead
from ledger.rules import entries, merkle, notes


def lock_head() -> LedgerHead:
    """Return the head, which no other transaction can move until this one ends.

    On PostgreSQL the row is locked; on SQLite the transaction, being IMMEDIATE, already holds the
    only write lock.
    """
    head, _ = LedgerHead.objects.select_for_update().get_or_create(
        pk=1, defaults={"last_hash": entries.GENESIS}
    )
    return head


def advance_head(head: LedgerHead, entry_hash: bytes, leaf: bytes) -> None:
    """Move the head over one more entry."""
    nodes = [bytes.fromhex(node) for node in head.compact_range]
    compact_range = [node.hex() for node in merkle.append(head.size, nodes, leaf)]
    moved = LedgerHead.objects.filter(pk=head.pk, size=head.size).update(
        size=head.size + 1, last_hash=entry_hash, compact_range=compact_range
    )
    if moved != 1:
        raise BrokenHead(f"the head moved away from {head.size} while it was locked")


@transaction.atomic
def checkpoint() -> Checkpoint | None:
    """Sign the tree as it stands and hand the note to the anchors once it is committed.

    Returns the one that exists when nothing was appended since, and None for an empty ledger.
    """
    head = lock_head()
    if head.size == 0:
        return None
    if existing := Checkpoint.objects.filter(size=head.size).first():
        return existing
    root = merkle.root([bytes.fromhex(node) for node in head.compact_range])
    note = keys.signer().sign(notes.Tree(keys.origin(), head.size, root))
    made = Checkpoint.objects.create(size=head.size, root=root, note=note)
    transaction.on_commit(lambda: anchors.publish(note), robust=True)
    return made
