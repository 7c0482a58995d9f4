"""What a sprint needs to start and to end, by values alone."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules import capacity, kill_criteria, sprint_done, sprint_kinds
from projects.rules.capacity import Capacity, Load
from projects.rules.criteria import CriterionSpec
from projects.rules.sprint_done import DoneFacts, ReadyFacts
from projects.rules.sprint_kinds import ApproachFacts, KillFacts, ScopeFacts, SprintFacts
from tests.projects.chart_facts import Run

LIMITS = {
    "discovery_sprints_max": 2,
    "research_weeks_max": 4,
    "working_days_a_week": 5,
    "research_share": 0.4,
}
SCOPE = ScopeFacts("scope v1", [ApproachFacts("Boosting", 1, 5)], 0, 80.0)
EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def objections(kind, **facts):
    return sprint_kinds.objections(SprintFacts(kind, **facts), LIMITS)


def test_discovery_needs_a_problem_and_a_sponsor():
    problem, sponsor = objections("discovery", leads=["Lena"])
    assert "states the problem" in problem
    assert "Lena" in problem
    assert "business owner" in sponsor


def test_discovery_is_capped():
    facts = {"has_problem_statement": True, "sponsors": ["Bruno"]}
    assert objections("discovery", **facts, other_discoveries=1) == []
    (reason,) = objections("discovery", **facts, other_discoveries=2)
    assert "had its 2 discovery sprints" in reason


def test_research_needs_a_scope_with_boxed_approaches_and_an_answered_tier():
    assert "at least as a draft" in objections("research_spike")[0]
    loose = ScopeFacts(
        "scope v2", [ApproachFacts("Rules", 1, 3), ApproachFacts("Nets", 2, None)], 2
    )
    box, tier = objections("research_spike", latest=loose, research_days=5)
    assert box == "scope v2 gives no time box for Nets."
    assert "2 questions are open" in tier


@pytest.mark.parametrize(
    ("expected_days", "days", "allowed"),
    [
        (80, 32, True),
        (80, 33, False),
        (20, 20, True),
        (20, 21, False),
        (0, 20, True),
        (0, 21, False),
    ],
)
def test_research_stays_within_a_share_of_the_effort_or_four_weeks(expected_days, days, allowed):
    scope = ScopeFacts("scope v1", SCOPE.approaches, 0, expected_days)
    found = objections("research_spike", latest=scope, research_days=days)
    assert (found == []) is allowed


@given(st.floats(0, 500), st.integers(0, 100))
def test_more_research_is_never_allowed_where_less_is_refused(expected_days, days):
    scope = ScopeFacts("scope v1", SCOPE.approaches, 0, expected_days)
    if objections("research_spike", latest=scope, research_days=days):
        assert objections("research_spike", latest=scope, research_days=days + 1)


def test_building_needs_one_approach_ranked_first():
    assert objections("build", approved=SCOPE) == []
    tie = ScopeFacts("scope v1", [ApproachFacts("A", 1, 3), ApproachFacts("B", 1, 3)])
    assert objections("build", approved=tie) == ["scope v1 ranks A, B first; choose one of them."]
    assert "rank 1" in objections("build", approved=ScopeFacts("scope v1"))[0]


@pytest.mark.parametrize("kind", ["release", "monitor"])
def test_release_and_monitor_name_their_version(kind):
    assert "name it" in objections(kind)[0]
    assert objections(kind, model_ref="model_version:3") == []


@pytest.mark.parametrize("kind", ["experiment", "build"])
@pytest.mark.parametrize(
    ("decision", "rescoped_at", "word"),
    [
        ("", None, "record a meeting"),
        ("stop", None, "decided to stop"),
        ("rescope", EARLY, "a new version of the scope is needed"),
        ("rescope", LATE, ""),
        ("go", None, ""),
    ],
)
def test_a_failed_kill_criterion_waits_for_a_decision(kind, decision, rescoped_at, word):
    decided_at = datetime(2026, 3, 15, tzinfo=UTC) if decision else None
    killed = KillFacts("Sprint 1", ["No signal"], decision, decided_at, rescoped_at)
    found = objections(kind, approved=SCOPE, killed=killed)
    assert len(found) == bool(word)
    assert all(word in reason and "No signal" in reason for reason in found)


def test_a_failed_kill_criterion_does_not_stop_research():
    assert objections("research_spike", latest=SCOPE, killed=KillFacts("S", ["No signal"])) == []


# --- Capacity -------------------------------------------------------------------------------------


def judged(capacities, loads):
    return capacity.judge(capacities, loads, hours_per_day=8)


def test_over_commitment_is_told_per_person_and_in_total():
    verdict = judged([Capacity("Sam", 5, 8), Capacity("Mia", 5, 5)], [
        Load("Sam", 13), Load("Mia", 3, 48), Load("", 2),
    ])  # fmt: skip
    assert verdict.reasons == [
        "Mia is given 48 hours and has 40.",
        "Sam is given 13 points and can take 8.",
        "The sprint is given 18 points and can take 13.",
    ]
    assert (verdict.unassigned, verdict.points, verdict.capacity_points) == (1, 18, 13)


def test_work_of_somebody_without_capacity_is_told():
    assert judged([Capacity("Sam", 5)], [Load("Mia", 1)]).reasons == [
        "Mia has 1 item, but no capacity is stated."
    ]


def test_where_nobody_stated_capacity_nobody_has_too_much():
    assert not judged([], [Load("Sam", 100, 1000)]).is_over


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 80))),
    st.integers(0, 60),
)
def test_more_time_never_makes_a_load_too_much(work, days):
    loads = [Load(name, points, hours) for name, points, hours in work]

    def is_over(days):
        return judged([Capacity(name, days, days) for name in "abc"], loads).is_over

    assert is_over(days) or not is_over(days + 1)


# --- Ready and done -------------------------------------------------------------------------------


def test_ready_names_what_is_missing():
    assert len(sprint_done.not_ready(ReadyFacts("", has_capacity=False, items=0))) == 3
    whole = ReadyFacts("Learn", has_capacity=True, items=2)
    assert sprint_done.not_ready(whole) == []


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (DoneFacts(False, True, True), "review"),
        (DoneFacts(True, False, False), "retrospective"),
        (DoneFacts(True, True, False), "no action"),
        (DoneFacts(True, True, False, " "), "no action"),
    ],
)
def test_done_names_the_one_thing_that_is_missing(facts, word):
    (reason,) = sprint_done.not_done(facts)
    assert word in reason


def test_done_with_actions_or_with_a_reason_for_none():
    assert sprint_done.not_done(DoneFacts(True, True, True)) == []
    assert sprint_done.not_done(DoneFacts(True, True, False, "Nothing new.")) == []


# --- Kill criteria --------------------------------------------------------------------------------


def run(run_id, *, day=3, is_eligible=True, **metrics):
    return Run(run_id, metrics, day=day, is_eligible=is_eligible)


class Kill(CriterionSpec):
    title = "There is signal"


def spec(**changes):
    fields = {"key": "signal", "metric_key": "auc", "greater_is_better": True, "threshold": 0.65}
    return Kill(**{**fields, "level": "kill", "dataset_role": "validation", **changes})


def kill(criterion, runs, today=date(2026, 6, 1), ended=1):
    (result,) = kill_criteria.judge_all([criterion], runs, {}, today=today, sprints_ended=ended)
    return result


def test_the_best_run_decides():
    runs = [run("a", auc=0.5), run("b", auc=0.7), run("c", f1=1.0)]
    result = kill(spec(by_sprint=1), runs)
    assert (result.run_id, result.has_failed, result.is_due) == ("b", False, True)
    low = kill(spec(by_sprint=1, greater_is_better=False, threshold=0.55), runs)
    assert (low.run_id, low.has_failed) == ("a", False)


def test_a_run_that_may_not_count_saves_nothing():
    runs = [run("a", auc=0.5), run("b", is_eligible=False, auc=0.9)]
    result = kill(spec(by_sprint=1), runs)
    assert (result.run_id, result.has_failed) == ("a", True)


@pytest.mark.parametrize(("looks", "state"), [(1, "pass"), (2, "fail")])
def test_every_look_at_the_test_data_counts_whether_or_not_the_run_may(looks, state):
    criterion = spec(by_sprint=1, metric_key="test_auc", dataset_role="test", test_use_limit=1)
    others = [run(f"x{n}", is_eligible=False, test_f1=0.1) for n in range(looks - 1)]
    result = kill(criterion, [run("a", test_auc=0.7), *others])
    assert (result.run_id, result.outcome.state) == ("a", state)


def test_a_missing_number_fails_only_once_it_is_due():
    assert kill(spec(by_sprint=1), []).has_failed
    assert kill(spec(by_sprint=2), []).has_failed is False
    assert kill(spec(by_date=date(2026, 6, 1)), []).has_failed
    later = kill(spec(by_date=date(2026, 6, 2)), [])
    assert (later.is_due, later.outcome.state) == (False, "missing")
