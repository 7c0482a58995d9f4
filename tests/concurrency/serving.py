"""The service as gunicorn serves it, for races over HTTP; a control can take the swap out.

Everything is as in production but the hash of passwords: a slow one would spread the racers out.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if os.environ.get("COUNTERSIGN_TEST_NAIVE") == "1":
    from projects import lifecycle

    # The first to write in each process waits between its look and its write, until a process that
    # was slow to wake has let everybody look as well; luck must not decide what a control shows.
    HELD_FOR = 3.0
    held: list[bool] = []

    def read_then_write(obj: Any, *, expected: Mapping[str, Any], **changes: Any) -> None:
        """Write what compare-and-swap writes as it is often written: get, if, save."""
        if any(getattr(obj, name) != value for name, value in expected.items()):
            raise lifecycle.StaleState("It was changed by someone else.")
        if not held:
            held.append(True)
            time.sleep(HELD_FOR)
        for name, value in changes.items():
            setattr(obj, name, value)
        obj.save(update_fields=list(changes))

    lifecycle.compare_and_swap = read_then_write

# Only now: the services take the swap by name when they are imported.
from config.wsgi import application  # noqa: E402

__all__ = ["application"]
