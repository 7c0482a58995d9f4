"""Commands of the ledger; other apps call these names."""

from ledger.services.appending import ActorLike, append, decimal_text
from ledger.services.checkpoints import checkpoint
from ledger.services.exporting import export
from ledger.services.personal import (
    erase_actor_name,
    erase_personal_text,
    remember_personal_text,
)
from ledger.services.rotating import rotate_key
from ledger.services.verifying import Report, verify

__all__ = [
    "ActorLike",
    "Report",
    "append",
    "checkpoint",
    "decimal_text",
    "erase_actor_name",
    "erase_personal_text",
    "export",
    "remember_personal_text",
    "rotate_key",
    "verify",
]
