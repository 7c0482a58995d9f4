"""Projects, roles and who may do what."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from ledger.models import LedgerEntry
from projects import access, errors
from projects.actors import person, system
from projects.models import Project, Stakeholder
from projects.services import projects


@pytest.fixture
def today():
    return timezone.now().date()


def test_creator_leads_the_project(superuser, actor):
    project = projects.create_project(actor=actor(superuser), slug="churn", name="Churn")
    assert access.roles_of(superuser, project) == {"lead"}
    events = LedgerEntry.objects.filter(subject=project.ref).values_list("event", flat=True)
    assert list(events.order_by("seq")) == ["project.created", "stakeholder.assigned"]


@pytest.mark.parametrize("who", ["lead", "outsider"])
def test_projects_are_made_by_permission_only(who, request, actor):
    with pytest.raises(errors.NotPermitted) as refusal:
        projects.create_project(
            actor=actor(request.getfixturevalue(who)), slug="churn", name="Churn"
        )
    assert refusal.value.code == "may_not_create_projects"
    assert not Project.objects.exists()


def test_system_makes_no_project(db):
    with pytest.raises(errors.NotPermitted):
        projects.create_project(actor=system("retraining"), slug="churn", name="Churn")


@pytest.mark.parametrize(
    "fields",
    [{"slug": "not a slug"}, {"tier": "extreme"}, {"name": ""}, {"slug": "term-deposit-calls"}],
)
def test_wrong_project_is_refused(project, superuser, actor, fields):
    given = {"slug": "churn", "name": "Churn", **fields}
    with pytest.raises(errors.InvalidInput):
        projects.create_project(actor=actor(superuser), **given)
    assert Project.objects.count() == 1


def test_role_counts_from_its_first_to_its_last_day(project, lead, outsider, actor, today):
    role = projects.assign_role(
        project,
        actor=actor(lead),
        user=outsider,
        role="operations",
        terms=projects.RoleTerms(today + timedelta(days=1), today + timedelta(days=2)),
    )
    assert access.roles_of(outsider, project) == frozenset()
    for valid_from, valid_to, held in (
        (today, today, True),
        (today - timedelta(days=9), today - timedelta(days=1), False),
    ):
        Stakeholder.objects.filter(pk=role.pk).update(valid_from=valid_from, valid_to=valid_to)
        assert (access.roles_of(outsider, project) == {"operations"}) is held
        assert Project.objects.visible_to(actor(outsider)).exists() is held


def test_role_given_again_moves_its_dates_and_keeps_its_line(project, lead, auditor, actor, today):
    for terms in (
        projects.RoleTerms(reporting_line=" Internal audit "),
        projects.RoleTerms(valid_to=today),
    ):
        projects.assign_role(project, actor=actor(lead), user=auditor, role="auditor", terms=terms)
    role = project.stakeholders.get(user=auditor)
    assert (role.valid_to, role.reporting_line) == (today, "Internal audit")


def test_unknown_role_is_refused(project, lead, outsider, actor):
    with pytest.raises(errors.InvalidInput):
        projects.assign_role(project, actor=actor(lead), user=outsider, role="king")
    assert not project.stakeholders.filter(user=outsider).exists()


def test_nobody_gives_a_role_to_themselves(project, lead, actor):
    with pytest.raises(errors.NotPermitted) as refusal:
        projects.assign_role(project, actor=actor(lead), user=lead, role="validator")
    assert refusal.value.code == "own_role"
    assert access.roles_of(lead, project) == {"lead"}


def test_last_lead_stays(project, lead, actor, today):
    role = project.stakeholders.get(role="lead")
    with pytest.raises(errors.RuleViolated) as refusal:
        projects.end_role(role, actor=actor(lead), on=today)
    assert refusal.value.code == "last_lead"
    role.refresh_from_db()
    assert role.valid_to is None


def test_role_cannot_end_before_it_began(project, lead, actor):
    role = project.stakeholders.get(role="validator")
    with pytest.raises(errors.InvalidInput) as refusal:
        projects.end_role(role, actor=actor(lead), on=date(2000, 1, 1))
    assert refusal.value.code == "ends_before_start"


def test_stranger_gets_no_hint(project, outsider, actor):
    with pytest.raises(errors.NotFound):
        access.require(actor(outsider), "project.view", project)


def test_superuser_status_gives_no_role(project, superuser, actor):
    assert access.roles_of(superuser, project) == frozenset()
    with pytest.raises(errors.NotPermitted) as refusal:
        access.require(actor(superuser), "sprint.start", project)
    assert refusal.value.code == "role_missing"


def test_refusal_names_the_roles_that_may(project, auditor, actor):
    with pytest.raises(errors.NotPermitted) as refusal:
        access.require(actor(auditor), "scope.write", project)
    assert "ML engineer" in refusal.value.message
    assert "lead" in refusal.value.details["roles"]
    assert refusal.value.details["held"] == ["auditor"]


def test_inactive_people_hold_no_role(project, lead):
    lead.is_active = False
    assert access.roles_of(lead, project) == frozenset()
    with pytest.raises(ValueError, match="active"):
        person(lead, method="session")


@pytest.mark.parametrize("action", sorted(access.ACTIONS))
def test_auditor_only_reads(project, auditor, actor, action):
    assert access.can(actor(auditor), action, project) is (action == "project.view")


def test_unknown_action_is_an_error_of_the_program(project, lead, actor):
    with pytest.raises(KeyError):
        access.require(actor(lead), "sprint.explode", project)


def test_system_parts_do_only_what_is_listed(project):
    access.require(system("governance"), "scope.decide", project)
    with pytest.raises(errors.NotPermitted) as refusal:
        access.require(system("governance"), "sprint.start", project)
    assert refusal.value.code == "system_not_listed"
    with pytest.raises(errors.NotPermitted):
        access.require_role(system("governance"), project, {"lead"}, action="anything")
