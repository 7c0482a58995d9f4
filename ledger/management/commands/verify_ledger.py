"""Check the ledger in the database and the anchored checkpoints beside it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.services import Report, verify


class Command(BaseCommand):
    """Exits with 1 and the first bad sequence number unless everything holds."""

    help = "Check every ledger entry, checkpoint and anchored note; exit 1 if one does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        report = verify()
        if options["json"]:
            answer = {"ok": report.ok, **asdict(report), "unsigned_tail": report.unsigned_tail}
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            self._show(report)
        if not report.ok:
            where = f"; first bad seq {report.first_bad_seq}" if report.first_bad_seq else ""
            raise CommandError(f"The ledger does not verify{where}.")

    def _show(self, report: Report) -> None:
        for problem in report.problems:
            self.stderr.write(problem)
        for warning in report.warnings:
            self.stderr.write(f"warning: {warning}")
        if report.ok:
            self.stdout.write(
                f"The ledger verifies: {report.entries} entries, {report.checkpoints} checkpoints, "
                f"{report.anchored} anchored notes, {report.unsigned_tail} entries not yet signed."
            )
