"""Sprints and work items through their commands."""

from datetime import date

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.models import Sprint, WorkItem
from projects.services import sprint_closing, sprints, work_items
from projects.services.sprints import SprintPlan
from projects.services.work_items import NewWorkItem

OBJECTION = "The scope is not approved."


def refuse(sprint: Sprint) -> list[str]:
    return [OBJECTION]


def agree(sprint: Sprint) -> list[str]:
    return []


@pytest.fixture(autouse=True)
def agreeable_guards(settings):
    settings.SPRINT_GUARDS = [f"{__name__}.agree"]


@pytest.fixture
def plan():
    return SprintPlan(
        name="Sprint 1",
        kind=Sprint.Kind.EXPERIMENT,
        goal="Learn which approach ranks best.",
        starts_on=date(2026, 11, 23),
        ends_on=date(2026, 12, 4),
    )


@pytest.fixture
def sprint(project, lead, plan, actor):
    return sprints.plan_sprint(project, plan, actor=actor(lead))


def events_of(subject):
    return list(
        LedgerEntry.objects.filter(subject=subject).order_by("seq").values_list("event", flat=True)
    )


def test_lead_plans_and_starts_a_sprint(sprint, lead, actor):
    sprints.start_sprint(sprint, actor=actor(lead))
    assert sprint.status == Sprint.Status.ACTIVE
    assert sprint.started_at is not None
    assert events_of(sprint.ref) == ["sprint.planned", "sprint.started"]


def test_guard_stops_a_sprint_and_names_its_reason(sprint, lead, actor, settings):
    settings.SPRINT_GUARDS = [f"{__name__}.agree", f"{__name__}.refuse"]
    with pytest.raises(errors.RuleViolated) as refusal:
        sprints.start_sprint(sprint, actor=actor(lead))
    assert refusal.value.code == "sprint_not_allowed"
    assert refusal.value.details["reasons"] == [OBJECTION]
    sprint.refresh_from_db()
    assert sprint.status == Sprint.Status.PLANNED
    assert events_of(sprint.ref) == ["sprint.planned"]


@pytest.mark.parametrize("who", ["data_scientist", "auditor"])
def test_insider_without_the_role_cannot_start(sprint, actor, request, who):
    with pytest.raises(errors.NotPermitted) as refusal:
        sprints.start_sprint(sprint, actor=actor(request.getfixturevalue(who)))
    assert refusal.value.code == "role_missing"
    assert "lead" in refusal.value.message
    assert events_of(sprint.ref) == ["sprint.planned"]


def test_stranger_learns_nothing_of_the_sprint(sprint, outsider, actor):
    with pytest.raises(errors.NotFound):
        sprints.start_sprint(sprint, actor=actor(outsider))


def test_sprint_that_ends_before_it_starts_is_refused(project, lead, plan, actor):
    wrong = SprintPlan(plan.name, plan.kind, plan.goal, plan.ends_on, plan.starts_on)
    with pytest.raises(errors.InvalidInput) as refusal:
        sprints.plan_sprint(project, wrong, actor=actor(lead))
    assert refusal.value.code == "invalid_sprint"
    assert not Sprint.objects.exists()


def test_second_start_of_one_sprint_is_an_illegal_move(sprint, lead, actor):
    sprints.start_sprint(sprint, actor=actor(lead))
    with pytest.raises(errors.InvalidTransition):
        sprints.start_sprint(sprint, actor=actor(lead))


def test_start_on_a_row_read_earlier_is_stale(sprint, lead, actor):
    read_earlier = Sprint.objects.get(pk=sprint.pk)
    sprints.start_sprint(sprint, actor=actor(lead))
    with pytest.raises(errors.StaleState):
        sprints.start_sprint(read_earlier, actor=actor(lead))
    assert events_of(sprint.ref).count("sprint.started") == 1


@pytest.fixture
def hypothesis(approved_scope, sprint, lead, actor, known_facts):
    """A hypothesis that is ready, and done as soon as somebody concludes it."""
    known_facts.a_gate("data", "dataset_version:1")
    item = NewWorkItem(
        kind=WorkItem.Kind.HYPOTHESIS,
        title="A random split flatters the model",
        sprint=sprint,
        metric_key="test_roc_auc",
        expected_effect="Less than 0.02 apart",
        details={
            "dataset_ref": "dataset_version:1",
            "criterion_key": "test_roc_auc",
            "effect": "0.29 less",
            "effect_uncertainty": "0.27 to 0.31",
            "changes_to_scope": "Split by month only.",
        },
    )
    row = work_items.add_work_item(approved_scope.project, item, actor=actor(lead))
    known_facts.a_run("b" * 32, work_item=row.pk)
    return row


def test_refuted_hypothesis_is_done(hypothesis, data_scientist, actor):
    work_items.move_work_item(hypothesis, "doing", actor=actor(data_scientist))
    work_items.conclude_work_item(
        hypothesis,
        actor=actor(data_scientist),
        outcome="refuted",
        conclusion="0.94 becomes 0.65 on later months.",
    )
    assert hypothesis.status == WorkItem.Status.DONE
    assert hypothesis.outcome == WorkItem.Outcome.REFUTED
    kinds = [event.data.get("to") for event in hypothesis.events.all()]
    assert kinds == [None, "doing", "done"]


def test_hypothesis_cannot_be_done_without_an_outcome(hypothesis, data_scientist, actor):
    work_items.move_work_item(hypothesis, "doing", actor=actor(data_scientist))
    with pytest.raises(errors.RuleViolated) as refusal:
        work_items.move_work_item(hypothesis, "done", actor=actor(data_scientist))
    assert refusal.value.code == "conclusion_required"
    assert hypothesis.events.count() == 2


def test_outcome_must_fit_the_kind(hypothesis, data_scientist, actor):
    with pytest.raises(errors.InvalidInput) as refusal:
        work_items.conclude_work_item(
            hypothesis, actor=actor(data_scientist), outcome="answered", conclusion="Yes."
        )
    assert refusal.value.code == "outcome_does_not_fit"
    assert refusal.value.details["outcomes"] == [
        "abandoned",
        "inconclusive",
        "refuted",
        "supported",
    ]


def test_hypothesis_nobody_works_on_cannot_be_concluded(hypothesis, data_scientist, actor):
    with pytest.raises(errors.InvalidTransition):
        work_items.conclude_work_item(
            hypothesis, actor=actor(data_scientist), outcome="refuted", conclusion="No."
        )


def test_reopening_clears_the_outcome_and_keeps_the_events(hypothesis, lead, actor):
    work_items.move_work_item(hypothesis, "doing", actor=actor(lead))
    work_items.conclude_work_item(
        hypothesis, actor=actor(lead), outcome="refuted", conclusion="No."
    )
    work_items.move_work_item(hypothesis, "doing", actor=actor(lead))
    assert (hypothesis.outcome, hypothesis.conclusion) == ("", "")
    assert hypothesis.events.filter(data__outcome="refuted").exists()


def test_run_is_linked_once(hypothesis, data_scientist, actor):
    for _ in range(2):
        work_items.link_run(hypothesis, "a" * 32, actor=actor(data_scientist))
    assert hypothesis.run_ids == ["a" * 32]
    assert events_of(hypothesis.ref).count("work_item.run_linked") == 1


def test_closing_carries_unfinished_work_over(sprint, hypothesis, lead, actor):
    sprints.start_sprint(sprint, actor=actor(lead))
    sprint_closing.close_sprint(
        sprint,
        actor=actor(lead),
        review_notes="Shown to the team leads.",
        force_reason="The team was on leave.",
    )
    hypothesis.refresh_from_db()
    assert sprint.status == Sprint.Status.CLOSED
    assert (hypothesis.status, hypothesis.sprint) == (WorkItem.Status.BACKLOG, None)
    event = hypothesis.events.last()
    assert (event.data["source"], event.data["to"], event.data["left"]) == (
        "todo",
        "backlog",
        sprint.ref,
    )


def test_closed_sprint_takes_no_more_work(project, sprint, lead, actor):
    sprint_closing.cancel_sprint(sprint, actor=actor(lead))
    with pytest.raises(errors.InvalidInput) as refusal:
        work_items.add_work_item(
            project, NewWorkItem("task", "Too late", sprint=sprint), actor=actor(lead)
        )
    assert refusal.value.code == "invalid_work_item"
    assert not WorkItem.objects.exists()


def test_unknown_column_is_refused(hypothesis, lead, actor):
    with pytest.raises(errors.InvalidInput) as refusal:
        work_items.move_work_item(hypothesis, "someday", actor=actor(lead))
    assert refusal.value.code == "unknown_status"
