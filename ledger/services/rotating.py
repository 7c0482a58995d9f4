"""Replacing the signing key."""

from dataclasses import dataclass

from django.db import transaction

from ledger import keys
from ledger.rules.notes import Verifier
from ledger.services.appending import append
from ledger.services.checkpoints import checkpoint


@dataclass(frozen=True, slots=True)
class _KeyKeeper:
    """Whoever may run commands on the host; nobody else can reach the key file."""

    ref: str = "system:ledger_key"
    name: str = "ledger_key"
    method: str = "system"


def rotate_key() -> tuple[Verifier, Verifier]:
    """Sign what is there with the old key, replace it, and record both public keys.

    The next checkpoint bears the new key's signature. Pinned copies of the public key must be
    replaced by both lines, as earlier checkpoints keep the old signature.
    """
    checkpoint()
    old, new = keys.rotate()
    with transaction.atomic():
        append(
            "ledger_key.rotated",
            subject="ledger_key",
            actor=_KeyKeeper(),
            data={"old": str(old), "new": str(new)},
        )
    return old, new
