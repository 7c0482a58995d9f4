"""Run the worker: django-q2's cluster, which a second signal cannot lock up."""

import signal
from types import FrameType
from typing import Any

from django_q.cluster import Cluster
from django_q.management.commands import qcluster


class StoppingOnce(Cluster):  # type: ignore[misc] # django-q2 is not typed
    """Stops at the first signal and hears no other.

    When a supervisor with threads is killed, the kernel sends its children one signal a thread.
    A second one during `stop` would wait for ever on a lock that the first one holds.
    """

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        super().sig_handler(signum, frame)


class Command(qcluster.Command):  # type: ignore[misc] # django-q2 is not typed
    """Run jobs and schedules until a signal ends it."""

    help = "Run the worker: jobs and schedules, until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        qcluster.Cluster = StoppingOnce
        super().handle(*args, **options)
