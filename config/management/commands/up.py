"""Run the whole service on this machine until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import instance
from config.launch import Plan, launch, open_home


class Command(BaseCommand):
    """Prepare the instance, then run web, worker and poller as children of this process."""

    help = "Migrate, then run web, worker and promotion poller until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument(
            "--workers", type=int, default=settings.Q_CLUSTER["workers"], help="job workers to run"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home = settings.HOME
        address = instance.Address(options["host"], options["port"])
        with ExitStack() as stack:
            open_home(stack, home, address)
            plan = Plan(
                address=address,
                env=instance.environment(
                    home, address, workers=options["workers"], inherited=os.environ
                ),
                prepare=instance.manage("prepare"),
            )
            code = launch(plan, self.stdout.write)
        if code:
            sys.exit(code)
