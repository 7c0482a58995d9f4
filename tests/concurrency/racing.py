"""Run several callables at the same moment, each on a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

PATIENCE = 60


def race(*runners: Callable[[], Any]) -> list[Any]:
    """Start all runners at once; return what each returned, or the exception it raised."""
    barrier = threading.Barrier(len(runners))
    results: list[Any] = [None] * len(runners)

    def run(place: int, runner: Callable[[], Any]) -> None:
        try:
            # Connecting first keeps the start of the race close together.
            connection.ensure_connection()
            barrier.wait(timeout=PATIENCE)
            results[place] = runner()
        except Exception as error:  # noqa: BLE001 - the test looks at every outcome
            results[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(place, runner)) for place, runner in enumerate(runners)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a runner of the race hangs"
    return results


def failures(results: Sequence[Any]) -> list[Exception]:
    """Return the exceptions among the results."""
    return [one for one in results if isinstance(one, Exception)]
