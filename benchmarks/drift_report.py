"""Time a drift report on a large window, and the same with a peer if it is installed.

    python benchmarks/drift_report.py --rows 1000000 --rounds 5

Prints one JSON object. The peer is evidently (`pip install 'evidently<1' 'pandas<3'`, in an
environment of its own); where it cannot be imported, only the own figures are given. The peer gets
the reference rows themselves, as it must; the own report gets their stored profile.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipeline.ml.drift import measure_drift
from pipeline.ml.profile import reference_profile

NUMBERS, CATEGORIES = 9, 3


def window(rows: int, shift: float, seed: int) -> pd.DataFrame:
    """Return a frame of `rows` with nine numbers and three categories of 20 values."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        f"number_{place}": random.normal(shift * place / NUMBERS, 1, rows)
        for place in range(NUMBERS)
    }
    words = np.array([f"value {place:02d}" for place in range(20)], dtype=object)
    for place in range(CATEGORIES):
        columns[f"category_{place}"] = words[random.integers(0, len(words), rows)]
    return pd.DataFrame(columns)


def timed(work: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """Return median and quartiles, in seconds, of `rounds` calls after one for warming up."""
    work()
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    low, median, high = statistics.quantiles(spent, n=4) if rounds > 1 else spent * 3
    return {"median_s": round(median, 4), "quartiles_s": [round(low, 4), round(high, 4)]}


def peer(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], Any] | None:
    """Return evidently's data drift preset on the same frames, or None where it is missing."""
    try:
        evidently = import_module("evidently")
        presets = import_module("evidently.presets")
    except ImportError:
        return None
    return lambda: evidently.Report([presets.DataDriftPreset()]).run(current, reference)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    reference, current = window(options.rows, 0.0, 1), window(options.rows, 0.5, 2)
    profile = reference_profile(reference)
    found: dict[str, Any] = {
        "rows": options.rows,
        "columns": reference.shape[1],
        "profile_bytes": len(json.dumps(profile)),
        "profile": timed(lambda: reference_profile(reference), options.rounds),
        "report": timed(lambda: measure_drift(current, profile), options.rounds),
    }
    rival = peer(reference, current)
    if rival is not None:
        found["evidently"] = timed(rival, options.rounds)
        found["ratio"] = round(found["evidently"]["median_s"] / found["report"]["median_s"], 1)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
