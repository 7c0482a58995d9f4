"""A ledger with its own key and anchor file, and someone to act."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from ledger import registry, triggers
from ledger.models import LedgerEntry
from ledger.services import append

registry.register("thing.made", "Thing made")
registry.register("thing.signed", "Thing signed", checkpoint=True)


@dataclass(frozen=True)
class Someone:
    """An actor as the ledger sees one."""

    ref: str = "user:7"
    name: str = "Léna Ørsted"
    method: str = "session"


SOMEONE = Someone()


@pytest.fixture(autouse=True)
def ledger_files(settings: Any, tmp_path: Path) -> None:
    settings.LEDGER_KEY_FILE = tmp_path / "keys" / "ledger_ed25519"
    settings.LEDGER_ANCHOR_FILE = tmp_path / "anchors" / "checkpoints.txt"
    settings.LEDGER_ANCHORS = ["ledger.anchors.append_to_file"]


@pytest.fixture
def someone() -> Someone:
    return SOMEONE


def record(event: str = "thing.made", **data: Any) -> LedgerEntry:
    """Append one entry in a transaction of its own."""
    with transaction.atomic():
        return append(event, subject=f"thing:{len(data)}", actor=SOMEONE, data=data)


@pytest.fixture
def filled(db: None) -> list[LedgerEntry]:
    """Return seven entries; the tree is signed after the third and the sixth."""
    events = ["thing.signed" if n in {2, 5} else "thing.made" for n in range(7)]
    return [record(event, number=n) for n, event in enumerate(events)]


@pytest.fixture
def without_triggers(db: None) -> Iterator[Callable[..., int]]:
    """Let a test act as the owner of the database, who can drop triggers."""
    triggers.drop()

    def change(at: int, **changes: Any) -> int:
        return LedgerEntry.objects.filter(seq=at).update(**changes)

    yield change
    triggers.install()
