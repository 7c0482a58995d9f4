"""Recording an act in the same transaction as the change."""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from numbers import Integral
from typing import Any, Protocol, SupportsFloat

from django.db import connection, transaction
from django.utils import timezone

from ledger import registry
from ledger.errors import OutsideTransaction
from ledger.models import NAME_LENGTH, LedgerEntry, LedgerHead
from ledger.rules import entries, merkle
from ledger.services import checkpoints


class ActorLike(Protocol):
    """Who acts, as far as the ledger needs to know."""

    @property
    def ref(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...


def append(
    event: str, *, subject: str, actor: ActorLike, data: Mapping[str, Any] | None = None
) -> LedgerEntry:
    """Record that `actor` did `event` to `subject`, such as `sprint:12`.

    Call it inside the transaction of the change, after the change; from here to the commit no one
    else can append. `data` holds text, integers, booleans, lists and objects: pass numbers with a
    fraction through `decimal_text` and personal words through `remember_personal_text`. Keys whose
    value is None are left out.

    Raises:
        UnknownEvent: the event is not registered.
        OutsideTransaction: there is no transaction to share.
        NotCanonical: `data` holds something that has no canonical form.
    """
    kind = registry.find(event)
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"append {event!r} inside the transaction of the change")
    head = checkpoints.lock_head()
    salt = secrets.token_bytes(entries.SALT_SIZE)
    # First and last names of Django together may be longer than the column.
    name = entries.normal_text(actor.name)[:NAME_LENGTH]
    statement = entries.Statement(
        seq=head.size + 1,
        at=timezone.now(),
        event=event,
        actor=actor.ref,
        actor_name=entries.text_reference(salt, name),
        method=actor.method,
        subject=subject,
        data=entries.without_nulls(data or {}),
    )
    entry = _insert(head, statement, salt, name)
    if kind.checkpoint:
        checkpoints.checkpoint()
    return entry


def _insert(head: LedgerHead, statement: entries.Statement, salt: bytes, name: str) -> LedgerEntry:
    body = statement.body()
    leaf = merkle.leaf_hash(body)
    previous = bytes(head.last_hash)
    entry = LedgerEntry(
        seq=statement.seq,
        recorded_at=statement.at,
        event=statement.event,
        actor=statement.actor,
        actor_name=name,
        actor_salt=salt,
        method=statement.method,
        subject=statement.subject,
        body=body,
        leaf_hash=leaf,
        previous_hash=previous,
        entry_hash=entries.chain_hash(previous, leaf),
    )
    # The savepoint keeps a refused entry from moving the head inside a larger transaction.
    with transaction.atomic():
        entry.save(force_insert=True)
        checkpoints.advance_head(head, entries.chain_hash(previous, leaf), leaf)
    return entry


def decimal_text(value: SupportsFloat) -> str:
    """Return a number as the shortest text that reads back as the same number.

    What is not a number or not finite becomes `NaN`, `Infinity` or `-Infinity`.
    """
    if isinstance(value, Integral):
        return str(int(value))
    text = str(value if isinstance(value, Decimal) else float(value))
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
