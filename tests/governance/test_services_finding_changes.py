"""A finding's owner, date and severity change by recorded acts; closed ones may come back."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Finding, GateReview
from governance.services import finding_changes, findings
from governance.services.finding_changes import Plan
from governance.services.findings import NewFinding
from ledger.models import LedgerEntry
from projects.errors import InvalidInput, InvalidTransition, NotFound, NotPermitted, RuleViolated
from projects.models import Project
from tests.factories import StakeholderFactory, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def day(ahead: int) -> date:
    return timezone.now().date() + timedelta(days=ahead)


@pytest.fixture
def finding(review: GateReview, risk_officer: User) -> Finding:
    new = NewFinding(
        review.project,
        "model_version",
        fakes.MODEL,
        "Leak?",
        "",
        "high",
        due_on=day(7),
        review=review,
        recommended_action="Drop the column.",
    )
    return findings.open_finding(new, actor=session_actor(risk_officer))


def test_it_keeps_the_review_in_which_it_was_raised(finding: Finding, review: GateReview) -> None:
    assert (finding.review, finding.recommended_action) == (review, "Drop the column.")


def test_it_names_no_review_of_another_project(review: GateReview, outsider: User) -> None:
    elsewhere = StakeholderFactory(user=outsider, role="lead").project
    new = NewFinding(elsewhere, "model_version", fakes.MODEL, "x", "", "low", review=review)
    with pytest.raises(NotFound):
        findings.open_finding(new, actor=session_actor(outsider))
    assert not Finding.objects.exists()


def test_owner_and_date_are_given_on_record(
    finding: Finding, lead: User, data_scientist: User
) -> None:
    plan = Plan(owner=data_scientist, due_on=day(3))
    finding_changes.plan_finding(finding, plan, actor=session_actor(lead))
    assert (finding.owner, finding.due_on) == (data_scientist, day(3))
    data = LedgerEntry.objects.get(event="finding.planned").data
    assert (data["due_before"], data["due_on"]) == (day(7).isoformat(), day(3).isoformat())


@pytest.mark.parametrize("later", [day(8), None])
def test_putting_it_off_takes_a_reason(finding: Finding, lead: User, later: date | None) -> None:
    actor = session_actor(lead)
    with pytest.raises(InvalidInput) as error:
        finding_changes.plan_finding(finding, Plan(owner=None, due_on=later), actor=actor)
    assert error.value.code == "reason_missing"
    finding.refresh_from_db()
    assert finding.due_on == day(7)
    plan = Plan(owner=None, due_on=later, reason="The data comes late.")
    finding_changes.plan_finding(finding, plan, actor=actor)
    assert finding.due_on == later


@pytest.mark.parametrize("who", ["outsider", "auditor"])
def test_who_only_reads_or_has_no_part_owns_no_finding(
    finding: Finding, lead: User, who: str, request: Any
) -> None:
    plan = Plan(owner=request.getfixturevalue(who), due_on=day(7))
    with pytest.raises(RuleViolated) as error:
        finding_changes.plan_finding(finding, plan, actor=session_actor(lead))
    assert error.value.code == "owner_unfit"
    finding.refresh_from_db()
    assert finding.owner is None


def test_a_date_lies_ahead(finding: Finding, lead: User) -> None:
    with pytest.raises(InvalidInput) as error:
        finding_changes.plan_finding(finding, Plan(None, day(-1)), actor=session_actor(lead))
    assert error.value.code == "due_in_the_past"


def test_oversight_changes_the_severity_with_a_reason(finding: Finding, validator: User) -> None:
    actor = session_actor(validator)
    with pytest.raises(InvalidInput):
        finding_changes.regrade_finding(finding, "low", actor=actor, reason=" ")
    finding_changes.regrade_finding(finding, "low", actor=actor, reason="It is a stale column.")
    assert finding.severity == "low"
    data = LedgerEntry.objects.get(event="finding.regraded").data
    assert (data["before"], data["severity"]) == ("high", "low")


@pytest.mark.parametrize("who", ["lead", "data_scientist", "auditor"])
def test_builders_and_auditors_regrade_nothing(finding: Finding, who: str, request: Any) -> None:
    actor = session_actor(request.getfixturevalue(who))
    with pytest.raises(NotPermitted):
        finding_changes.regrade_finding(finding, "low", actor=actor, reason="x")
    finding.refresh_from_db()
    assert finding.severity == "high"


def test_an_author_who_also_oversees_may_raise_it_but_not_play_it_down(
    finding: Finding, data_scientist: User
) -> None:
    StakeholderFactory(project=finding.project, user=data_scientist, role="validator")
    actor = session_actor(data_scientist)
    with pytest.raises(NotPermitted) as error:
        finding_changes.regrade_finding(finding, "low", actor=actor, reason="x")
    assert error.value.code == "not_independent"
    finding_changes.regrade_finding(finding, "critical", actor=actor, reason="Worse than said.")
    assert finding.severity == "critical"


def test_an_author_of_the_subject_does_not_verify(
    finding: Finding, lead: User, data_scientist: User
) -> None:
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Dropped.")
    with pytest.raises(NotPermitted) as error:
        findings.close_finding(finding, actor=session_actor(data_scientist))
    assert error.value.code == "verifier_not_independent"


def test_a_closed_one_changes_only_once_it_is_open_again(
    finding: Finding, lead: User, validator: User
) -> None:
    actor = session_actor(validator)
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Dropped.")
    findings.close_finding(finding, actor=actor)
    with pytest.raises(InvalidTransition):
        finding_changes.regrade_finding(finding, "low", actor=actor, reason="x")
    findings.reopen_finding(finding, actor=actor, reason="It is back.")
    assert (finding.status, finding.closed_by, finding.closed_at) == ("open", None, None)
    finding_changes.regrade_finding(finding, "low", actor=actor, reason="x")


def test_the_overdue_ones_are_those_past_their_date_and_not_closed(
    finding: Finding, project: Project
) -> None:
    assert list(Finding.objects.overdue(day(8))) == [finding]
    assert not Finding.objects.overdue(day(7)).exists()
