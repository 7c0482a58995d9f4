"""Chapter eleven: the ledger leaves the house and is checked by someone who trusts nobody here."""

import shutil
import subprocess
import sys
import zipfile
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from config.demo.play import Play


def record(play: Play) -> None:
    """Export the ledger, verify it in another process, and fail a copy with one byte changed."""
    play.stage.chapter("The record, checked from outside")
    bundle = play.home / "ledger-export.zip"
    with play.stage.act("Ledger exported") as remarks:
        call_command("export_ledger", str(bundle), stdout=StringIO())
        remarks.append(f"{bundle.name}, {bundle.stat().st_size // 1024} kB")
    outside = play.home / "auditor"
    shutil.rmtree(outside, ignore_errors=True)
    outside.mkdir()
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("verify.py", outside)
    key = _public_key()
    with play.stage.act("Stand-alone verifier, in a process of its own") as remarks:
        verdict = _verify(outside, bundle, key)
        play.expect(verdict.returncode == 0, f"The export did not verify: {verdict.stdout}")
        remarks.append(verdict.stdout.strip().splitlines()[0])
    forged = outside / "one-byte-changed.zip"
    _forge(bundle, forged)
    with play.stage.act("A copy with one byte changed") as remarks:
        verdict = _verify(outside, forged, key)
        play.expect(verdict.returncode == 1, "The forged copy was accepted.")
        remarks.append(verdict.stdout.strip().splitlines()[0])


def _public_key() -> str:
    out = StringIO()
    call_command("ledger_key", stdout=out)
    return out.getvalue().strip()


def _verify(folder: Path, bundle: Path, key: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own verifier, from the bundle itself
        [sys.executable, "-I", str(folder / "verify.py"), str(bundle), "--key", key],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _forge(bundle: Path, forged: Path) -> None:
    """Copy the bundle with one byte in the middle of its entries changed."""
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(forged, "w") as target:
        for info in source.infolist():
            content = bytearray(source.read(info))
            if info.filename == "entries.jsonl":
                place = content.index(b"scope.approved")
                content[place] ^= 1
            target.writestr(info.filename, bytes(content))
