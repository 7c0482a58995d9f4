"""Which code a run was made with, as MLflow's tags say it."""

import hashlib
import shutil
import subprocess
from pathlib import Path

COMMIT = "mlflow.source.git.commit"
DIRTY = "mlflow.source.git.dirty"
DIFF = "countersign_diff_sha256"
#: Addresses of those who wrote and committed the code, separated by commas.
COMMITTERS = "countersign_committers"
_SECONDS = 10


def source_tags(directory: Path) -> dict[str, str]:
    """Return commit, dirty flag and, of a dirty tree, the SHA-256 of its difference.

    MLflow's own client tags a dirty tree with the clean commit and says nothing of the rest.
    Outside a git checkout, or without git, there is nothing to say and the mapping is empty.
    """
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return {}
    difference = _git(directory, "diff", "HEAD") or ""
    tags = {COMMIT: commit.strip(), DIRTY: str(bool(difference)).lower()}
    if difference:
        tags[DIFF] = hashlib.sha256(difference.encode()).hexdigest()
    return tags


def committer_tags(directory: Path) -> dict[str, str]:
    """Return the addresses of who wrote and who committed the checked-out commit."""
    names = _git(directory, "log", "-1", "--format=%ae%n%ce")
    found = dict.fromkeys((names or "").split())
    return {COMMITTERS: ",".join(found)} if found else {}


def _git(directory: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    answer = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments
        [program, "-C", str(directory), *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_SECONDS,
    )
    return answer.stdout if answer.returncode == 0 else None
