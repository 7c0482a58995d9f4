"""Commands of the ledger; other apps call these names."""

from ledger.services.appending import ActorLike, append, decimal_text, remember_personal_text
from ledger.services.checkpoints import checkpoint

__all__ = ["ActorLike", "append", "checkpoint", "decimal_text", "remember_personal_text"]
