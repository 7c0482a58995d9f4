"""Bring databases, files and standard policies of an instance to where this code expects them."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from governance.services.policies import load_standard_policies
from pipeline.gateway.app import migrate_mlflow
from pipeline.schedules import register_schedules
from projects.actors import system

ADMINISTRATOR = "admin"


class Command(BaseCommand):
    """Run it once, before any web or worker process of a new version starts."""

    help = "Migrate both databases, load the standard policies, make the first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-administrator", action="store_true", help="do not create an administrator"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        settings.HOME.mkdir(parents=True, exist_ok=True)
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except DatabaseError as error:
            name = connection.settings_dict["NAME"]
            raise CommandError(f"Cannot prepare the database {name}: {error}.") from error
        migrate_mlflow()
        load_standard_policies(actor=system("setup"))
        register_schedules()
        if not options["no_administrator"]:
            self._create_administrator()

    def _create_administrator(self) -> None:
        """Make the first administrator; the password is shown here and nowhere else."""
        if User.objects.filter(is_superuser=True).exists():
            return
        if User.objects.filter(username=ADMINISTRATOR).exists():
            raise CommandError(
                f"A user {ADMINISTRATOR!r} exists but no administrator; "
                "make one with manage.py createsuperuser."
            )
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(ADMINISTRATOR, password=password)
        self.stdout.write(
            f"Administrator {ADMINISTRATOR!r} made, password {password} (shown only now)."
        )
