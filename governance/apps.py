"""App configuration of governance."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Registers the ledger events and the tables that the database itself guards."""

    name = "governance"

    def ready(self) -> None:
        from governance import events  # noqa: F401
        from governance.models.policy import FROZEN, PolicyVersion
        from ledger.triggers import keep_frozen

        keep_frozen(PolicyVersion, FROZEN)
