"""Import work items from a CSV or JSON file."""

from typing import Any

from django.core.management.base import CommandParser

from projects.actors import Actor
from projects.management.importing import ImportCommand
from projects.models import Project
from projects.rules.fates import Import
from projects.services import exchange


class Command(ImportCommand):
    """Import work items; status, outcome and conclusion stay behind, commands set those."""

    help = "Import work items from our CSV or JSON, or from Jira's CSV export."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--skip-refused", action="store_true", help="Import the other rows.")

    def run(self, project: Project, data: bytes, actor: Actor, options: Any) -> Import:
        if options["dry_run"]:
            return exchange.dry_run(project, data, actor=actor)
        return exchange.import_work_items(
            project, data, actor=actor, skip_refused=options["skip_refused"]
        )
