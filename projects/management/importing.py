"""What the commands that import a file share: who imports, and how fates and refusals are told."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.actors import Actor, person
from projects.errors import DomainError
from projects.models import Project
from projects.rules.fates import Import


class ImportCommand(BaseCommand):
    """Read a file into a project, or with --dry-run show what becomes of each row."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Short name of the project.")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="User name of the person who imports.")
        parser.add_argument("--dry-run", action="store_true", help="Write nothing.")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["by"], is_active=True).first()
        project = Project.objects.filter(slug=options["project"]).first()
        if user is None or project is None:
            raise CommandError("There is no such project, or no active user of that name.")
        try:
            data = options["file"].read_bytes()
            found = self.run(project, data, person(user, method="command"), options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except DomainError as error:
            reasons = "".join(f"\n  {reason}" for reason in error.details.get("reasons", ()))
            raise CommandError(f"{error.message}{reasons}") from error
        for line in found.told():
            self.stdout.write(line)

    def run(self, project: Project, data: bytes, actor: Actor, options: Any) -> Import:
        """Try or do the import, as the options say."""
        raise NotImplementedError
