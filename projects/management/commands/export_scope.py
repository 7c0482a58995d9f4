"""Write a scoping document as JSON, or a part of one as CSV."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.models import ScopingDocument
from projects.rules.scope_files import PARTS, WHOLE
from projects.services import scope_exchange


class Command(BaseCommand):
    """Export a scoping document, such as import_scope takes."""

    help = "Write a scoping document as JSON, or its fields or one of its lists as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Short name of the project.")
        parser.add_argument("--part", choices=PARTS, default=WHOLE)
        parser.add_argument("--number", type=int, help="Else the latest.")

    def handle(self, *_args: Any, **options: Any) -> None:
        documents = ScopingDocument.objects.filter(project__slug=options["project"])
        if options["number"] is not None:
            documents = documents.filter(version=options["number"])
        document = documents.order_by("-version").first()
        if document is None:
            raise CommandError("There is no such project, or no such version of its scope.")
        text = scope_exchange.export_scope(document, options["part"]).text
        self.stdout.write(text, ending="")
