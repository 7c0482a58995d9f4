"""Import a scoping document from JSON, or a part of one from CSV."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from projects.actors import Actor
from projects.management.importing import ImportCommand
from projects.models import Project
from projects.rules.fates import Import
from projects.rules.scope_files import PARTS, WHOLE
from projects.services import scope_exchange
from projects.services.scope_exchange import Target


class Command(ImportCommand):
    """Import a scoping document into the project's next version, or into an open draft."""

    help = "Import a scoping document from JSON, or its fields or one of its lists from CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--part", choices=PARTS, default=WHOLE)
        parser.add_argument("--number", type=int, help="An open draft.")

    def run(self, project: Project, data: bytes, actor: Actor, options: Any) -> Import:
        number = options["number"]
        document = project.scoping_documents.filter(version=number).first()
        if number is not None and document is None:
            raise CommandError(f"{project} has no scope v{number}.")
        target = Target(project, document, options["part"])
        if options["dry_run"]:
            return scope_exchange.dry_run(target, data, actor=actor)
        return scope_exchange.import_scope(target, data, actor=actor)[0]
