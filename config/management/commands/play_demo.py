"""Play the story against the running demo instance."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.demo.story import play_story


class Command(BaseCommand):
    """Play every chapter through the doors of the instance that `demo` has started."""

    help = "Play the demo story against a running instance; `demo` calls this."

    def handle(self, *args: Any, **options: Any) -> None:
        held = play_story(settings.BASE_URL, settings.HOME, out=sys.stdout)
        if not held:
            sys.exit(1)
