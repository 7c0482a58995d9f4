"""System checks of the ledger."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.utils.module_loading import import_string

from ledger import triggers


@register(Tags.database)
def check_triggers(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Refuse a migrated database without its append-only triggers."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor not in triggers.VENDORS:
            found.append(_unknown_vendor(alias))
        elif names := triggers.missing(alias):
            found.append(
                Error(
                    f"Database {alias!r} lacks ledger triggers: {', '.join(names)}.",
                    hint="Find out who dropped them, then run `migrate --skip-checks`.",
                    id="ledger.E001",
                )
            )
    return found


def _unknown_vendor(alias: str) -> CheckMessage:
    vendors = " or ".join(triggers.VENDORS)
    return Error(
        f"Database {alias!r} cannot protect the ledger.",
        hint=f"Use {vendors}; there are no triggers for {connections[alias].vendor}.",
        id="ledger.E002",
    )


@register()
def check_anchors(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse an anchor that cannot be imported; it would fail silently after each commit."""
    found: list[CheckMessage] = []
    for name in settings.LEDGER_ANCHORS:
        try:
            import_string(name)
        except ImportError as error:
            found.append(Error(f"LEDGER_ANCHORS: {error}", id="ledger.E003"))
    return found


@register(Tags.security)
def check_key_file(**_kwargs: Any) -> list[CheckMessage]:
    """Warn when others than the owner can read the signing key."""
    path = Path(settings.LEDGER_KEY_FILE)
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return [
            Warning(
                f"{path} can be read by others; they could sign a forged ledger.",
                hint=f"Run `chmod 600 {path}`.",
                id="ledger.W001",
            )
        ]
    return []
