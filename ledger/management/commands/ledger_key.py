"""Show the ledger's public key, or retire it for a new one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ledger import keys
from ledger.services import rotate_key


class Command(BaseCommand):
    """Prints the line that the stand-alone verifier takes as `--key`."""

    help = "Print the public key of the ledger, which verifiers pin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="sign the ledger, destroy its private key, make a new one and record that",
        )
        parser.add_argument("--all", action="store_true", help="print retired keys as well")

    def handle(self, **options: Any) -> None:
        if options["rotate"]:
            rotate_key()
        current = keys.verifier()
        known = keys.known_verifiers() if options["all"] else [current]
        for verifier in known:
            self.stdout.write(str(verifier))
