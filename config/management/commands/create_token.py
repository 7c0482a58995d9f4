"""Make an API token for a user from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from config.tokens import create_token
from projects.actors import person
from projects.errors import DomainError


class Command(BaseCommand):
    """Print a new token's secret, alone on its line, for scripts to take."""

    help = "Make an API token for a user; its secret is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--days", type=int, default=None, help="days until it expires")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        try:
            _, secret = create_token(
                user,
                actor=person(user, method="command"),
                name=options["name"],
                days=options["days"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(secret)
