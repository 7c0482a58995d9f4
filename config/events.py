"""Ledger events of the house itself."""

from ledger.registry import register

register("account.added", "Account added", checkpoint=True)
register("account.changed", "Account changed", checkpoint=True)
register("api_token.created", "API token created")
register("api_token.revoked", "API token revoked")
