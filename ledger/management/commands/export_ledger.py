"""Write the export bundle with its stand-alone verifier."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ledger import keys
from ledger.errors import NothingToExport
from ledger.services import export


class Command(BaseCommand):
    """Signs what is there, exports it, and says how to verify it."""

    help = "Write the ledger as a bundle that anyone can verify without this service."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, help="the .zip file to write")
        parser.add_argument(
            "--without-personal-texts",
            action="store_true",
            help="leave out the names of actors and personal texts; the proofs hold without them",
        )

    def handle(self, **options: Any) -> None:
        path = options["path"] or _default_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            export(path, personal_texts=not options["without_personal_texts"])
        except (OSError, NothingToExport) as error:
            raise CommandError(f"Nothing was exported: {error}") from error
        self.stdout.write(f"Exported to {path}.")
        self.stdout.write(f"Verify it with: python verify.py {path} --key '{keys.verifier()}'")


def _default_path() -> Path:
    moment = timezone.now().strftime("%Y%m%dT%H%M%SZ")
    return Path(settings.HOME) / "exports" / f"ledger-{moment}.zip"
