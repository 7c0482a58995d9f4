"""One number for a tree of files: any change of name, size or byte changes it."""

import hashlib
from pathlib import Path

_DOMAIN = b"countersign-tree-v1\0"
#: MLflow writes this into downloaded copies; it is not part of the model.
_IGNORED = frozenset({"registered_model_meta"})


def tree_digest(path: Path) -> str:
    """Return the SHA-256 over the sorted files below `path`, or over the one file that it is.

    Raises:
        FileNotFoundError: there is no file at or below `path`.
    """
    files = tree_files(path)
    if not files:
        raise FileNotFoundError(f"no files at {path}")
    whole = hashlib.sha256(_DOMAIN)
    for name, file in files:
        whole.update(f"{name}\0{file.stat().st_size}\0{file_digest(file)}".encode())
    return whole.hexdigest()


def tree_files(path: Path) -> list[tuple[str, Path]]:
    """Return the files that count, as (relative name, path), sorted by name."""
    if path.is_file():
        return [(path.name, path)]
    found = ((file.relative_to(path).as_posix(), file) for file in path.rglob("*"))
    return sorted((n, f) for n, f in found if f.is_file() and f.name not in _IGNORED)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of one file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
