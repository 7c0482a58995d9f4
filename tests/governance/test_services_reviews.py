"""Reviews: asked for, judged, bound anew, suspended, expired."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Condition, Evidence, GateReview, RequirementResult
from governance.services import conditions, evaluating, expiry, reviews
from governance.services.evidence import Material, record_evidence
from governance.services.reviews import NewCondition, ReviewRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from projects.models import Project, ScopingDocument, Stakeholder
from tests.factories import ProjectFactory, StakeholderFactory, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def test_a_review_binds_what_is_there_and_says_what_is_lacking(
    review: GateReview, approved_scope: ScopingDocument
) -> None:
    assert set(review.bindings) == {
        "model_files",
        "run",
        "dataset:train",
        "scope",
        "card",
        "policy",
    }
    assert review.bindings["scope"] == approved_scope.content_hash
    assert review.facts["authors"]["evidence"] == review.facts["authors"]["run"]
    assert reviews.unmet_requirements(review) == [
        "A sign-off as validator is missing.",
        "A sign-off as business owner is missing.",
    ]
    results = evaluating.latest_results(review)
    assert {one.key for one in results if one.check_name == "criteria_met"} == {
        "criteria.ranks-later-months",
        "criteria.first-tenth-pays",
        "criteria.answers-in-time",
        "criteria.honest-probabilities",
    }
    assert all(evaluating.result_holds(one) for one in results)


def test_without_its_data_gate_a_model_lacks_a_requirement(
    candidate: str, project: Project, ml_engineer: User
) -> None:
    wanted = ReviewRequest("validation", project, "model_version", candidate)
    review = reviews.request_review(wanted, actor=session_actor(ml_engineer))
    (lacking,) = [one for one in reviews.unmet_requirements(review) if "data" in one]
    assert "no data review was requested" in lacking


def test_who_may_sign_is_shown_with_what_speaks_against_it(
    review: GateReview, data_scientist: User
) -> None:
    StakeholderFactory(project=review.project, user=data_scientist, role=Stakeholder.Role.VALIDATOR)
    found = {(one.user.username, one.role): one for one in reviews.eligibility(review)}
    assert found["vera", "validator"].may_sign
    sam = found["sam", "validator"]
    assert not sam.may_sign
    assert "Who launched the training run may not sign it off." in sam.reasons
    assert set(found) == {
        ("vera", "validator"),
        ("sam", "validator"),
        ("bruno", "business_owner"),
    }


def test_a_review_is_open_once(scope_review: GateReview, lead: User) -> None:
    wanted = ReviewRequest(
        "scope", scope_review.project, "scoping_document", scope_review.subject_ref
    )
    with pytest.raises(RuleViolated) as error:
        reviews.request_review(wanted, actor=session_actor(lead))
    assert error.value.code == "review_open"
    assert GateReview.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "kind", "gate"),
    [
        ("data_scientist", "scoping_document", "scope"),
        ("validator", "model_version", "validation"),
        ("auditor", "dataset_version", "data"),
        ("business_owner", "dataset_version", "data"),
    ],
)
def test_a_review_is_asked_for_by_those_who_did_the_work(
    candidate: str, project: Project, role: str, kind: str, gate: str, request: Any
) -> None:
    wanted = ReviewRequest(gate, project, kind, candidate)
    with pytest.raises(NotPermitted) as error:
        reviews.request_review(wanted, actor=session_actor(request.getfixturevalue(role)))
    assert error.value.code == "role_missing"
    assert not GateReview.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"gate": "moon"}, InvalidInput, "unknown_gate"),
        ({"gate": "scope"}, InvalidInput, "wrong_subject"),
        ({"subject_kind": "planet"}, InvalidInput, "unknown_subject_kind"),
        ({"subject_ref": "model_version:9"}, NotFound, "no_such_subject"),
    ],
)
def test_a_wrong_request_opens_nothing(
    candidate: str, project: Project, lead: User, changes: Any, error: Any, code: str
) -> None:
    values = {
        "gate": "validation",
        "project": project,
        "subject_kind": "model_version",
        "subject_ref": candidate,
        **changes,
    }
    with pytest.raises(error) as found:
        reviews.request_review(ReviewRequest(**values), actor=session_actor(lead))
    assert found.value.code == code
    assert not GateReview.objects.exists()


def test_a_subject_of_another_project_is_not_found(candidate: str, lead: User) -> None:
    other = ProjectFactory(created_by=lead)
    StakeholderFactory(project=other, user=lead)
    wanted = ReviewRequest("validation", other, "model_version", candidate)
    with pytest.raises(NotFound):
        reviews.request_review(wanted, actor=session_actor(lead))


def test_files_without_a_digest_cannot_be_bound(
    candidate: str, world: fakes.Subjects, project: Project, lead: User
) -> None:
    world.change(candidate, bindings={"model_files": ""})
    wanted = ReviewRequest("validation", project, "model_version", candidate)
    with pytest.raises(RuleViolated) as error:
        reviews.request_review(wanted, actor=session_actor(lead))
    assert error.value.code == "subject_not_bound"


def test_metrics_that_are_not_finite_are_stored_and_block(
    candidate: str, world: fakes.Subjects, project: Project, lead: User
) -> None:
    world.change(candidate, metrics={"test_roc_auc": float("nan")})
    wanted = ReviewRequest("validation", project, "model_version", candidate)
    review = reviews.request_review(wanted, actor=session_actor(lead))
    assert review.facts["metrics"]["test_roc_auc"] == "nan"
    result = review.results.get(key="criteria.ranks-later-months")
    assert (result.outcome, result.is_blocking) == ("error", True)


def test_evaluating_again_numbers_the_evaluation(review: GateReview, lead: User) -> None:
    first = review.results.count()
    results = reviews.evaluate_review(review, actor=session_actor(lead))
    assert {one.evaluation for one in results} == {2}
    assert review.results.count() == 2 * first
    assert set(RequirementResult.objects.filter(review=review).newest()) == set(results)


def test_evaluating_what_moved_says_so_and_decides_nothing(
    review: GateReview, world: fakes.Subjects, lead: User
) -> None:
    world.change(fakes.MODEL, bindings={"run": fakes.sha("e")})
    results = {one.key: one for one in reviews.evaluate_review(review, actor=session_actor(lead))}
    assert results["bindings"].outcome == "stale"
    assert results["bindings"].message.startswith("The training run changed")
    review.refresh_from_db()
    assert review.status == "open"


def test_an_auditor_evaluates_nothing(review: GateReview, auditor: User) -> None:
    with pytest.raises(NotPermitted):
        reviews.evaluate_review(review, actor=session_actor(auditor))
    assert set(review.results.values_list("evaluation", flat=True)) == {1}


def test_a_decided_review_is_neither_evaluated_nor_bound_anew(approved: Any, lead: User) -> None:
    for command in (reviews.evaluate_review, reviews.refresh_review):
        with pytest.raises(InvalidTransition) as error:
            command(approved.review, actor=session_actor(lead))
        assert error.value.code == "review_not_open"


def test_only_requester_and_lead_withdraw(
    review: GateReview, validator: User, ml_engineer: User
) -> None:
    with pytest.raises(NotPermitted):
        reviews.withdraw_review(review, actor=session_actor(validator))
    reviews.withdraw_review(review, actor=session_actor(ml_engineer), reason="Too early.")
    assert (review.status, review.status_reason) == ("withdrawn", "Too early.")


def test_a_suspension_needs_a_reason_and_a_role(
    approved: Any, risk_officer: User, data_scientist: User
) -> None:
    with pytest.raises(InvalidInput) as error:
        reviews.suspend_review(approved.review, actor=session_actor(risk_officer), reason=" ")
    assert error.value.code == "reason_missing"
    with pytest.raises(NotPermitted):
        reviews.suspend_review(approved.review, actor=session_actor(data_scientist), reason="x")
    approved.review.refresh_from_db()
    assert approved.review.status == "approved"


def test_a_rejected_version_may_be_reviewed_again(
    review: GateReview, sign: Any, validator: User, ml_engineer: User
) -> None:
    sign(review, validator, "validator", outcome="rejected", reason="Weak.")
    wanted = ReviewRequest("validation", review.project, "model_version", review.subject_ref)
    again = reviews.request_review(wanted, actor=session_actor(ml_engineer))
    assert again.pk != review.pk


def test_time_ends_approvals(applied: Any) -> None:
    now = timezone.now()
    actor = system("governance")
    assert expiry.expire_due(now, actor=actor).expired == []
    ended = expiry.expire_due(now + timedelta(days=366), actor=actor)
    assert applied.review.ref in ended.expired
    applied.refresh_from_db()
    assert (applied.review.status, applied.status) == ("expired", "suspended")


def test_a_broken_promise_suspends_the_approval_and_a_kept_one_does_not(
    review: GateReview, sign: Any, validator: User, business_owner: User, ml_engineer: User
) -> None:
    due = timezone.now().date() + timedelta(days=7)
    for number in (1, 2):
        promise = [NewCondition(f"Promise {number}", due)]
        user, role = ((validator, "validator"), (business_owner, "business_owner"))[number - 1]
        sign(review, user, role, outcome="approved_with_conditions", reason="x", conditions=promise)
    assert review.status == "approved"
    first, second = Condition.objects.order_by("pk")
    with pytest.raises(NotPermitted):
        conditions.meet_condition(first, actor=session_actor(ml_engineer), note="Done.")
    conditions.meet_condition(first, actor=session_actor(validator), note="Done.")
    with pytest.raises(InvalidTransition):
        conditions.meet_condition(first, actor=session_actor(validator), note="Done.")
    later = timezone.now() + timedelta(days=9)
    assert expiry.expire_due(later, actor=system("governance")).suspended == [review.ref]
    review.refresh_from_db()
    assert review.status == "suspended"
    assert second.met_at is None


def test_evidence_is_kept_with_digest_and_file(
    candidate: str, project: Project, data_scientist: User, settings: Any, tmp_path: Any
) -> None:
    settings.CONTENT_STORE = tmp_path
    material = Material(
        project, "model_version", candidate, "plot", "Plot", content=b"<svg/>",
        media_type="image/svg+xml",
    )  # fmt: skip
    evidence = record_evidence(material, actor=session_actor(data_scientist))
    from projects import content_store

    assert content_store.read(evidence.attachment) == b"<svg/>"
    assert LedgerEntry.objects.filter(event="evidence.recorded", subject=evidence.ref).exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": None}, "empty_evidence"),
        ({"data": {"auc": [0.1, float("inf")]}}, "evidence_not_finite"),
        ({"subject_kind": "planet"}, "unknown_subject_kind"),
    ],
)
def test_unfit_evidence_is_refused(
    project: Project, data_scientist: User, changes: Any, code: str
) -> None:
    values = {
        "project": project,
        "subject_kind": "model_version",
        "subject_ref": "model_version:1",
        "kind": "note",
        "title": "Note",
        "data": {"text": "x"},
        **changes,
    }
    with pytest.raises(InvalidInput) as error:
        record_evidence(Material(**values), actor=session_actor(data_scientist))
    assert error.value.code == code
    assert not Evidence.objects.exists()


def test_nobody_puts_evidence_on_the_subject_of_another_project(
    candidate: str, outsider: User
) -> None:
    elsewhere = StakeholderFactory(user=outsider, role="data_scientist").project
    before = Evidence.objects.count()
    material = Material(elsewhere, "model_version", candidate, "model_card", "Mine", {"x": 1})
    with pytest.raises(NotFound) as error:
        record_evidence(material, actor=session_actor(outsider))
    assert error.value.code == "no_such_subject"
    assert Evidence.objects.count() == before
