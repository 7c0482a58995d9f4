"""Ledger events of this app."""

from ledger.registry import register

register("personal_text.erased", "Personal text erased", checkpoint=True)
register("actor_name.erased", "Name of an actor erased", checkpoint=True)
register("ledger_key.rotated", "Signing key of the ledger replaced", checkpoint=True)
