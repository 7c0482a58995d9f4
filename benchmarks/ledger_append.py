"""How many acts the ledger records and verifies in a second, in a database of its own.

    python benchmarks/ledger_append.py [--entries 5000] [--batch 1] [--threads 1]

Runs on SQLite in a temporary directory, or on the PostgreSQL server of DATABASE_URL, where it
makes and drops a database called `test_<name>`. Figures go to standard output as JSON.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Someone:
    """An actor as the ledger sees one."""

    ref: str = "user:1"
    name: str = "Somebody"
    method: str = "session"


def main() -> int:
    """Measure appending, verifying, exporting and verifying the export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=1, help="entries in one transaction")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        figures = in_fresh_database(Path(home), lambda: measure(Path(home), options))
    sys.stdout.write(json.dumps(vars(options) | figures, indent=2) + "\n")
    return 0


def in_fresh_database(home: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `work` on a migrated, empty database and remove it."""
    os.environ |= {"COUNTERSIGN_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    sys.path.insert(0, str(ROOT))
    import django
    from django.db import connection

    django.setup()
    # A file, as in production; Django's default for tests would be memory.
    connection.settings_dict["TEST"]["NAME"] = (
        str(home / "benchmark.sqlite3") if connection.vendor == "sqlite" else None
    )
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return {"database": connection.vendor, **work()}
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def measure(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return entries per second of each step."""
    from ledger import keys, registry, services
    from ledger.standalone import verify as standalone

    registry.register("benchmark.recorded", "Benchmark entry recorded")
    count = options.entries
    figures = {"append_per_s": rate(count, lambda: append_all(options))}
    figures["verify_per_s"] = rate(count, lambda: require(services.verify().ok))
    bundle = home / "bundle.zip"
    figures["export_per_s"] = rate(count, lambda: services.export(bundle))
    key = standalone.read_key(str(keys.verifier()))
    run = standalone.Verification([key], [])
    figures["standalone_per_s"] = rate(count, lambda: require(run.run(str(bundle))["ok"]))
    figures["bundle_bytes_per_entry"] = bundle.stat().st_size // count
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return figures


def append_all(options: argparse.Namespace) -> None:
    """Append the entries from one or more threads."""
    shares = [options.entries // options.threads] * options.threads
    shares[0] += options.entries - sum(shares)
    with ThreadPoolExecutor(options.threads) as pool:
        list(pool.map(lambda share: append_share(share, options.batch), shares))


def append_share(count: int, batch: int) -> None:
    """Append `count` entries, `batch` to a transaction."""
    from django.db import connection, transaction

    from ledger.services import append

    actor = Someone()
    for start in range(0, count, batch):
        with transaction.atomic():
            for number in range(start, min(start + batch, count)):
                data = {"number": number, "digest": "0" * 64}
                append("benchmark.recorded", subject=f"thing:{number}", actor=actor, data=data)
    connection.close()


def rate(count: int, work: Callable[[], object]) -> int:
    """Return how many of `count` are done in a second."""
    start = time.perf_counter()
    work()
    return int(count / (time.perf_counter() - start))


def require(condition: object) -> None:
    """Stop a benchmark whose work did not succeed."""
    if not condition:
        raise SystemExit("the ledger did not verify")


if __name__ == "__main__":
    sys.exit(main())
