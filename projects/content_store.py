"""Content-addressed files: what was put up for review stays as it was, under its own digest."""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from django.conf import settings

from projects.errors import InvalidInput, NotFound, Unavailable

_DIGEST = re.compile(r"[0-9a-f]{64}")


def put(data: bytes) -> str:
    """Store the bytes once and return their SHA-256.

    Raises:
        Unavailable: code `content_store_unwritable`.
    """
    digest = hashlib.sha256(data).hexdigest()
    target = path(digest)
    if target.exists():
        return digest
    try:
        _write(target, data)
    except OSError as error:
        raise Unavailable(
            f"The content store cannot be written: {error.strerror}.",
            code="content_store_unwritable",
        ) from error
    return digest


def read(sha256: str) -> bytes:
    """Return the bytes of a digest, checked against it.

    Raises:
        NotFound: nothing is stored under it.
        Unavailable: code `content_damaged`; the file no longer has this digest.
    """
    try:
        data = path(sha256).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"No content is stored under {sha256}.", code="no_such_content") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Unavailable(
            f"The stored content {sha256} was changed on disk; restore it from a backup.",
            code="content_damaged",
        )
    return data


def path(sha256: str) -> Path:
    """Return where the bytes of a digest lie or would lie.

    Raises:
        InvalidInput: the text is no SHA-256 in lower-case hex, so it names no file of the store.
    """
    if not _DIGEST.fullmatch(sha256):
        raise InvalidInput("A content reference is 64 hexadecimal digits.", code="not_a_digest")
    return Path(settings.CONTENT_STORE) / sha256[:2] / sha256


def _write(target: Path, data: bytes) -> None:
    """Write beside the target and rename, so that a crash leaves no half file under a digest."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
