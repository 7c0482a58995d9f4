"""Charts as pictures: the same bytes for the same numbers, and nothing outside them."""

import re
from datetime import UTC, date, datetime

import pytest

from projects.charts.drawing import DRAWINGS, draw
from projects.charts.parts import short_day, wrapped
from projects.rules.charts import burn
from projects.rules.charts.base import Chart
from projects.rules.sprint_series import SprintSpan, sprint_series
from projects.rules.work_history import read_event
from projects.services.charts import PROJECT_CHARTS, SPRINT_CHARTS

DAYS = [f"2026-11-{day:02}" for day in range(1, 13)]


def rows(**columns):
    points = zip(*columns.values(), strict=True)
    return [dict(zip(columns, values, strict=True)) for values in points]


def over_days(**columns):
    return rows(day=DAYS, **{name: [value] * len(DAYS) for name, value in columns.items()})


NAMES = ["Sprint 1: baselines", "Sprint 2: gradient boosting", "Sprint 3"]
CHARTS = [
    Chart("burn-up", "Burn-up", "x", over_days(done=2.0, scope=5.0), {"unit": "point"}),
    Chart("criteria", "Criteria", "x", over_days(passing=1, total=3)),
    Chart("uncertainty", "Open", "x", over_days(hypotheses=1, spikes=2, assumptions=0)),
    Chart("flow", "Flow", "x", over_days(done=1, review=0, doing=2, todo=1, backlog=4)),
    Chart(
        "cycle-time",
        "Cycle",
        "x",
        rows(item=["a"] * 12, finished=DAYS, days=[1.0] * 12),
        {"p50": 1.0, "p85": 2.0, "p95": 3.0},
    ),
    Chart(
        "best-metric",
        "Best",
        "x",
        rows(sprint=NAMES, best=[0.5, None, 0.7], test_uses=[1, 0, 2]),
        {"metric": "auc", "target": 0.6, "baseline": None, "kill": 0.4},
    ),
    Chart(
        "velocity",
        "Velocity",
        "x",
        rows(sprint=NAMES, committed=[5.0, 6, 7], done=[4.0, 6, 8]),
        {"unit": "point", "median": 6.0, "low": 4.0, "high": 8.0},
    ),
    Chart(
        "wip-age",
        "Age",
        "x",
        rows(item=NAMES, status=["doing"] * 3, days=[9.0, 2.0, 0.5]),
        {"usual": 3.0},
    ),
    Chart(
        "gate-lead-time",
        "Gates",
        "x",
        rows(
            gate=["data", "scope", "scope"],
            role=["validator", "decided", "validator"],
            median_days=[None, 2.0, 1.0],
            waiting_days=[3.0, None, 4.0],
        ),
    ),
    Chart("economics", "Runs", "x", rows(sprint=NAMES, runs=[1, 2, 3], compute_hours=[0.1, 0, 2])),
    Chart(
        "verdicts",
        "Verdicts",
        "x",
        rows(
            sprint=NAMES,
            supported=[1, 0, 0],
            refuted=[2, 1, 0],
            inconclusive=[0, 0, 0],
            abandoned=[0, 1, 0],
            open=[0, 0, 3],
        ),
    ),
    Chart("time-boxes", "Boxes", "x", rows(item=NAMES, used_share=[0.5, 1.0, 2.5])),
]


def sprint_burn_down():
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    events = [
        (1, 1, "created", {"status": "todo", "sprint": "sprint:1", "points": 5}),
        (2, 4, "created", {"status": "todo", "sprint": "sprint:1", "points": 3}),
        (1, 6, "moved", {"to": "dropped"}),
    ]
    changes = [
        read_event(item, start.replace(day=day), number, kind, data)
        for number, (item, day, kind, data) in enumerate(events)
    ]
    span = SprintSpan("sprint:1", date(2026, 11, 2), date(2026, 11, 13), start)
    series = sprint_series(span, changes, zone=UTC, now=start.replace(day=9))
    return burn.burn_down(series, date(2026, 11, 13))


CHARTS.append(sprint_burn_down())


def words(picture):
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg.decode())


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_becomes_a_picture_with_title_description_and_its_numbers(chart, narrow):
    picture = draw(chart, narrow=narrow)
    assert (picture.title, picture.description) == (chart.title, chart.description)
    assert picture.table == list(chart.table)
    assert b'role="img"' in picture.svg
    assert b"style=" not in picture.svg
    assert len(picture.svg) < 60_000
    assert draw(chart, narrow=narrow).svg == picture.svg


def test_every_chart_has_a_drawing():
    assert set(DRAWINGS) == {*PROJECT_CHARTS, *SPRINT_CHARTS}


def test_nothing_is_drawn_of_nothing():
    assert draw(Chart("velocity", "Velocity", advice="Close a sprint.")) is None


def test_scope_changes_are_marked_with_how_much():
    said = words(draw(sprint_burn_down()))
    assert "+3" in said
    assert "\N{MINUS SIGN}5" in said
    assert {"added", "removed", "days off"} <= set(said)


def test_few_enough_days_are_labelled_that_none_touch():
    chart = Chart("criteria", "C", "x", rows(day=DAYS * 10, passing=[1] * 120, total=[2] * 120))
    for narrow, most in ((False, 9), (True, 4)):
        labels = [word for word in words(draw(chart, narrow=narrow)) if word.endswith("Nov")]
        assert 2 <= len(labels) <= most


def test_days_are_written_short_and_names_are_wrapped():
    assert (short_day("2026-11-02"), short_day("start")) == ("2 Nov", "start")
    assert wrapped("Sprint 2: gradient boosting", 12) == "Sprint 2:\ngradient\nboosting"
