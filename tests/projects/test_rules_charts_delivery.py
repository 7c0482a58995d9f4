"""Charts of delivery, gates and economics as numbers; every figure is worked out by hand."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from projects.rules.charts import delivery, economics, gates
from projects.rules.charts.base import ItemInfo, SprintInfo, percentile, thinned
from projects.rules.charts.delivery import ClosedSprint
from tests.projects.chart_facts import (
    DAYS,
    REF,
    Run,
    at,
    column,
    created,
    history,
    moved,
    series_of,
)

# --- Delivery -------------------------------------------------------------------------------------


def closed(name, kind, points):
    changes = history(created(1, 1, sprint=REF, points=points), moved(1, 3, "done"))
    return ClosedSprint(name, kind, series_of(changes, last=6))


def test_velocity_is_the_median_and_range_of_the_last_six_engineering_sprints():
    done = [40, 9, 7, 12, 8, 10, 11]
    sprints = [closed(f"Build {n}", "build", points) for n, points in enumerate(done)]
    sprints.insert(3, closed("Research", "experiment", 99))
    chart = delivery.velocity(sprints)
    # The first is older than the last six; the experiment has no velocity.
    assert column(chart, "done") == [9, 7, 12, 8, 10, 11]
    assert chart.marks == {"unit": "point", "median": 9.5, "low": 7, "high": 12}
    assert chart.description == ("The median of 6 sprints is 9.5 points; they ranged from 7 to 12.")


def test_velocity_of_research_does_not_exist():
    assert not delivery.velocity([closed("Research", "experiment", 5)]).table


def test_velocity_counts_items_where_nothing_was_estimated():
    chart = delivery.velocity([closed("Build", "build", None)])
    assert (chart.marks["unit"], column(chart, "done")) == ("item", [1])


def test_cumulative_flow_counts_every_column_at_the_end_of_each_day():
    changes = history(
        (1, 2, "created", {"status": "backlog"}),
        created(2, 2),
        moved(2, 3, "doing"),
        moved(1, 4, "todo"),
        moved(2, 5, "done"),
        moved(2, 6, "doing"),
        moved(1, 7, "dropped"),
    )
    chart = delivery.cumulative_flow(changes, DAYS, zone=UTC)
    assert column(chart, "backlog") == [1, 1, 0, 0, 0, 0]
    assert column(chart, "todo") == [1, 0, 1, 1, 1, 0]
    assert column(chart, "doing") == [0, 1, 1, 0, 1, 1]
    assert column(chart, "done") == [0, 0, 0, 1, 0, 0]


def test_cycle_time_runs_from_the_first_start_to_the_last_end():
    items = [ItemInfo(number, "task", f"T{number}") for number in range(1, 5)]
    changes = history(
        moved(1, 2, "doing"),
        moved(1, 4, "done"),
        moved(2, 2, "doing"),
        moved(2, 3, "done"),
        moved(2, 5, "doing"),
        moved(2, 8, "done"),
        moved(3, 3, "doing"),
        moved(3, 3, "done"),
        moved(4, 3, "doing"),
    )
    chart = delivery.cycle_time(items, changes, zone=UTC)
    assert dict(zip(column(chart, "item"), column(chart, "days"), strict=True)) == {
        "T1": 2.0,
        "T2": 6.0,
        "T3": 0.0,
    }
    assert (chart.marks["p50"], chart.marks["p85"]) == (2.0, 6.0)


def test_a_reopened_item_has_no_cycle_time_until_it_is_finished_again():
    changes = history(moved(1, 2, "doing"), moved(1, 4, "done"), moved(1, 5, "doing"))
    assert not delivery.cycle_time([ItemInfo(1, "task", "T")], changes, zone=UTC).table


def test_work_in_progress_is_shown_by_age_against_the_usual_cycle_time():
    items = [ItemInfo(number, "task", f"T{number}") for number in range(1, 4)]
    changes = history(
        moved(1, 7, "doing"), moved(2, 2, "doing"), moved(2, 3, "review"), moved(3, 2, "todo")
    )
    chart = delivery.work_in_progress(items, changes, now=at(9), usual=3.0)
    assert [(row["item"], row["days"]) for row in chart.table] == [("T2", 7.0), ("T1", 2.0)]
    assert "1 of them longer than 85 %" in chart.description


def test_percentiles_are_values_that_occurred():
    values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [percentile(values, share) for share in (0.5, 0.85, 0.95)] == [5, 9, 10]
    assert percentile([7], 0.5) == 7


def test_long_spans_are_thinned_and_end_today():
    days = thinned(date(2026, 1, 1), date(2026, 12, 31), most=100)
    assert days[-1] == date(2026, 12, 31)
    assert len(days) <= 100
    assert {later - day for day, later in pairwise(days)} == {timedelta(days=4)}


# --- Gates and economics --------------------------------------------------------------------------


@dataclass(frozen=True)
class Gate:
    gate: str
    requested_at: datetime
    decided_at: datetime | None = None
    waits_for: dict = field(default_factory=dict)
    decisions: tuple = ()
    subject_label: str = "scope v1"


def test_gate_lead_time_by_gate_and_role_with_whom_it_waits_for():
    passages = [
        Gate("scope", at(2), at(5), decisions=(("business_owner", at(3)), ("validator", at(5)))),
        Gate("scope", at(6), at(7), decisions=(("business_owner", at(7)),)),
        Gate("data", at(4), waits_for={"data_owner": ["Dora"]}),
    ]
    chart = gates.gate_lead_time(passages, now=at(10))
    rows = {(row["gate"], row["role"]): row for row in chart.table}
    assert list(rows) == [
        ("data", "data owner"),
        ("scope", "decided"),
        ("scope", "business owner"),
        ("scope", "validator"),
    ]
    whole = rows["scope", "decided"]
    assert (whole["passages"], whole["median_days"], whole["longest_days"]) == (2, 2.0, 3.0)
    assert rows["scope", "business owner"]["median_days"] == 1.0
    assert rows["data", "data owner"]["waiting_days"] == 6.0
    assert rows["data", "data owner"]["waits_for"] == "Dora"
    assert "data, 6 days for Dora" in chart.description


def test_runs_and_compute_hours_by_sprint():
    runs = [Run("a"), Run("b", compute_seconds=1800), Run("c", sprint=None), Run("d", sprint=77)]
    chart = economics.runs_and_compute(runs, [SprintInfo(1, "One"), SprintInfo(2, "Two")])
    assert [dict(row) for row in chart.table] == [
        {"sprint": "One", "runs": 2, "compute_hours": 1.5},
        {"sprint": "no sprint", "runs": 2, "compute_hours": 2.0},
    ]
    assert chart.description == "4 runs took 3.5 compute hours."


def test_verdicts_count_a_refuted_hypothesis_as_settled():
    items = [ItemInfo(number, "hypothesis", f"H{number}") for number in range(1, 6)]
    changes = history(
        *(created(number, 2, sprint=REF) for number in range(1, 6)),
        moved(1, 3, "done", outcome="supported"),
        moved(2, 3, "done", outcome="refuted"),
        moved(3, 3, "done", outcome="refuted"),
        moved(4, 3, "dropped"),
    )
    chart = economics.verdicts(items, changes, [SprintInfo(1, "One")])
    row = dict(chart.table[0])
    assert (row["supported"], row["refuted"], row["inconclusive"], row["open"]) == (1, 2, 0, 1)
    assert "33% supported, 67% refuted, 0% inconclusive" in chart.description


def test_time_box_use_runs_from_being_taken_up_to_the_end():
    items = [ItemInfo(1, "spike", "S", 24), ItemInfo(2, "spike", "T", 8), ItemInfo(3, "task", "U")]
    changes = history(
        moved(1, 2, "doing"),
        moved(1, 3, "done"),
        moved(2, 3, "doing"),
        moved(3, 3, "doing"),
    )
    chart = economics.time_boxes(items, changes, now=at(4))
    assert [(row["item"], row["used_hours"], row["used_share"]) for row in chart.table] == [
        ("S", 24.0, 1.0),
        ("T", 24.0, 3.0),
    ]
    assert "1 of 2 time boxes ran over" in chart.description
