"""The bank's calls, read once, and a small table that has a story of its own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.ml import bank
from pipeline.ml.features import FeatureSet
from pipeline.ml.splits import Block, Blocks
from pipeline.ml.tables import read_path
from pipeline.ml.training import TrainingPlan

FIXTURE = Path(__file__).resolve().parents[3] / "fixtures" / "bank-additional-full.csv.gz"


@pytest.fixture(scope="session")
def bank_file() -> bytes:
    return FIXTURE.read_bytes()


@pytest.fixture(scope="session")
def calls() -> pd.DataFrame:
    """All 41,188 calls with their period; tests must not change them."""
    return bank.with_periods(read_path(FIXTURE, bank.SPEC))


@pytest.fixture(scope="session")
def small() -> pd.DataFrame:
    """2,000 rows over ten months in which `income` and `kind` tell something about `bought`."""
    random = np.random.default_rng(11)
    rows = 2_000
    income = random.normal(50, 10, rows)
    kind = random.choice(["a", "b", "c"], rows)
    chance = 1 / (1 + np.exp(-((income - 55) / 6 + (kind == "a"))))
    return pd.DataFrame(
        {
            "income": income,
            "kind": kind,
            "watched": random.uniform(0, 1, rows),
            "poutcome": random.choice(["success", "failure", "nonexistent"], rows),
            "bought": np.where(random.uniform(0, 1, rows) < chance, "yes", "no"),
            "period": [f"2024-{1 + row * 10 // rows:02d}" for row in range(rows)],
        }
    )


@pytest.fixture
def plan() -> TrainingPlan:
    return TrainingPlan(
        features=FeatureSet(("income",), ("kind", "poutcome"), ("watched",)),
        target="bought",
        positive="yes",
        blocks=Blocks(
            train=Block("2024-01", "2024-06"),
            validation=Block("2024-07", "2024-08"),
            test=Block("2024-09", "2024-10"),
        ),
    )
