"""Findings, waivers and delegations: each with its edges."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Delegation, Finding, GateReview, SignOff, Waiver
from governance.services import delegations, expiry, findings, reviews, waivers
from governance.services.delegations import NewDelegation
from governance.services.findings import NewFinding
from governance.services.waivers import NewWaiver
from projects.actors import system
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from projects.models import Project, Stakeholder
from tests.factories import PASSWORD, StakeholderFactory, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
WEAK = {"test_roc_auc": 0.5}


# --- Findings -------------------------------------------------------------------------------------


@pytest.fixture
def finding(candidate: str, project: Project, risk_officer: User, data_scientist: User) -> Finding:
    new = NewFinding(project, "model_version", candidate, "Leak?", "", "high", owner=data_scientist)
    return findings.open_finding(new, actor=session_actor(risk_officer))


def test_a_finding_is_closed_by_somebody_who_did_not_resolve_it(
    finding: Finding, lead: User, validator: User
) -> None:
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Column removed.")
    findings.close_finding(finding, actor=session_actor(validator))
    assert (finding.status, finding.closed_by) == ("closed", validator)


@pytest.mark.parametrize("who", ["lead", "data_scientist"])
def test_neither_resolver_nor_owner_verifies(
    finding: Finding, lead: User, who: str, request: Any
) -> None:
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Column removed.")
    with pytest.raises(NotPermitted) as error:
        findings.close_finding(finding, actor=session_actor(request.getfixturevalue(who)))
    assert error.value.code == "verifier_not_independent"
    finding.refresh_from_db()
    assert finding.status == "resolved"


def test_an_open_finding_cannot_be_closed(finding: Finding, validator: User) -> None:
    with pytest.raises(InvalidTransition):
        findings.close_finding(finding, actor=session_actor(validator))


def test_a_failed_verification_opens_it_again(
    finding: Finding, lead: User, validator: User
) -> None:
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Column removed.")
    findings.reopen_finding(finding, actor=session_actor(validator), reason="Still there.")
    assert finding.status == "open"


@pytest.mark.parametrize("part", ["monitoring", "serving", "reconciler", "gateway"])
def test_parts_of_the_system_open_findings_but_close_none(
    candidate: str, project: Project, part: str
) -> None:
    new = NewFinding(project, "model_version", candidate, "Drift", "", "high")
    found = findings.open_finding(new, actor=system(part))
    assert (found.source, found.owner) == (f"system:{part}", None)
    with pytest.raises(NotPermitted):
        findings.close_finding(found, actor=system(part))


def test_a_finding_needs_a_known_severity_and_a_title(project: Project, lead: User) -> None:
    for title, severity, code in (
        ("x", "dreadful", "unknown_severity"),
        (" ", "low", "title_missing"),
    ):
        new = NewFinding(project, "model_version", fakes.MODEL, title, "", severity)
        with pytest.raises(InvalidInput) as error:
            findings.open_finding(new, actor=session_actor(lead))
        assert error.value.code == code
    assert not Finding.objects.exists()


def test_strangers_open_no_findings(project: Project, outsider: User) -> None:
    new = NewFinding(project, "model_version", fakes.MODEL, "x", "", "low")
    with pytest.raises(NotFound):
        findings.open_finding(new, actor=session_actor(outsider))


def test_nobody_opens_findings_on_the_subject_of_another_project(
    candidate: str, outsider: User
) -> None:
    elsewhere = StakeholderFactory(user=outsider, role="lead").project
    new = NewFinding(elsewhere, "model_version", candidate, "Leak!", "", "critical")
    with pytest.raises(NotFound) as error:
        findings.open_finding(new, actor=session_actor(outsider))
    assert error.value.code == "no_such_subject"
    assert not Finding.objects.exists()


# --- Waivers --------------------------------------------------------------------------------------


@pytest.fixture
def weak_review(review: GateReview, world: fakes.Subjects, lead: User) -> GateReview:
    """A review whose model misses one criterion."""
    world.change(fakes.MODEL, metrics=WEAK)
    reviews.evaluate_review(review, actor=session_actor(lead))
    return review


def waiver(**changes: Any) -> NewWaiver:
    values = {
        "requirement_key": "criteria.ranks-later-months",
        "reason": "The season was odd.",
        "compensating_control": "Weekly look at the ranking.",
        "role": "risk_officer",
        "expires_at": timezone.now() + timedelta(days=30),
        "password": PASSWORD,
        **changes,
    }
    return NewWaiver(**values)


def test_a_waiver_lets_the_gate_pass_until_it_ends(
    weak_review: GateReview, sign: Any, request: Any
) -> None:
    rita, vera, bruno = (
        request.getfixturevalue(who) for who in ("risk_officer", "validator", "business_owner")
    )
    granted = waivers.grant_waiver(weak_review, waiver(), actor=session_actor(rita))
    sign(weak_review, vera, "validator")
    sign(weak_review, bruno, "business_owner")
    assert weak_review.status == "approved"
    assert weak_review.expires_at == granted.expires_at
    result = weak_review.results.newest().get(key=granted.requirement_key)
    assert result.outcome == "waived"
    ended = expiry.expire_due(granted.expires_at, actor=system("governance"))
    assert ended.expired == [weak_review.ref]


def test_a_waiver_that_ended_helps_nobody(
    weak_review: GateReview, risk_officer: User, lead: User
) -> None:
    granted = waivers.grant_waiver(weak_review, waiver(), actor=session_actor(risk_officer))
    past = timezone.now() - timedelta(days=1)
    Waiver.objects.filter(pk=granted.pk).update(
        granted_at=past - timedelta(days=1), expires_at=past
    )
    results = reviews.evaluate_review(weak_review, actor=session_actor(lead))
    assert {one.key: one.outcome for one in results}[granted.requirement_key] == "fail"


def test_revoking_a_waiver_suspends_what_rests_on_it(
    weak_review: GateReview, sign: Any, request: Any
) -> None:
    rita, vera, bruno = (
        request.getfixturevalue(who) for who in ("risk_officer", "validator", "business_owner")
    )
    granted = waivers.grant_waiver(weak_review, waiver(), actor=session_actor(rita))
    sign(weak_review, vera, "validator")
    sign(weak_review, bruno, "business_owner")
    waivers.revoke_waiver(granted, actor=session_actor(rita))
    weak_review.refresh_from_db()
    weak_review.promotion.refresh_from_db()
    assert (weak_review.status, weak_review.promotion.status) == ("suspended", "suspended")


@pytest.mark.parametrize(
    ("who", "changes", "error", "code"),
    [
        ("validator", {"role": "validator"}, NotPermitted, "role_missing"),
        ("risk_officer", {"role": "business_owner"}, NotPermitted, "role_missing"),
        ("risk_officer", {"reason": " "}, InvalidInput, "reason_missing"),
        ("risk_officer", {"compensating_control": ""}, InvalidInput, "reason_missing"),
        ("risk_officer", {"requirement_key": "magic"}, InvalidInput, "unknown_requirement"),
        ("risk_officer", {"requirement_key": "files"}, RuleViolated, "not_waivable"),
        (
            "risk_officer",
            {"expires_at": timezone.now() - timedelta(days=1)},
            InvalidInput,
            "expiry_in_the_past",
        ),
        (
            "risk_officer",
            {"expires_at": timezone.now() + timedelta(days=181)},
            InvalidInput,
            "expiry_too_late",
        ),
        ("risk_officer", {"password": "guess"}, NotPermitted, "wrong_password"),
    ],
)
def test_an_unfit_waiver_is_refused(
    weak_review: GateReview, request: Any, who: str, changes: Any, error: Any, code: str
) -> None:
    with pytest.raises(error) as found:
        waivers.grant_waiver(
            weak_review, waiver(**changes), actor=session_actor(request.getfixturevalue(who))
        )
    assert found.value.code == code
    assert not Waiver.objects.exists()


@pytest.mark.parametrize("who", ["ml_engineer", "data_scientist"])
def test_neither_requester_nor_author_waives(
    weak_review: GateReview, request: Any, who: str
) -> None:
    user = request.getfixturevalue(who)
    StakeholderFactory(project=weak_review.project, user=user, role=Stakeholder.Role.RISK_OFFICER)
    with pytest.raises(NotPermitted) as error:
        waivers.grant_waiver(weak_review, waiver(), actor=session_actor(user))
    assert error.value.code == "waiver_not_independent"


def test_a_token_waives_nothing(weak_review: GateReview, risk_officer: User) -> None:
    with pytest.raises(NotPermitted) as error:
        waivers.grant_waiver(weak_review, waiver(), actor=fakes.acting(risk_officer, "token"))
    assert error.value.code == "signing_needs_session"


def test_a_decided_review_takes_no_waiver(approved: Any, risk_officer: User) -> None:
    with pytest.raises(InvalidTransition):
        waivers.grant_waiver(approved.review, waiver(), actor=session_actor(risk_officer))


# --- Delegations ----------------------------------------------------------------------------------


def passed_on(project: Project, delegate: User, **changes: Any) -> NewDelegation:
    now = timezone.now()
    values = {
        "project": project,
        "role": "validator",
        "delegate": delegate,
        "reason": "On leave.",
        "valid_from": now - timedelta(hours=1),
        "valid_to": now + timedelta(days=7),
        **changes,
    }
    return NewDelegation(**values)


def test_a_delegate_signs_for_the_holder_and_says_so(
    review: GateReview, sign: Any, validator: User, risk_officer: User
) -> None:
    delegations.delegate(passed_on(review.project, risk_officer), actor=session_actor(validator))
    signed = sign(review, risk_officer, "validator")
    assert (signed.printed_name, signed.on_behalf_of) == ("Rita for Vera", validator)
    assert "Rita for Vera, as validator" in signed.statement


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": timezone.now()},
        {"valid_to": timezone.now() - timedelta(minutes=1)},
        {"valid_from": timezone.now() + timedelta(days=1)},
    ],
)
def test_a_delegation_outside_its_time_is_none(
    review: GateReview, sign: Any, validator: User, risk_officer: User, changes: Any
) -> None:
    row = delegations.delegate(
        passed_on(review.project, risk_officer), actor=session_actor(validator)
    )
    Delegation.objects.filter(pk=row.pk).update(**changes)
    with pytest.raises(NotPermitted) as error:
        sign(review, risk_officer, "validator")
    assert error.value.code == "role_missing"


def test_it_ends_with_the_role_of_its_holder(
    review: GateReview, sign: Any, validator: User, risk_officer: User
) -> None:
    delegations.delegate(passed_on(review.project, risk_officer), actor=session_actor(validator))
    Stakeholder.objects.filter(user=validator).delete()
    with pytest.raises(NotPermitted) as error:
        sign(review, risk_officer, "validator")
    assert error.value.code == "role_missing"


def test_holder_and_delegate_are_one_voice_in_one_role(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    """A delegate who signs in two roles is still one person."""
    delegations.delegate(passed_on(review.project, business_owner), actor=session_actor(validator))
    sign(review, business_owner, "business_owner")
    sign(review, business_owner, "validator")
    assert review.status == "open"
    assert "different people" in " ".join(reviews.unmet_requirements(review))


def test_a_delegate_of_the_requester_is_refused(
    review: GateReview, sign: Any, ml_engineer: User, validator: User
) -> None:
    StakeholderFactory(project=review.project, user=ml_engineer, role=Stakeholder.Role.OPERATIONS)
    delegations.delegate(
        passed_on(review.project, validator, role="operations"), actor=session_actor(ml_engineer)
    )
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator")
    assert error.value.code == "separation_of_duties"
    assert not SignOff.objects.filter(review=review).exists()


def test_a_delegate_of_an_author_is_refused(
    review: GateReview, sign: Any, data_scientist: User, risk_officer: User
) -> None:
    StakeholderFactory(project=review.project, user=data_scientist, role=Stakeholder.Role.VALIDATOR)
    delegations.delegate(
        passed_on(review.project, risk_officer), actor=session_actor(data_scientist)
    )
    with pytest.raises(RuleViolated) as error:
        sign(review, risk_officer, "validator")
    assert error.value.code == "separation_of_duties"


def test_a_delegate_passes_nothing_on(
    project: Project, validator: User, risk_officer: User, business_owner: User
) -> None:
    delegations.delegate(passed_on(project, risk_officer), actor=session_actor(validator))
    with pytest.raises(NotPermitted) as error:
        delegations.delegate(passed_on(project, business_owner), actor=session_actor(risk_officer))
    assert error.value.code == "role_missing"
    assert Delegation.objects.count() == 1


@pytest.mark.parametrize("who", ["auditor", "outsider", "validator"])
def test_some_can_take_no_delegation(
    project: Project, validator: User, request: Any, who: str
) -> None:
    with pytest.raises(RuleViolated) as error:
        delegations.delegate(
            passed_on(project, request.getfixturevalue(who)), actor=session_actor(validator)
        )
    assert error.value.code == "delegate_unfit"
    assert not Delegation.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": ""}, "reason_missing"),
        ({"valid_to": timezone.now() - timedelta(days=1)}, "wrong_dates"),
        ({"valid_to": timezone.now() + timedelta(days=100)}, "wrong_dates"),
    ],
)
def test_a_delegation_has_a_reason_and_an_end(
    project: Project, validator: User, risk_officer: User, changes: Any, code: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        delegations.delegate(
            passed_on(project, risk_officer, **changes), actor=session_actor(validator)
        )
    assert error.value.code == code


def test_one_role_of_one_holder_has_one_delegate_at_a_time(
    project: Project, validator: User, risk_officer: User, business_owner: User
) -> None:
    row = delegations.delegate(passed_on(project, risk_officer), actor=session_actor(validator))
    overlapping = passed_on(project, business_owner, valid_to=row.valid_to + timedelta(days=5))
    with pytest.raises(RuleViolated) as error:
        delegations.delegate(overlapping, actor=session_actor(validator))
    assert error.value.code == "delegation_overlaps"
    assert Delegation.objects.count() == 1
    after = passed_on(
        project,
        business_owner,
        valid_from=row.valid_to,
        valid_to=row.valid_to + timedelta(days=5),
    )
    delegations.delegate(after, actor=session_actor(validator))
    delegations.revoke_delegation(row, actor=session_actor(validator))
    again = passed_on(project, risk_officer, valid_to=row.valid_to)
    delegations.delegate(again, actor=session_actor(validator))


def test_holder_and_lead_revoke(
    project: Project, validator: User, risk_officer: User, lead: User
) -> None:
    row = delegations.delegate(passed_on(project, risk_officer), actor=session_actor(validator))
    with pytest.raises(NotPermitted):
        delegations.revoke_delegation(row, actor=session_actor(risk_officer))
    delegations.revoke_delegation(row, actor=session_actor(lead))
    with pytest.raises(InvalidTransition):
        delegations.revoke_delegation(row, actor=session_actor(validator))
