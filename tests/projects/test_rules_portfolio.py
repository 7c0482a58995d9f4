"""Phases, health, open risk and the nearest date, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.phases import PHASES, PhaseFacts, phase_of, track
from projects.rules.portfolio import Appointment, health_of, net_benefit, next_of, open_risk

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        (PhaseFacts(), "planning"),
        (PhaseFacts(sprints=[("discovery", "active")]), "planning"),
        (PhaseFacts(scopes=["withdrawn"]), "planning"),
        (PhaseFacts(scopes=["draft"]), "scoping"),
        (PhaseFacts(sprints=[("research_spike", "closed")]), "scoping"),
        (PhaseFacts(scopes=["approved"]), "experimentation"),
        (PhaseFacts(scopes=["approved"], sprints=[("build", "planned")]), "experimentation"),
        (PhaseFacts(scopes=["approved"], sprints=[("build", "active")]), "development"),
        (PhaseFacts(gates=[("validation", "open")]), "development"),
        (PhaseFacts(gates=[("validation", "approved")]), "deployment"),
        (PhaseFacts(deployments=["waiting"]), "deployment"),
        (PhaseFacts(deployments=["serving"]), "evaluation"),
        (PhaseFacts(deployments=["refused"]), "evaluation"),
        (PhaseFacts(sprints=[("monitor", "active")]), "evaluation"),
    ],
)
def test_the_phase_is_the_furthest_that_something_has_reached(facts, phase):
    assert phase_of(facts) == phase


statuses = st.sampled_from(["draft", "submitted", "approved", "rejected", "superseded"])
kinds = st.sampled_from(
    ["discovery", "research_spike", "experiment", "build", "release", "monitor"]
)
begun = st.tuples(kinds, st.sampled_from(["planned", "active", "closed", "cancelled"]))
reviews = st.tuples(st.sampled_from(["scope", "data", "validation"]), statuses)


@given(st.lists(statuses), st.lists(begun), st.lists(reviews), begun)
def test_more_happening_never_moves_a_project_back(scopes, sprints, gates, another):
    before = phase_of(PhaseFacts(scopes, sprints, gates))
    after = phase_of(PhaseFacts(scopes, [*sprints, another], gates))
    assert PHASES.index(after) >= PHASES.index(before)


@pytest.mark.parametrize("phase", PHASES)
def test_the_track_has_six_steps_and_one_place_where_the_project_stands(phase):
    steps = track(phase, is_blocked=True)
    assert [step.phase for step in steps] == list(PHASES)
    assert [step.phase for step in steps if step.state == "blocked"] == [phase]
    assert all(step.state == "done" for step in track(phase, is_blocked=True, is_closed=True)
               if PHASES.index(step.phase) <= PHASES.index(phase))  # fmt: skip


def test_health_is_the_worst_thing_and_names_everything():
    late = [Appointment(date(2026, 11, 20), "The end of Sprint 1")]
    assert health_of([("calls", "healthy")], ["low"], []).state == "healthy"
    assert health_of([("calls", "healthy")], ["medium"], late).state == "attention"
    verdict = health_of([("calls", "breach")], ["critical", "low"], late)
    assert verdict.state == "trouble"
    assert verdict.reasons == (
        "calls is in breach.",
        "One grave finding is open.",
        "The end of Sprint 1 was due on 2026-11-20.",
    )


def risk(**changes):
    return {"probability": 4, "impact": 4, "residual_probability": 1, "residual_impact": 2,
            "due": None, **changes}  # fmt: skip


def test_a_treatment_counts_once_its_date_has_come():
    assert open_risk(risk(due=date(2026, 12, 1)), TODAY) == 16
    assert open_risk(risk(due=TODAY), TODAY) == 2
    assert open_risk(risk(due=None), TODAY) == 2
    assert open_risk(risk(residual_impact=None), TODAY) == 16


def test_net_benefit_needs_both_sides():
    assert net_benefit(Decimal(100), Decimal(30), Decimal(20)) == 50
    assert net_benefit(Decimal(10), None, Decimal(20)) == -10
    assert net_benefit(Decimal(100), None, None) is None
    assert net_benefit(None, Decimal(30), None) is None


def test_the_next_date_is_the_nearest_that_is_not_over():
    days = [Appointment(date(2026, 11, day), str(day)) for day in (30, 24, 25)]
    assert next_of(days, TODAY).what == "25"
    assert next_of([], TODAY) is None
