"""Capacity, closing, the frozen snapshot and going on under a new scope, through the commands."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from ledger.models import LedgerEntry
from projects import errors
from projects.facts import RunFact
from projects.models import (
    Ceremony,
    RetrospectiveAction,
    ScopingDocument,
    Sprint,
    SprintCapacity,
    SprintSnapshot,
    WorkItem,
)
from projects.rules.sprint_series import from_data
from projects.services import capacity, scoping, snapshots, sprint_closing, sprints, work_items
from projects.services.capacity import PersonCapacity
from tests import factories

pytestmark = pytest.mark.django_db

RUNS: list[RunFact] = []


def runs_of(project):
    return RUNS


def refuse(sprint):
    return ["No."]


@pytest.fixture(autouse=True)
def alone(settings):
    settings.SPRINT_GUARDS = []
    settings.RUN_SOURCE = f"{__name__}.runs_of"
    RUNS.clear()


def run(run_id, **metrics):
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return RunFact(run_id, run_id, "FINISHED", at, at, metrics, None, None, "sam", True, 1.0, "")


@pytest.fixture
def by_lead(lead, actor):
    return actor(lead)


@pytest.fixture
def planned(project):
    return factories.SprintFactory(project=project, name="Sprint 1")


@pytest.fixture
def item(project, planned, by_lead):
    def add(title, points=None, sprint=planned):
        new = work_items.NewWorkItem("task", title, sprint=sprint, points=points)
        return work_items.add_work_item(project, new, actor=by_lead)

    return add


@pytest.fixture
def active(planned, item, by_lead):
    item("Committed", 3)
    item("Dropped", 2)
    return sprints.start_sprint(planned, actor=by_lead)


@pytest.fixture
def done(active, project, lead):
    """Give the sprint its review and a retrospective with an action."""
    ceremonies = [
        Ceremony.objects.create(
            project=project,
            sprint=active,
            kind=kind,
            held_on=timezone.localdate(),
            recorded_by=lead,
        )
        for kind in ("review", "retrospective")
    ]
    RetrospectiveAction.objects.create(
        project=project, ceremony=ceremonies[1], text="Pair", owner=lead, due=timezone.localdate()
    )
    return active


def entry(event):
    return LedgerEntry.objects.filter(event=event).last()


# --- Capacity -------------------------------------------------------------------------------------


def test_capacity_is_replaced_as_a_whole(planned, by_lead, data_scientist, ml_engineer):
    capacity.set_capacity(planned, [PersonCapacity(data_scientist, 8, 13)], actor=by_lead)
    capacity.set_capacity(planned, [PersonCapacity(ml_engineer, 4.5)], actor=by_lead)
    (row,) = planned.capacities.all()
    assert (row.person, row.days, row.points) == (ml_engineer, 4.5, None)
    assert entry("sprint.capacity_set").data["people"][0]["days"] == "4.5"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (("sam", -1.0, None), "days"),
        (("sam", float("nan"), None), "days"),
        (("sam", 99.0, None), "days"),
        (("sam", 1.0, -1), "points"),
        (("otto", 1.0, None), "person"),
    ],
)
def test_wrong_capacity_is_refused(planned, by_lead, row, field):
    row = PersonCapacity(factories.UserFactory(username=row[0]), *row[1:])
    with pytest.raises(errors.InvalidInput) as refusal:
        capacity.set_capacity(planned, [row], actor=by_lead)
    assert refusal.value.code == "invalid_capacity"
    assert list(refusal.value.details["errors"]) == [f"people.0.{field}"]
    assert not SprintCapacity.objects.exists()
    assert entry("sprint.capacity_set") is None


def test_capacity_of_an_ended_sprint_stays(done, by_lead, data_scientist):
    sprint_closing.close_sprint(done, actor=by_lead)
    with pytest.raises(errors.RuleViolated) as refusal:
        capacity.set_capacity(done, [PersonCapacity(data_scientist, 1)], actor=by_lead)
    assert refusal.value.code == "sprint_not_open"


@pytest.mark.parametrize("who", ["data_scientist", "auditor"])
def test_only_the_lead_sets_capacity(planned, actor, data_scientist, request, who):
    with pytest.raises(errors.NotPermitted):
        capacity.set_capacity(
            planned,
            [PersonCapacity(data_scientist, 1)],
            actor=actor(request.getfixturevalue(who)),
        )


def test_dropped_items_weigh_nothing(active, by_lead, data_scientist):
    WorkItem.objects.update(assignee=data_scientist)
    capacity.set_capacity(active, [PersonCapacity(data_scientist, 5, 4)], actor=by_lead)
    assert capacity.judge_capacity(active).is_over
    work_items.move_work_item(WorkItem.objects.get(title="Dropped"), "dropped", actor=by_lead)
    assert not capacity.judge_capacity(active).is_over


# --- Starting -------------------------------------------------------------------------------------


def test_two_tracks_run_at_once(project, active, by_lead):
    other = factories.SprintFactory(project=project)
    sprints.start_sprint(other, actor=by_lead)
    assert project.sprints.filter(status="active").count() == 2


def test_start_keeps_the_scope_and_what_was_not_ready(approved_scope, planned, by_lead):
    sprints.start_sprint(planned, actor=by_lead)
    assert planned.scope == approved_scope
    data = entry("sprint.started").data
    assert data["scope"] == approved_scope.ref
    assert "No work item is in the sprint." in data["not_ready"]


def test_policy_may_make_readiness_block(planned, by_lead, monkeypatch):
    policy = sprints.readiness_policy()
    strict = {**policy.limits, "sprint_ready_blocks": 1}
    monkeypatch.setattr(type(policy), "limit", lambda self, name: strict[name])
    with pytest.raises(errors.RuleViolated) as refusal:
        sprints.start_sprint(planned, actor=by_lead)
    assert refusal.value.code == "sprint_not_ready"
    planned.refresh_from_db()
    assert planned.status == Sprint.Status.PLANNED


@pytest.fixture
def superseded(approved_scope, planned, lead, business_owner, by_lead):
    sprints.start_sprint(planned, actor=by_lead)
    content = {**factories.scope_content_of(), "title": "Second try"}
    second = factories.submit_scope(planned.project, lead, content)
    scoping.approve_scoping_document(
        second, actor=factories.session_actor(business_owner), review_ref="gate_review:0"
    )
    return Sprint.objects.get(pk=planned.pk)


def test_running_sprint_on_a_replaced_scope_is_flagged_and_goes_on(superseded):
    assert superseded.is_on_superseded_scope
    assert superseded.status == Sprint.Status.ACTIVE
    assert list(Sprint.objects.to_reaffirm()) == [superseded]


def test_reaffirmed_sprint_works_under_the_new_scope(superseded, by_lead):
    sprints.reaffirm_sprint(superseded, actor=by_lead, reason="The question is the same.")
    assert superseded.scope == ScopingDocument.objects.approved().get()
    assert not superseded.is_on_superseded_scope
    assert entry("sprint.reaffirmed").data["reason"] == "The question is the same."


@pytest.mark.parametrize(
    ("reason", "guards", "code"),
    [(" ", [], "reason_missing"), ("Yes", [f"{__name__}.refuse"], "sprint_not_allowed")],
)
def test_reaffirming_needs_a_reason_and_the_guards(
    superseded, by_lead, settings, reason, guards, code
):
    settings.SPRINT_GUARDS = guards
    with pytest.raises(errors.DomainError) as refusal:
        sprints.reaffirm_sprint(superseded, actor=by_lead, reason=reason)
    assert refusal.value.code == code
    superseded.refresh_from_db()
    assert superseded.is_on_superseded_scope


def test_nothing_to_reaffirm(active, by_lead):
    with pytest.raises(errors.RuleViolated) as refusal:
        sprints.reaffirm_sprint(active, actor=by_lead, reason="Yes")
    assert refusal.value.code == "nothing_to_reaffirm"


# --- Closing --------------------------------------------------------------------------------------


def test_closing_is_refused_until_it_is_done(active, by_lead):
    with pytest.raises(errors.RuleViolated) as refusal:
        sprint_closing.close_sprint(active, actor=by_lead)
    assert refusal.value.code == "sprint_not_done"
    assert len(refusal.value.details["reasons"]) == 2
    active.refresh_from_db()
    assert active.status == Sprint.Status.ACTIVE
    assert not SprintSnapshot.objects.exists()
    assert entry("sprint.closed") is None


def test_closing_with_a_reason_keeps_the_reason(active, by_lead):
    sprint_closing.close_sprint(active, actor=by_lead, force_reason="The team was on leave.")
    assert active.snapshot.data["forced_because"] == "The team was on leave."
    assert len(entry("sprint.closed").data["lacking"]) == 2


def titles(snapshot, name):
    return [one["title"] for one in snapshot.data[name]]


def test_snapshot_tells_every_item_s_fate(done, item, by_lead):
    late = item("Late", 5)
    taken_out = item("Taken out", 1)
    other = factories.SprintFactory(project=done.project, name="Sprint 2")
    work_items.schedule_work_item(taken_out, other, actor=by_lead)
    for to in ("doing", "done"):
        work_items.move_work_item(late, to, actor=by_lead)
    dropped = WorkItem.objects.get(title="Dropped")
    work_items.move_work_item(dropped, "dropped", actor=by_lead)
    sprint_closing.close_sprint(done, actor=by_lead, carry_to=other)
    snapshot = done.snapshot
    assert titles(snapshot, "commitment") == ["Committed", "Dropped"]
    assert titles(snapshot, "added") == ["Late", "Taken out"]
    assert titles(snapshot, "removed") == ["Taken out"]
    assert titles(snapshot, "done") == ["Late"]
    assert titles(snapshot, "cancelled") == ["Dropped"]
    assert titles(snapshot, "carried_over") == ["Committed"]
    assert snapshot.data["carried_over"][0]["to"] == other.ref
    assert snapshot.data["daily"][-1] == {
        "date": timezone.localdate().isoformat(),
        "remaining_points": 3,
        "remaining_items": 1,
        "remaining_hours": 0.0,
        "done_points": 5,
        "scope_points": 8,
    }
    assert from_data(snapshot.data["series"]).commitment.points == 5


def test_digest_in_the_ledger_is_the_digest_of_what_is_stored(done, by_lead):
    sprint_closing.close_sprint(done, actor=by_lead)
    stored = SprintSnapshot.objects.get(sprint=done)
    assert snapshots.digest_of(stored.data) == stored.digest
    assert entry("sprint.closed").data["snapshot"] == stored.digest


def test_later_changes_leave_the_snapshot_as_it_was(done, by_lead):
    sprint_closing.close_sprint(done, actor=by_lead)
    before = SprintSnapshot.objects.get(sprint=done).data
    item = WorkItem.objects.get(title="Committed")
    for to in ("doing", "done"):
        work_items.move_work_item(item, to, actor=by_lead)
    assert SprintSnapshot.objects.get(sprint=done).data == before


def test_unfinished_work_goes_to_the_next_sprint_with_its_history(done, by_lead):
    item = WorkItem.objects.get(title="Committed")
    work_items.move_work_item(item, "doing", actor=by_lead)
    following = factories.SprintFactory(project=done.project)
    sprint_closing.close_sprint(done, actor=by_lead, carry_to=following)
    item.refresh_from_db()
    assert (item.sprint, item.status) == (following, "doing")
    last = item.events.last().data
    assert (last["left"], last["joined"]) == (done.ref, following.ref)


def test_finished_items_never_move(done, by_lead):
    item = WorkItem.objects.get(title="Committed")
    for to in ("doing", "done"):
        work_items.move_work_item(item, to, actor=by_lead)
    sprint_closing.close_sprint(done, actor=by_lead)
    item.refresh_from_db()
    assert (item.sprint, item.status) == (done, "done")


@pytest.mark.parametrize("other", ["foreign", "same", "over"])
def test_nothing_is_carried_to_a_sprint_that_takes_nothing(done, by_lead, other):
    targets = {
        "foreign": factories.SprintFactory(),
        "same": done,
        "over": factories.SprintFactory(project=done.project, status="closed"),
    }
    with pytest.raises(errors.RuleViolated) as refusal:
        sprint_closing.close_sprint(done, actor=by_lead, carry_to=targets[other])
    assert refusal.value.code == "sprint_not_open"
    assert not SprintSnapshot.objects.exists()


def test_person_days_are_prorated_when_it_closes_early(done, by_lead, data_scientist):
    capacity.set_capacity(done, [PersonCapacity(data_scientist, 10)], actor=by_lead)
    assert snapshots._actual_days(done, datetime.combine(
        done.starts_on - timedelta(days=1), datetime.min.time(), tzinfo=UTC)) == 0  # fmt: skip
    end = datetime.combine(done.ends_on, datetime.min.time(), tzinfo=UTC)
    assert snapshots._actual_days(done, end) == 10


def test_a_sprint_that_ran_leaves_a_snapshot_when_cancelled(active, by_lead):
    sprint_closing.cancel_sprint(active, actor=by_lead)
    assert titles(active.snapshot, "carried_over") == ["Committed", "Dropped"]
    assert entry("sprint.cancelled").data["snapshot"] == active.snapshot.digest


def test_a_sprint_that_never_ran_leaves_none(planned, item, by_lead):
    waiting = item("Waiting")
    sprint_closing.cancel_sprint(planned, actor=by_lead)
    waiting.refresh_from_db()
    assert waiting.sprint is None
    assert not SprintSnapshot.objects.exists()


# --- Kill criteria --------------------------------------------------------------------------------


@pytest.fixture
def killing(approved_scope, done):
    """Put the running sprint under a scope whose one kill criterion is due."""
    Sprint.objects.filter(pk=done.pk).update(scope=approved_scope)
    kills = approved_scope.criteria.filter(level="kill")
    keep = kills.first()
    kills.exclude(pk=keep.pk).delete()
    kills.update(by_sprint=1, by_date=None, metric_key="validation_auc", threshold=0.6,
                 dataset_role="validation", greater_is_better=True)  # fmt: skip
    return Sprint.objects.get(pk=done.pk)


@pytest.mark.parametrize(("value", "failed"), [(0.5, True), (0.7, False)])
def test_kill_criterion_is_judged_at_the_end_and_kept(killing, by_lead, value, failed):
    RUNS[:] = [run("a" * 32, validation_auc=0.1), run("b" * 32, validation_auc=value)]
    sprint_closing.close_sprint(killing, actor=by_lead)
    (result,) = killing.snapshot.data["kill_criteria"]
    assert (result["has_failed"], result["run"], result["is_due"]) == (failed, "b" * 32, True)
    assert bool(entry("sprint.closed").data["failed_kill_criteria"]) is failed


def test_failed_kill_criterion_holds_up_the_next_experiment_until_decided(
    killing, by_lead, lead, settings
):
    settings.SPRINT_GUARDS = ["projects.guards.require_kind"]
    sprint_closing.close_sprint(killing, actor=by_lead)
    following = factories.SprintFactory(project=killing.project)
    with pytest.raises(errors.RuleViolated) as refusal:
        sprints.start_sprint(following, actor=by_lead)
    assert refusal.value.code == "sprint_not_allowed"
    assert "record a meeting" in refusal.value.details["reasons"][0]
    Ceremony.objects.create(
        project=killing.project, kind="post_experimentation", decision="go",
        held_on=timezone.localdate(), recorded_by=lead,
    )  # fmt: skip
    assert sprints.start_sprint(following, actor=by_lead).status == Sprint.Status.ACTIVE
