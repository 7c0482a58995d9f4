"""Say whether the record knows a printed dossier."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.services.dossiers import issues_of


class Command(BaseCommand):
    """Compare a file's SHA-256 with the dossiers that the ledger says were issued."""

    help = "Say whether the ledger knows this dossier, of which review, and when it was issued."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The HTML document, as it was downloaded.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        issues = issues_of(digest)
        if not issues:
            raise CommandError(
                f"The record knows no dossier with the digest {digest}: the file was changed, or "
                "it was never issued here."
            )
        for one in issues:
            self.stdout.write(
                f"{digest}\nissued of {one.review} on {one.issued_at:%Y-%m-%d %H:%M:%S} UTC by "
                f"{one.issued_by}, ledger entry {one.sequence}"
            )
