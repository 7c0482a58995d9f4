"""App configuration of ledger."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    """Registers events and checks, and keeps the triggers on after every migrate."""

    name = "ledger"

    def ready(self) -> None:
        from ledger import checks, events  # noqa: F401

        post_migrate.connect(_install_triggers, sender=self)


def _install_triggers(*, using: str, **_kwargs: Any) -> None:
    from ledger import triggers

    triggers.install(using)
