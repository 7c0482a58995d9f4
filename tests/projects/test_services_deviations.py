"""Loosened criteria: proposed by a submission, explained, decided by somebody independent."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from ledger.models import LedgerEntry
from projects.actors import person
from projects.errors import DomainError, StaleState
from projects.facts import RunFact
from projects.models import Deviation, ScopingDocument
from projects.services import deviations, scoping
from tests import factories
from tests.factories import session_actor

pytestmark = pytest.mark.django_db
KEY = "ranks-later-months"
RUNS: list[RunFact] = []


def runs_of(project):
    return list(RUNS)


@pytest.fixture(autouse=True)
def runs(settings):
    settings.RUN_SOURCE = "tests.projects.test_services_deviations.runs_of"
    RUNS.clear()
    yield RUNS
    RUNS.clear()


def run(ended_at, status="FINISHED", **metrics):
    return RunFact("r", "r", status, ended_at, ended_at, metrics, None, None, "", True, 1.0, "")


@pytest.fixture
def loosened(approved_scope, project, lead):
    """Submit a second version that asks for less."""
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    return factories.submit_scope(project, lead, content)


@pytest.fixture
def deviation(loosened):
    return loosened.deviations.get()


def explain(deviation, user, **changes):
    values = {"reason": "The test months follow a crisis.", "is_result_seen": False, **changes}
    return deviations.explain_deviation(deviation, actor=session_actor(user), **values)


def decide(deviation, user, **changes):
    values = {"is_accepted": True, "actor": session_actor(user), **changes}
    return deviations.decide_deviation(deviation, **values)


def refused(deviation, code, command, *arguments, **changes):
    before = Deviation.objects.filter(pk=deviation.pk).values().get()
    entries = LedgerEntry.objects.count()
    with pytest.raises(DomainError) as told:
        command(deviation, *arguments, **changes)
    assert told.value.code == code
    assert Deviation.objects.filter(pk=deviation.pk).values().get() == before
    assert LedgerEntry.objects.count() == entries


def approve(document, user):
    return scoping.approve_scoping_document(
        document, actor=session_actor(user), review_ref="gate_review:0"
    )


def test_submission_proposes_a_deviation_for_each_loosened_criterion(loosened, lead):
    found = loosened.deviations.get()
    assert (found.criterion_key, found.status, found.is_result_seen) == (KEY, "proposed", False)
    assert (found.before["threshold"], found.after["threshold"]) == (0.58, 0.52)
    assert found.proposed_by == lead
    entry = LedgerEntry.objects.get(event="deviation.proposed")
    assert entry.data["criterion"] == KEY


def test_removed_criterion_is_a_deviation_without_an_after(approved_scope, project, lead):
    content = factories.scope_content_of()
    content["criteria"].pop(0)
    second = factories.submit_scope(project, lead, content)
    assert second.deviations.get().after is None


def test_first_scope_and_harder_criteria_need_none(approved_scope, project, lead):
    assert not approved_scope.deviations.exists()
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.7
    assert not factories.submit_scope(project, lead, content).deviations.exists()


@pytest.mark.parametrize(
    ("logged", "seen"),
    [
        ({"test_roc_auc": 0.55}, True),
        ({"test_roc_auc/region/north": 0.55}, True),
        ({"test_roc_auc": 0.55, "status": "RUNNING"}, False),
        ({"validation_roc_auc": 0.55}, False),
        ({"test_roc_auc": 0.55, "before": True}, False),
    ],
)
def test_result_counts_as_seen_once_a_run_logged_it_since_the_lock(
    approved_scope, project, lead, runs, logged, seen
):
    logged = dict(logged)
    age = timedelta(days=1) if logged.pop("before", False) else -timedelta(seconds=1)
    runs.append(run(approved_scope.decided_at - age, **logged))
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    assert factories.submit_scope(project, lead, content).deviations.get().is_result_seen is seen


def test_nobody_may_claim_less_than_what_is_on_record(deviation, data_scientist, runs):
    runs.append(run(timezone.now(), test_roc_auc=0.55))
    refused(deviation, "result_was_seen", explain, data_scientist)
    explained = explain(deviation, data_scientist, is_result_seen=True)
    assert (explained.is_result_seen, explained.proposed_by) == (True, data_scientist)


def test_result_that_came_after_the_explanation_is_seen_when_deciding(
    deviation, data_scientist, validator, runs
):
    explain(deviation, data_scientist)
    runs.append(run(timezone.now(), test_roc_auc=0.55))
    assert decide(deviation, validator).is_result_seen is True


def test_explained_and_accepted_lets_the_scope_be_approved(
    loosened, deviation, data_scientist, validator, business_owner
):
    explain(deviation, data_scientist)
    decided = decide(deviation, validator, note="Agreed with the owner.")
    assert (decided.status, decided.decided_by) == ("accepted", validator)
    assert LedgerEntry.objects.filter(event="deviation.accepted").count() == 1
    assert approve(loosened, business_owner).status == "approved"


@pytest.mark.parametrize("refuse", [False, True])
def test_scope_is_not_approved_while_a_deviation_is_undecided_or_refused(
    loosened, deviation, data_scientist, validator, business_owner, refuse
):
    agreed = scoping.approved_scope(loosened.project)
    if refuse:
        explain(deviation, data_scientist)
        decide(deviation, validator, is_accepted=False, note="Not yet.")
    with pytest.raises(DomainError) as told:
        approve(loosened, business_owner)
    assert told.value.code == "deviation_undecided"
    loosened.refresh_from_db()
    assert loosened.status == "submitted"
    assert scoping.approved_scope(loosened.project) == agreed


def test_version_approved_meanwhile_is_what_counts(
    loosened, project, deviation, data_scientist, validator, business_owner
):
    lead = project.created_by
    explain(deviation, data_scientist)
    decide(deviation, validator)
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.7
    harder = factories.submit_scope(project, lead, content)
    approve(harder, business_owner)
    with pytest.raises(DomainError) as told:
        approve(ScopingDocument.objects.get(pk=loosened.pk), business_owner)
    assert told.value.code == "deviation_undecided"
    assert "approved meanwhile" in told.value.details["reasons"][0]


def test_decision_takes_an_explanation_and_a_refusal_its_reason(
    deviation, data_scientist, validator
):
    refused(deviation, "deviation_unexplained", decide, validator)
    refused(deviation, "reason_missing", explain, data_scientist, reason=" ")
    explain(deviation, data_scientist)
    refused(deviation, "reason_missing", decide, validator, is_accepted=False)


def test_token_may_not_decide(deviation, data_scientist, validator):
    explain(deviation, data_scientist)
    token = person(validator, method="token")
    refused(deviation, "deciding_needs_session", decide, validator, actor=token)


def test_who_made_it_easier_cannot_wave_it_through(deviation, project, data_scientist, lead):
    explain(deviation, data_scientist)
    for author in (data_scientist, lead):
        factories.StakeholderFactory(project=project, user=author, role="validator")
        refused(deviation, "author_cannot_decide", decide, author)


def test_roles_and_strangers_meet_the_table(deviation, data_scientist, data_owner, outsider):
    explain(deviation, data_scientist)
    refused(deviation, "role_missing", decide, data_owner)
    refused(deviation, "role_missing", explain, data_owner)
    refused(deviation, "not_found", decide, outsider)


def test_decided_is_decided(deviation, data_scientist, validator, risk_officer):
    explain(deviation, data_scientist)
    decide(deviation, validator)
    refused(deviation, "deviation_decided", decide, risk_officer)
    refused(deviation, "deviation_decided", explain, data_scientist)


def test_second_of_two_deciders_loses(deviation, data_scientist, validator, risk_officer):
    explain(deviation, data_scientist)
    other = Deviation.objects.select_related("scope").get(pk=deviation.pk)
    decide(deviation, validator)
    with pytest.raises(StaleState):
        decide(other, risk_officer, is_accepted=False, note="No.")
    deviation.refresh_from_db()
    assert (deviation.status, deviation.decided_by) == ("accepted", validator)


def test_explanation_exchanged_while_deciding_stops_the_decision(
    deviation, data_scientist, validator
):
    explain(deviation, data_scientist)
    read = Deviation.objects.select_related("scope").get(pk=deviation.pk)
    explain(deviation, data_scientist, reason="Another reason.")
    with pytest.raises(StaleState):
        decide(read, validator)
    deviation.refresh_from_db()
    assert deviation.status == "proposed"


def test_withdrawn_scope_takes_no_decisions(loosened, deviation, lead, data_scientist, validator):
    explain(deviation, data_scientist)
    scoping.withdraw_scoping_document(loosened, actor=session_actor(lead))
    deviation = Deviation.objects.get(pk=deviation.pk)
    refused(deviation, "scope_not_submitted", decide, validator)


def test_settled_is_asked_of_the_agreed_scope_alone():
    document = SimpleNamespace(project=factories.cast_project(), pk=1)
    assert deviations.unsettled(document) == []
