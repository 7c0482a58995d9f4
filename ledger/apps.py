"""App configuration of ledger."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Registers the ledger events of this app when Django starts."""

    name = "ledger"

    def ready(self) -> None:
        from ledger import events  # noqa: F401
