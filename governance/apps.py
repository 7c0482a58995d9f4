"""App configuration of governance."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Registers the ledger events of this app when Django starts."""

    name = "governance"

    def ready(self) -> None:
        from governance import events  # noqa: F401
