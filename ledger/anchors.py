"""Places outside the database that remember checkpoints; only they can show a rolled-back log.

An anchor is a function that takes the signed note; `settings.LEDGER_ANCHORS` lists dotted paths.
The same note may arrive twice.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from ledger.rules import notes

logger = logging.getLogger(__name__)


def publish(note: str) -> None:
    """Hand a note to every anchor; one that fails is logged and stops none of the others."""
    for name in settings.LEDGER_ANCHORS:
        try:
            import_string(name)(note)
        except Exception:
            logger.exception("anchor %s did not take the checkpoint", name)


def append_to_file(note: str) -> None:
    """Append a note to `settings.LEDGER_ANCHOR_FILE`, which should lie on another host's disk."""
    path = Path(settings.LEDGER_ANCHOR_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        # Two processes must not interleave their notes.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(note + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_file() -> Iterator[str]:
    """Yield the notes of the anchor file, or none where there is no such file."""
    path = Path(settings.LEDGER_ANCHOR_FILE)
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from notes.split_notes(file)
