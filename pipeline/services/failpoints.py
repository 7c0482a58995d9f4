"""Places where a test may kill the process, to prove that every step survives it."""

import os
import signal

from django.conf import settings


def failpoint(name: str) -> None:
    """Kill this process at once if a test asked for it here; does nothing outside of tests."""
    if getattr(settings, "TESTING", False) and os.environ.get("COUNTERSIGN_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
