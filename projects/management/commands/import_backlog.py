"""Import work items from a CSV or JSON file."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.actors import person
from projects.errors import DomainError
from projects.models import Project
from projects.rules.fates import Import
from projects.services import exchange


class Command(BaseCommand):
    """Import work items, or with --dry-run show what becomes of each row."""

    help = "Import work items from our CSV or JSON, or from Jira's CSV export."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Short name of the project.")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="User name of the lead who imports.")
        parser.add_argument("--dry-run", action="store_true", help="Write nothing.")
        parser.add_argument("--skip-refused", action="store_true", help="Import the other rows.")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["by"], is_active=True).first()
        project = Project.objects.filter(slug=options["project"]).first()
        if user is None or project is None:
            raise CommandError("There is no such project, or no active user of that name.")
        try:
            data = options["file"].read_bytes()
            found = self._run(project, data, person(user, method="command"), options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except DomainError as error:
            reasons = "".join(f"\n  {reason}" for reason in error.details.get("reasons", ()))
            raise CommandError(f"{error.message}{reasons}") from error
        for line in found.told():
            self.stdout.write(line)
        self.stdout.write("Status, outcome and conclusion are not imported.")

    def _run(self, project: Project, data: bytes, actor: Any, options: Any) -> Import:
        if options["dry_run"]:
            return exchange.dry_run(project, data, actor=actor)
        return exchange.import_work_items(
            project, data, actor=actor, skip_refused=options["skip_refused"]
        )
