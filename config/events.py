"""Ledger events of the house itself."""

from ledger.registry import register

register("api_token.created", "API token created")
register("api_token.revoked", "API token revoked")
