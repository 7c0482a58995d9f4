"""Ledger events of this app."""
