"""Write a project's work items to the standard output."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.models import Project
from projects.services import exchange


class Command(BaseCommand):
    """Export work items as CSV or JSON."""

    help = "Write a project's work items as CSV or JSON, such as import_backlog takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Short name of the project.")
        parser.add_argument("--as", dest="form", choices=("csv", "json"), default="csv")

    def handle(self, *_args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        self.stdout.write(exchange.export_work_items(project, options["form"]), ending="")
