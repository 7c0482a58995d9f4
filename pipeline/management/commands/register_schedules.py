"""Register the periodic tasks with the queue."""

from typing import Any

from django.core.management.base import BaseCommand

from pipeline.schedules import SCHEDULES, register_schedules


class Command(BaseCommand):
    """Write one schedule row per periodic task; running it again changes nothing."""

    help = "Register the periodic tasks with the queue."

    def handle(self, *args: Any, **options: Any) -> None:
        created = register_schedules()
        self.stdout.write(f"{len(SCHEDULES)} schedules, {created} of them new.")
