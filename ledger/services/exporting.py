"""The export bundle: everything an outsider needs to verify the log without this service."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from ledger import keys
from ledger.errors import NothingToExport
from ledger.models import Checkpoint, PersonalText
from ledger.rules import canonical
from ledger.rules.walking import Row
from ledger.services.checkpoints import checkpoint
from ledger.services.verifying import CHUNK, rows

VERIFIER = Path(__file__).parent.parent / "standalone" / "verify.py"
README = """\
Ledger export of {origin}: {size} entries.

    python verify.py {name} --key KEY

checks it with Python 3.9 or newer and nothing else. Use a verify.py and a public KEY that you
were given by another way than this file; keys.json only says which keys to ask for. Checkpoints
that you kept from earlier show with --anchors FILE whether the log was cut back since.

entries.jsonl    one line an entry: `body` is the exact text that was hashed (UTF-8, canonical JSON)
                 leaf_hash  = SHA-256(0x00, body)
                 entry_hash = SHA-256(0x02, previous_hash, leaf_hash); the first on 32 zero bytes
                 the body's actor_name = SHA-256(actor_salt, actor_name); both empty once erased
checkpoints.txt  signed notes (C2SP): origin, size, base64 of the RFC 6962 Merkle root of the leaves
                 of that many entries, an empty line, Ed25519 signatures
texts.jsonl      personal texts that bodies refer to: reference = SHA-256(salt, text)
keys.json        public keys of the ledger, the current one first
"""


def export(path: Path | str, *, personal_texts: bool = True) -> Path:
    """Write the bundle to `path` and return it; a file that is there is replaced at the end.

    The last entry is signed first, so that nothing in the bundle is unanchored. Without
    `personal_texts` names and texts are left out as if they had been erased.

    Raises:
        NothingToExport: the ledger has no entry.
    """
    last = checkpoint()
    if last is None:
        raise NothingToExport("the ledger has no entry yet; there is nothing to export")
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
            _fill(archive, last.size, target.name, personal_texts=personal_texts)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink()
        raise
    return target


def _fill(archive: ZipFile, size: int, name: str, *, personal_texts: bool) -> None:
    readme = README.format(origin=keys.origin(), size=size, name=name)
    archive.writestr("README", readme)
    archive.writestr("verify.py", VERIFIER.read_bytes())
    archive.writestr("keys.json", _keys())
    _write(archive, "entries.jsonl", _entries(size, personal_texts=personal_texts))
    _write(archive, "checkpoints.txt", _notes(size))
    if personal_texts:
        _write(archive, "texts.jsonl", _texts())


def _write(archive: ZipFile, name: str, lines: Iterable[str]) -> None:
    with archive.open(name, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line.encode() + b"\n")


def _keys() -> str:
    known = [str(verifier) for verifier in keys.known_verifiers()]
    return json.dumps({"algorithm": "ed25519", "hash": "sha256", "keys": known}, indent=2) + "\n"


def _entries(size: int, *, personal_texts: bool) -> Iterator[str]:
    for row in rows(size):
        yield canonical.dumps(_line(row, named=personal_texts))


def _line(row: Row, *, named: bool) -> dict[str, object]:
    return {
        "seq": row.seq,
        "body": row.body.decode(),
        "leaf_hash": row.leaf_hash.hex(),
        "previous_hash": row.previous_hash.hex(),
        "entry_hash": row.entry_hash.hex(),
        "actor_name": row.actor_name if named else "",
        "actor_salt": row.actor_salt.hex() if named else "",
    }


def _notes(size: int) -> Iterator[str]:
    made = Checkpoint.objects.filter(size__lte=size).order_by("size")
    yield from made.values_list("note", flat=True).iterator(chunk_size=CHUNK)


def _texts() -> Iterator[str]:
    for text in PersonalText.objects.order_by("pk").iterator(chunk_size=CHUNK):
        line = {"reference": text.reference, "salt": bytes(text.salt).hex(), "text": text.text}
        yield canonical.dumps(line)
