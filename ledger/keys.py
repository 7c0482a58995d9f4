"""The ledger's signing key: a file outside the database, made on first use."""

import contextlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from ledger.rules.notes import Signer, Verifier, read_verifier


def origin() -> str:
    """Return the name of this log, which is also the name of its key."""
    return str(settings.LEDGER_ORIGIN)


def signer() -> Signer:
    """Return the signing key, making its file with mode 0600 if there is none."""
    path = Path(settings.LEDGER_KEY_FILE)
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            _make(path)
    return Signer(origin(), _private_key(path))


def verifier() -> Verifier:
    """Return the public key; hand it to whoever shall verify exports, by another way than them."""
    return signer().verifier


def known_verifiers() -> list[Verifier]:
    """Return the current public key and the retired ones, without making a key."""
    path = Path(settings.LEDGER_KEY_FILE)
    current = [Signer(origin(), _private_key(path)).verifier] if path.exists() else []
    retired = _retired_file(path)
    lines = retired.read_text().split() if retired.exists() else []
    return [*current, *(read_verifier(line) for line in lines)]


def rotate() -> tuple[Verifier, Verifier]:
    """Retire the signing key for a new one; return the old and the new public key.

    The old private key is destroyed. Its public half stays in a file beside the key, since the
    checkpoints that it signed remain.
    """
    path = Path(settings.LEDGER_KEY_FILE)
    old = verifier()
    with _retired_file(path).open("a") as file:
        file.write(f"{old}\n")
    path.unlink()
    return old, verifier()


def _retired_file(path: Path) -> Path:
    return path.with_name(path.name + ".retired")


def _private_key(path: Path) -> Ed25519PrivateKey:
    # The time of change is part of the cache key, so that a rotation reaches every process.
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key; move it away or set LEDGER_KEY_FILE")
    return key


def _make(path: Path) -> None:
    """Write a new key; a link makes it appear whole, and never over one that another made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    finally:
        Path(name).unlink()
