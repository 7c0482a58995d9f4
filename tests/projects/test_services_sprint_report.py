"""What a sprint's report says of runs and kill criteria, without a database."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from projects.services.report_work import KillFacts, best_run_of, kill_criteria_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    run_id: str
    metrics: dict = field(default_factory=dict)
    is_eligible: bool = True
    name: str = "a run"
    status: str = "FINISHED"
    dataset: str = ""
    alike: str = ""
    seed: str = ""
    started_at: datetime = NOON
    ended_at: datetime = NOON
    url: str = "/mlflow/"


def criterion(key, metric, threshold, level="must", **more):
    return {
        "key": key,
        "title": key.capitalize(),
        "level": level,
        "metric_key": metric,
        "greater_is_better": True,
        "threshold": threshold,
        "dataset_role": "test",
        **more,
    }


KILL = criterion("signal", "test_auc", 0.55, level="kill", by_date="2026-11-30")


@pytest.mark.parametrize(
    ("today", "auc", "is_due", "has_failed"),
    [
        (date(2026, 11, 29), 0.5, False, False),
        (date(2026, 11, 30), 0.5, True, True),
        (date(2026, 11, 30), 0.6, True, False),
        (date(2026, 12, 24), None, True, True),
    ],
)
def test_a_kill_criterion_fails_from_its_day_on(today, auc, is_due, has_failed):
    runs = [Run("a", {"test_auc": auc})] if auc else []
    rows = kill_criteria_of(None, runs, [KILL], KillFacts({}, today, 1))
    assert [(row["is_due"], row["has_failed"]) for row in rows] == [(is_due, has_failed)]


def test_a_kill_criterion_is_judged_on_the_best_run_that_may_count():
    runs = [Run("a", {"test_auc": 0.6}), Run("b", {"test_auc": 0.5})]
    runs.append(Run("c", {"test_auc": 0.9}, is_eligible=False))
    row = kill_criteria_of(None, runs, [KILL], KillFacts({}, date(2026, 12, 1), 1))[0]
    assert "test_auc is 0.6" in row["sentence"]


def test_the_best_run_passes_most_criteria_and_says_what_each_says():
    criteria = [criterion("ranks", "test_auc", 0.55), criterion("lifts", "test_lift", 1.5), KILL]
    runs = [
        Run("a", {"test_auc": 0.7}),
        Run("b", {"test_auc": 0.6, "test_lift": 1.6}),
        Run("c", {"test_auc": 0.9, "test_lift": 3}, is_eligible=False),
    ]
    best = best_run_of(["a", "b", "c"], runs, criteria, {})
    assert (best["run"], best["passing"], best["of"]) == ("b", 2, 2)
    assert [(row["key"], row["state"]) for row in best["criteria"]] == [
        ("ranks", "pass"),
        ("lifts", "pass"),
    ]
    assert best_run_of(["c"], runs, criteria, {}) is None
