"""Carry out approved promotions and retirements, and hand waiting checks to the queue."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from pipeline.services import check_work, promoting

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Look for promotions, retirements and waiting checks once a second, until told to stop."""

    help = "Carry out promotions and retirements, and queue checks, until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=1.0, help="pause between looks")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stop.set())
        while not stop.is_set():
            self._look()
            if options["once"]:
                return
            stop.wait(options["seconds"])
            close_old_connections()

    def _look(self) -> None:
        try:
            promoting.apply_waiting_promotions()
            promoting.retire_waiting_promotions()
            check_work.enqueue_waiting_check_runs()
        except DatabaseError:
            # A locked or restarting database is no reason to end: the rows wait.
            logger.exception("The promotion poller could not read the database; trying again.")
