"""What a sprint's report says of runs, without a database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from projects.services.report_work import best_run_of

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


def test_the_best_run_is_judged_by_how_often_the_test_data_was_used():
    limited = criterion("ranks", "test_auc", 0.55, test_use_limit=1)
    alone = best_run_of(["a"], [Run("a", {"test_auc": 0.7})], [limited], {})
    assert alone["criteria"][0]["state"] == "pass"
    runs = [Run("a", {"test_auc": 0.7}), Run("b", {"test_auc": 0.6})]
    assert best_run_of(["a"], runs, [limited], {})["criteria"][0]["state"] == "fail"
