"""Compare MLflow's aliases and files with the decisions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.services.reconcile import RECONCILER, reconcile
from projects.errors import Unavailable


class Command(BaseCommand):
    """Print every difference; each one has an open finding afterwards."""

    help = "Compare MLflow's aliases and files with the decisions; open findings where they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            differences = reconcile(actor=RECONCILER)
        except Unavailable as error:
            raise CommandError(error.message) from error
        for difference in differences:
            self.stdout.write(f"{difference.title}: {difference.description}")
        if differences:
            raise CommandError(f"{len(differences)} differences; a finding is open for each.")
        self.stdout.write("Registry and files hold what was decided.")
