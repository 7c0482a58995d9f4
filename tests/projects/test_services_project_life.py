"""Pausing, resuming and closing projects, their tier, and what closed ones teach."""

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.models import Project, ScopingDocument, Sprint, SprintSnapshot
from projects.services import project_life, scoping, sprints
from tests import factories


def events_of(project):
    entries = LedgerEntry.objects.filter(subject=project.ref).order_by("seq")
    return list(entries.values_list("event", flat=True))


def test_project_rests_goes_on_and_ends(project, lead, actor):
    project_life.pause_project(project, actor=actor(lead))
    assert project.status == "paused"
    project_life.resume_project(project, actor=actor(lead))
    assert project.status == "active"
    project_life.close_project(project, actor=actor(lead))
    assert project.status == "closed"
    assert events_of(project) == ["project.paused", "project.resumed", "project.closed"]


@pytest.mark.parametrize(
    "command", [project_life.pause_project, project_life.resume_project, project_life.close_project]
)
def test_closed_project_stays_closed(project, lead, actor, command):
    project_life.close_project(project, actor=actor(lead))
    with pytest.raises(errors.InvalidTransition):
        command(project, actor=actor(lead))
    assert events_of(project) == ["project.closed"]


@pytest.mark.parametrize("command", [project_life.pause_project, project_life.close_project])
def test_project_with_an_active_sprint_goes_on(project, lead, actor, command):
    sprint = factories.SprintFactory(project=project, status="active", name="Sprint of May")
    with pytest.raises(errors.RuleViolated) as refusal:
        command(project, actor=actor(lead))
    assert refusal.value.code == "project_has_active_sprints"
    assert "Sprint of May" in refusal.value.details["reasons"][0]
    project.refresh_from_db()
    assert (project.status, events_of(project)) == ("active", [])
    Sprint.objects.filter(pk=sprint.pk).update(status="closed")
    command(project, actor=actor(lead))


@pytest.mark.parametrize("who", ["data_scientist", "business_owner", "auditor"])
def test_only_the_lead_ends_a_project(project, actor, who, request):
    with pytest.raises(errors.NotPermitted) as refusal:
        project_life.close_project(project, actor=actor(request.getfixturevalue(who)))
    assert refusal.value.code == "role_missing"
    project.refresh_from_db()
    assert project.status == "active"


def test_second_of_two_decisions_is_stale(project, lead, actor):
    read_earlier = Project.objects.get(pk=project.pk)
    project_life.close_project(project, actor=actor(lead))
    with pytest.raises(errors.StaleState):
        project_life.pause_project(read_earlier, actor=actor(lead))


def test_no_sprint_starts_in_a_project_that_rests(project, lead, actor):
    sprint = factories.SprintFactory(project=project, kind="discovery")
    project_life.pause_project(project, actor=actor(lead))
    with pytest.raises(errors.RuleViolated) as refusal:
        sprints.start_sprint(sprint, actor=actor(lead))
    assert refusal.value.code == "project_not_active"
    sprint.refresh_from_db()
    assert sprint.status == "planned"


def test_approved_scope_gives_the_project_its_tier(
    project, lead, business_owner, scope_content, actor
):
    light = {name: 0 for name in scope_content if name.startswith("tier_")}
    submitted = factories.submit_scope(project, lead, {**scope_content, **light})
    assert project.tier == "medium"
    scoping.approve_scoping_document(
        submitted, actor=actor(business_owner), review_ref="gate_review:1"
    )
    project.refresh_from_db()
    assert project.tier == "low"
    change = LedgerEntry.objects.get(event="project.tier_changed")
    data = change.data
    assert (data["from"], data["to"]) == ("medium", "low")
    assert submitted.ref in data["because"]


def test_approval_at_the_same_tier_changes_nothing(approved_scope):
    assert "project.tier_changed" not in events_of(approved_scope.project)


def test_document_does_not_choose_a_weaker_review(project, lead, scope_content):
    readings = {}
    for answer in (0, 1, 3):
        answers = {name: answer for name in scope_content if name.startswith("tier_")}
        draft = factories.write_scope(project, lead, {**scope_content, **answers})
        readings[answer] = scoping.review_tier(project, scoping.assess(draft).tier)
    assert readings == {0: "medium", 1: "medium", 3: "high"}
    lowered = {**scope_content, "tier_override": "low", "tier_override_reason": "Small."}
    draft = factories.write_scope(project, lead, lowered)
    project.tier = "low"
    assert scoping.review_tier(project, scoping.assess(draft).tier) == "medium"


def closed_project(lead, content, days, **fields):
    """Return a closed project whose agreed scope is `content` and whose sprint took `days`."""
    other = factories.ProjectFactory(status="closed", **fields)
    scope = factories.ScopingDocumentFactory(project=other)
    for row in content["estimates"]:
        scope.estimates.create(**row)
    ScopingDocument.objects.filter(pk=scope.pk).update(
        status="approved", submitted_at="2026-01-01T00:00:00Z", content_hash="0" * 64
    )
    sprint = factories.SprintFactory(project=other, status="closed")
    SprintSnapshot.objects.create(sprint=sprint, data={"person_days": days}, digest="0" * 64)
    return other


def test_estimate_is_held_against_closed_projects(project, lead, scope_content):
    draft = factories.write_scope(project, lead, scope_content)
    alone = scoping.assess(draft).estimate
    assert alone.multiplier is None
    for days in (alone.expected_days, 2 * alone.expected_days, 3 * alone.expected_days):
        closed_project(lead, scope_content, days)
    closed_project(lead, scope_content, None)
    estimate = scoping.assess(draft).estimate
    assert estimate.multiplier == pytest.approx(2.0)
    assert estimate.adjusted_days == pytest.approx(2 * alone.expected_days)


def test_running_projects_and_the_project_itself_teach_nothing(project, lead, scope_content):
    draft = factories.write_scope(project, lead, scope_content)
    other = closed_project(lead, scope_content, 100)
    Project.objects.filter(pk=other.pk).update(status="active")
    assert scoping.assess(draft).estimate.multiplier is None


def test_closed_projects_are_read_in_a_constant_number_of_queries(
    project, lead, scope_content, django_assert_max_num_queries
):
    draft = factories.write_scope(project, lead, scope_content)
    for days in range(10, 16):
        closed_project(lead, scope_content, days)
    content = scoping.content_of(draft)
    with django_assert_max_num_queries(6):
        scoping.assess_content(project, content, authors=[lead.pk])
