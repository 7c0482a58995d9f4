"""Play the governed path on a fresh demo instance, then serve it."""

import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import instance
from config.launch import Plan, launch, open_home


class Command(BaseCommand):
    """Make a fresh instance beside the real one, play the story on it, then serve it."""

    help = "Play the whole story on a fresh demo instance, then serve it until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument(
            "--no-serve",
            action="store_true",
            help="stop after the story; its outcome is the exit code",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home = settings.HOME / "demo"
        address = instance.Address("127.0.0.1", options["port"])
        with ExitStack() as stack:
            open_home(stack, home, address)
            try:
                instance.clear_demo(home)
            except instance.InstanceError as error:
                raise CommandError(str(error)) from error
            inherited = instance.without_places(os.environ)
            plan = Plan(
                address=address,
                env=instance.environment(home, address, workers=1, inherited=inherited),
                logs=home / "logs",
                prepare=instance.manage("prepare", "--no-administrator"),
                task=instance.manage("play_demo"),
                stay=not options["no_serve"],
            )
            code = launch(plan, self.stdout.write)
        if code:
            sys.exit(code)
