"""Charts of burning and learning as numbers; every figure is worked out by hand."""

from datetime import UTC, date

import pytest

from projects.rules.charts import burn, delivery, economics, gates, learning
from projects.rules.charts.base import Chart, ItemInfo, SprintInfo
from projects.rules.charts.learning import ScopeVersion
from tests.projects.chart_facts import (
    DAYS,
    REF,
    START,
    Run,
    at,
    column,
    created,
    history,
    moved,
    series_of,
)

# --- Burning --------------------------------------------------------------------------------------


@pytest.fixture
def estimated():
    return history(
        created(1, 1, sprint=REF, points=6),
        created(2, 1, sprint=REF, points=4),
        created(3, 4, sprint=REF, points=5),
        moved(1, 5, "done"),
    )


def test_burn_down_shows_what_remains_beside_an_even_line_over_working_days(estimated):
    chart = burn.burn_down(series_of(estimated, last=9), date(2026, 11, 13))
    assert chart.title == "Burn-down in points"
    assert column(chart, "day")[:2] == ["start", "2026-11-02"]
    # Ten points over ten working days; the weekend of 7 and 8 November burns nothing.
    assert column(chart, "even_line") == [10, 9, 8, 7, 6, 5, 5, 5, 4, 3, 2, 1, 0]
    assert column(chart, "remaining") == [10, 10, 10, 15, 9, 9, 9, 9, 9, None, None, None, None]
    assert column(chart, "added")[1:9] == [0, 0, 5, 0, 0, 0, 0, 0]
    assert chart.marks["days_off"] == ["2026-11-07", "2026-11-08"]
    assert "By 9 Nov 2026, 9 points of 15 remained" in chart.description
    assert "would leave 4; 5 came in and 0 went out" in chart.description


def test_burn_down_measures_in_what_it_is_asked_for(estimated):
    series = series_of(estimated, last=6)
    items = burn.burn_down(series, date(2026, 11, 13), name="burn-down-items")
    assert column(items, "remaining")[:6] == [2, 2, 2, 3, 2, 2]
    hours = burn.burn_down(series, date(2026, 11, 13), name="burn-down-hours")
    assert not hours.table
    assert hours.advice == "Estimate items of the sprint in hours to get this chart."


def test_burn_down_counts_items_where_nothing_is_estimated():
    series = series_of(history(created(1, 1, sprint=REF), moved(1, 3, "done")), last=3)
    chart = burn.burn_down(series, date(2026, 11, 13))
    assert chart.title == "Burn-down in items"
    assert column(chart, "remaining")[:3] == [1, 1, 0]


def test_burn_up_keeps_added_scope_apart_from_done_work(estimated):
    chart = burn.burn_up(series_of(estimated, last=5))
    assert column(chart, "scope") == [10, 10, 10, 15, 15]
    assert column(chart, "done") == [0, 0, 0, 0, 6]
    assert chart.description == "6 of 15 points are done; the sprint began with 10."


def test_a_sprint_without_items_says_what_to_do():
    chart = burn.burn_down(series_of([], last=5), date(2026, 11, 13))
    assert (chart.table, chart.advice) == ((), "Take items into the sprint to get this chart.")
    assert not burn.burn_up(series_of([], last=5)).table


# --- Learning -------------------------------------------------------------------------------------


def criterion(key, metric, threshold, level="must", **more):
    return {
        "key": key,
        "level": level,
        "metric_key": metric,
        "greater_is_better": True,
        "threshold": threshold,
        "dataset_role": "test",
        **more,
    }


def kill_at(threshold):
    return criterion("stop", "validation_auc", threshold, level="kill", dataset_role="validation")


@pytest.fixture
def scope():
    return ScopeVersion(
        version=1,
        since=at(3, 8),
        criteria=[
            criterion("ranks", "test_auc", 0.6, test_use_limit=4),
            criterion("lifts", "test_lift", 1.5),
            criterion("calm", "test_gap", 0.8, level="guardrail"),
            criterion("nice", "test_nice", 0.1, level="should"),
            criterion("attested", "signed", 1, source="attestation"),
            kill_at(0.55),
        ],
        baselines=[
            {"name": "rule", "metrics": {"test_auc": 0.55}},
            {"name": "luck", "metrics": {"test_auc": 0.5}},
        ],
        assumptions=[
            {"statement": "Calls are logged.", "is_verified": True},
            {"statement": "Months are alike.", "is_verified": False, "spike": "work_item:3"},
            {"statement": "Labels come in time.", "is_verified": False},
        ],
    )


def test_criteria_burn_up_shows_the_best_eligible_run_of_every_day(scope):
    runs = [
        Run("a", {"test_auc": 0.61}, day=4),
        Run("b", {"test_auc": 0.62, "test_lift": 1.6}, day=5),
        Run("c", {"test_auc": 0.59}, day=6),
        Run("d", {"test_auc": 0.9, "test_lift": 9, "test_gap": 1}, day=6, is_eligible=False),
    ]
    chart = learning.criteria_burn_up([scope], runs, DAYS, zone=UTC)
    # In force from the third day; three of its aims are judged on runs, one elsewhere.
    assert column(chart, "day")[0] == "2026-11-03"
    assert column(chart, "passing") == [0, 1, 2, 2, 2]
    assert column(chart, "total") == [3, 3, 3, 3, 3]
    assert column(chart, "best_run") == ["", "run a", "run b", "run b", "run b"]
    assert "2 of 3 must and guardrail criteria pass, best by run b. 1 more" in chart.description


def test_criteria_burn_up_takes_a_pass_back_once_the_test_data_was_used_too_often(scope):
    looks = [Run(str(number), {"test_auc": 0.61}, day=4) for number in range(4)]
    looks.append(Run("e", {"test_gap": 0.1}, day=6, is_eligible=False))
    elsewhere = Run("f", {"test_auc": 0.1}, day=5, dataset="dataset_version:2")
    chart = learning.criteria_burn_up([scope], [*looks, elsewhere], DAYS, zone=UTC)
    # Four uses are allowed; the fifth, on the sixth day, makes the result no test any more.
    assert column(chart, "passing") == [0, 1, 1, 0, 0]


def test_criteria_burn_up_counts_seeds_as_they_come(scope):
    row = criterion("steady", "test_auc", 0.6, min_runs=2, aggregate="min")
    seeds = [
        Run("a", {"test_auc": 0.61}, day=4, alike="x", seed="1"),
        Run("b", {"test_auc": 0.62}, day=5, alike="x", seed="1"),
        Run("c", {"test_auc": 0.63}, day=6, alike="x", seed="2"),
    ]
    steady = ScopeVersion(1, at(2), [row])
    chart = learning.criteria_burn_up([steady], seeds, DAYS, zone=UTC)
    assert column(chart, "passing") == [0, 0, 0, 0, 1, 1]


def test_criteria_burn_up_takes_only_runs_on_the_data_that_is_asked_for(scope):
    row = criterion("ranks", "test_auc", 0.6, dataset_ref="dataset_version:2")
    asked = ScopeVersion(1, at(2), [row])
    runs = [
        Run("a", {"test_auc": 0.7}, day=4),
        Run("b", {"test_auc": 0.7}, day=6, dataset="dataset_version:2"),
    ]
    chart = learning.criteria_burn_up([asked], runs, DAYS, zone=UTC)
    assert column(chart, "passing") == [0, 0, 0, 0, 1, 1]


def test_criteria_burn_up_judges_by_the_scope_in_force_on_the_day(scope):
    stricter = ScopeVersion(2, at(6, 8), [criterion("ranks", "test_auc", 0.7)])
    runs = [Run("a", {"test_auc": 0.61}, day=4)]
    chart = learning.criteria_burn_up([scope, stricter], runs, DAYS, zone=UTC)
    assert column(chart, "passing") == [0, 1, 1, 0, 0]
    assert column(chart, "total") == [3, 3, 3, 1, 1]


def test_criteria_burn_up_needs_an_approved_scope():
    chart = learning.criteria_burn_up([], [Run("a")], DAYS, zone=UTC)
    assert not chart.table
    assert "approved" in chart.advice


def test_uncertainty_falls_as_questions_are_settled(scope):
    items = [ItemInfo(1, "hypothesis", "H"), ItemInfo(2, "spike", "S"), ItemInfo(3, "spike", "T")]
    items.append(ItemInfo(4, "task", "No question"))
    changes = history(
        created(1, 2),
        created(2, 2),
        created(3, 3),
        created(4, 2),
        moved(1, 5, "done", outcome="refuted"),
        moved(2, 5, "dropped"),
        moved(3, 6, "done", outcome="answered"),
    )
    chart = learning.uncertainty_burn_down(items, changes, [scope], DAYS, zone=UTC)
    assert column(chart, "hypotheses") == [1, 1, 1, 0, 0, 0]
    assert column(chart, "spikes") == [1, 2, 2, 1, 0, 0]
    # None before the scope is approved; one fewer from the day on which its spike is answered.
    assert column(chart, "assumptions") == [0, 2, 2, 2, 1, 1]
    assert column(chart, "total") == [2, 5, 5, 3, 1, 1]


def test_best_metric_stands_beside_target_baseline_and_kill_line(scope):
    sprints = [SprintInfo(1, "One"), SprintInfo(2, "Two"), SprintInfo(3, "Three")]
    runs = [
        Run("a", {"test_auc": 0.58}),
        Run("b", {"test_auc": 0.61}),
        Run("c", {"test_auc": 0.99}, is_eligible=False),
        Run("d", {"validation_auc": 0.7}, sprint=2),
        Run("e", {"test_auc": 0.63}, sprint=2),
        Run("f", {"test_auc": 0.5}, sprint=None),
    ]
    chart = learning.best_metric_by_sprint(scope, runs, sprints)
    assert column(chart, "sprint") == ["One", "Two"]
    assert column(chart, "best") == [0.61, 0.63]
    # A run that is not eligible has looked at the test data like any other.
    assert column(chart, "test_uses") == [3, 1]
    assert column(chart, "so_far") == [3, 4]
    lines = {name: chart.marks[name] for name in ("target", "baseline", "kill")}
    assert lines == {"target": 0.6, "baseline": 0.55, "kill": 0.55}
    assert "run e in Two reached 0.63; the criterion asks for at least 0.6" in chart.description
    assert "4 runs of at most 4" in chart.description


def test_the_leading_metric_is_the_one_that_can_end_the_project(scope):
    criteria = [criterion("lifts", "test_lift", 1.5), *scope.criteria]
    two = ScopeVersion(1, at(2), criteria)
    chart = learning.best_metric_by_sprint(
        two, [Run("a", {"test_auc": 0.6})], [SprintInfo(1, "One")]
    )
    assert (chart.marks["metric"], chart.marks["kill_metric"]) == ("test_auc", "validation_auc")


def test_the_target_of_a_gain_is_measured_from_its_baseline(scope):
    row = criterion("gains", "test_auc", None, min_absolute_change=0.05, baseline="luck")
    gained = ScopeVersion(1, at(2), [row], scope.baselines)
    chart = learning.best_metric_by_sprint(
        gained, [Run("a", {"test_auc": 0.6})], [SprintInfo(1, "One")]
    )
    assert (chart.marks["target"], chart.marks["baseline"], chart.marks["kill"]) == (
        0.55,
        0.5,
        None,
    )


def test_the_best_of_a_metric_that_shall_fall_is_the_lowest(scope):
    row = criterion("loss", "test_loss", 0.4, greater_is_better=False)
    runs = [Run("a", {"test_loss": 0.5}), Run("b", {"test_loss": 0.3})]
    falling = ScopeVersion(1, at(2), [row])
    chart = learning.best_metric_by_sprint(falling, runs, [SprintInfo(1, "One")])
    assert column(chart, "best") == [0.3]


@pytest.mark.parametrize(
    "chart",
    [
        delivery.velocity([]),
        delivery.cumulative_flow([], DAYS, zone=UTC),
        delivery.cycle_time([], [], zone=UTC),
        delivery.work_in_progress([], [], now=START, usual=None),
        gates.gate_lead_time([], now=START),
        economics.runs_and_compute([], []),
        economics.verdicts([], [], []),
        economics.time_boxes([], [], now=START),
        learning.uncertainty_burn_down([], [], [], DAYS, zone=UTC),
        learning.best_metric_by_sprint(None, [], []),
    ],
    ids=lambda chart: chart.name,
)
def test_a_chart_of_nothing_is_empty_and_says_what_to_do(chart):
    assert not chart.table
    assert chart.advice.endswith(".")


def test_the_digest_changes_with_any_number_and_only_then():
    chart = Chart("one", "One", "Text.", [{"day": "2026-11-02", "done": 1.0}], {"unit": "point"})
    same = Chart("one", "One", "Text.", [{"done": 1.0, "day": "2026-11-02"}], {"unit": "point"})
    other = Chart("one", "One", "Text.", [{"day": "2026-11-02", "done": 2.0}], {"unit": "point"})
    assert chart.digest == same.digest
    assert chart.digest != other.digest
