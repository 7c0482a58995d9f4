"""`manage.py expire_due`: end now what is due, as the schedule does every five minutes."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.services import expiry
from projects.actors import system


class Command(BaseCommand):
    """End what is due and say what it was."""

    help = (
        "End approvals, overrides and waivers whose time is over and revoke what rests on broken "
        "conditions; tell people what is late or about to end. Approves nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        ended = expiry.expire_due(timezone.now(), actor=system("governance"))
        for what, references in asdict(ended).items():
            if references:
                self.stdout.write(f"{what.replace('_', ' ')}: {', '.join(references)}")
        if not ended.total:
            self.stdout.write("Nothing was due.")
