"""Go back to a version that stood before, from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from governance.models import Promotion
from governance.services import rollback
from projects.actors import person
from projects.errors import DomainError


class Command(BaseCommand):
    """Undo the promotion that holds an alias, as the person named."""

    help = "Go back to the last good version of a model in an environment, or to a named one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model")
        parser.add_argument("environment")
        parser.add_argument("--by", required=True, help="user name of whoever decides this")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--to-version", type=int, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['by']!r}.")
        try:
            done = rollback.roll_back(
                _held(options["model"], options["environment"]),
                actor=person(user, method="command"),
                reason=options["reason"],
                to_version=options["to_version"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{done.undone} is undone; version {done.restored.model_version} is queued."
        )


def _held(model: str, environment: str) -> Promotion:
    rows = Promotion.objects.select_related("environment", "project", "review")
    found = rows.filter(
        model_name=model,
        environment__name=environment,
        status__in=[Promotion.Status.APPLIED, Promotion.Status.SUSPENDED],
        applied_at__isnull=False,
    )
    promotion = found.order_by("-applied_at").first()
    if promotion is None:
        raise CommandError(f"No version of {model} holds the alias of {environment}.")
    return promotion
