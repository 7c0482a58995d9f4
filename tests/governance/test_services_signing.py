"""Signing: one success and every refusal, each of which leaves nothing behind but its record."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import (
    DeniedAttempt,
    Evidence,
    GateReview,
    PolicyVersion,
    RequirementResult,
    SignOff,
)
from governance.services import findings, passwords, reviews
from governance.services.evidence import Material, record_evidence
from governance.services.findings import NewFinding
from governance.services.reviews import NewCondition
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from projects.models import Stakeholder
from tests.factories import StakeholderFactory, edit_past_the_triggers, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def refused(review: GateReview, error: pytest.ExceptionInfo[DomainError], code: str) -> None:
    """Assert the code, that nobody signed, and that the refusal is on record."""
    assert error.value.code == code
    assert not SignOff.objects.filter(review=review).exists()
    assert DeniedAttempt.objects.filter(action="review.sign", code=code).exists()
    assert LedgerEntry.objects.filter(event="attempt.denied").exists()


def test_two_people_in_the_right_roles_approve(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    first = sign(review, validator, "validator")
    assert review.status == "open"
    sign(review, business_owner, "business_owner")
    assert review.status == "approved"
    assert review.decided_at is not None
    assert review.expires_at == review.decided_at + timedelta(days=365)
    assert first.bindings_digest == review.bindings_digest
    assert first.printed_name == "Vera"
    assert review.bindings_digest in first.statement
    events = LedgerEntry.objects.filter(subject=review.ref).values_list("event", flat=True)
    asked = ["review.assigned"] * 2
    signed = ["review.signed", "review.signed", "review.approved"]
    assert list(events) == ["review.requested", *asked, *signed]


def test_who_launched_the_run_may_not_sign_even_with_the_role(
    review: GateReview, sign: Any, data_scientist: User
) -> None:
    StakeholderFactory(project=review.project, user=data_scientist, role=Stakeholder.Role.VALIDATOR)
    with pytest.raises(RuleViolated) as error:
        sign(review, data_scientist, "validator")
    refused(review, error, "separation_of_duties")
    assert "Who launched the training run may not sign it off." in error.value.details["reasons"]


def test_who_requested_may_not_sign(review: GateReview, sign: Any, ml_engineer: User) -> None:
    StakeholderFactory(project=review.project, user=ml_engineer, role=Stakeholder.Role.VALIDATOR)
    with pytest.raises(RuleViolated) as error:
        sign(review, ml_engineer, "validator")
    refused(review, error, "separation_of_duties")


def test_who_gave_evidence_may_not_sign(
    candidate: str, review: GateReview, sign: Any, validator: User
) -> None:
    material = Material(
        review.project, "model_version", candidate, "report", "Report", data={"ok": True}
    )
    record_evidence(material, actor=session_actor(validator))
    reviews.refresh_review(review, actor=session_actor(validator))
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator")
    refused(review, error, "separation_of_duties")


def test_without_the_role_nobody_signs(review: GateReview, sign: Any, data_owner: User) -> None:
    with pytest.raises(NotPermitted) as error:
        sign(review, data_owner, "validator")
    refused(review, error, "role_missing")


def test_a_role_that_ended_yesterday_is_no_role(
    review: GateReview, sign: Any, validator: User
) -> None:
    Stakeholder.objects.filter(user=validator).update(
        valid_from=timezone.now().date() - timedelta(days=9),
        valid_to=timezone.now().date() - timedelta(days=1),
    )
    with pytest.raises(NotFound):
        sign(review, validator, "validator")
    assert not SignOff.objects.filter(review=review).exists()


def test_a_role_that_the_gate_does_not_ask_for_gives_feedback_instead(
    review: GateReview, sign: Any, risk_officer: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        sign(review, risk_officer, "risk_officer")
    refused(review, error, "role_not_asked")
    reviews.give_feedback(review, actor=session_actor(risk_officer), text="Looks sound.")
    assert review.feedback.get().text == "Looks sound."


def test_strangers_learn_nothing(review: GateReview, sign: Any, outsider: User) -> None:
    with pytest.raises(NotFound) as error:
        sign(review, outsider, "validator")
    refused(review, error, "not_found")


def test_administrators_sign_nothing_for_being_administrators(
    review: GateReview, sign: Any, superuser: User
) -> None:
    with pytest.raises(NotPermitted) as error:
        sign(review, superuser, "validator")
    refused(review, error, "role_missing")


@pytest.mark.parametrize("method", ["token", "basic", "command"])
def test_only_a_session_signs(review: GateReview, sign: Any, validator: User, method: str) -> None:
    with pytest.raises(NotPermitted) as error:
        sign(review, validator, "validator", method=method)
    refused(review, error, "signing_needs_session")


def test_parts_of_the_system_sign_nothing(review: GateReview) -> None:
    signature = reviews.Signature("validator", "approved", "", "", "", review.bindings_digest)
    with pytest.raises(NotPermitted) as error:
        reviews.sign(review, signature, actor=system("governance"))
    refused(review, error, "system_never_signs")


def test_a_wrong_password_signs_nothing(review: GateReview, sign: Any, validator: User) -> None:
    with pytest.raises(NotPermitted) as error:
        sign(review, validator, "validator", password="wrong")
    refused(review, error, "wrong_password")
    sign(review, validator, "validator")


def test_five_wrong_passwords_lock_signing_for_a_while(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    for _ in range(passwords.MAX_FAILURES):
        with pytest.raises(NotPermitted, match="wrong"):
            sign(review, validator, "validator", password="wrong")
    with pytest.raises(NotPermitted) as error:
        sign(review, validator, "validator")
    refused(review, error, "signing_locked")
    sign(review, business_owner, "business_owner")
    earlier = timezone.now() - passwords.WINDOW
    passwords.SigningCounter.objects.filter(user=validator).update(window_started_at=earlier)
    sign(review, validator, "validator")
    assert review.status == "approved"


def test_the_password_shows_in_no_representation(review: GateReview) -> None:
    signature = reviews.Signature("validator", "approved", "", "", "secret words", "d")
    assert "secret words" not in repr(signature)


def test_a_part_that_moved_makes_the_review_stale_and_names_itself(
    candidate: str,
    world: fakes.Subjects,
    review: GateReview,
    promotion: Any,
    sign: Any,
    validator: User,
) -> None:
    world.change(candidate, bindings={"run": fakes.sha("e")})
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator")
    refused(review, error, "subject_changed")
    assert error.value.details["parts"] == ["run"]
    assert "training run" in error.value.message
    review.refresh_from_db()
    assert review.status == "stale"
    assert LedgerEntry.objects.filter(subject=review.ref, event="review.went_stale").count() == 1


def test_a_page_from_before_a_refresh_signs_nothing(
    candidate: str, world: fakes.Subjects, review: GateReview, sign: Any, validator: User
) -> None:
    shown = review.bindings_digest
    world.change(candidate, bindings={"run": fakes.sha("e")})
    reviews.refresh_review(review, actor=session_actor(validator))
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", bindings_digest=shown)
    refused(review, error, "subject_changed")
    review.refresh_from_db()
    assert review.status == "open"


def test_after_a_refresh_earlier_sign_offs_count_no_more(
    candidate: str,
    world: fakes.Subjects,
    review: GateReview,
    sign: Any,
    validator: User,
    business_owner: User,
) -> None:
    sign(review, validator, "validator")
    world.change(candidate, bindings={"run": fakes.sha("e")})
    with pytest.raises(RuleViolated):
        sign(review, business_owner, "business_owner")
    moved = reviews.refresh_review(review, actor=session_actor(business_owner))
    assert moved.sentences == ["The training run changed (bbbbbbbbbbbb became eeeeeeeeeeee)."]
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    assert "A sign-off as validator is missing." in reviews.unmet_requirements(review)
    sign(review, validator, "validator")
    assert review.status == "approved"
    assert SignOff.objects.filter(review=review).count() == 3


def test_changed_files_cannot_be_bound_anew(
    candidate: str, world: fakes.Subjects, review: GateReview, lead: User
) -> None:
    world.change(candidate, bindings={"model_files": fakes.sha("e")})
    before = review.bindings_digest
    with pytest.raises(RuleViolated) as error:
        reviews.refresh_review(review, actor=session_actor(lead))
    assert error.value.code == "files_changed"
    review.refresh_from_db()
    assert review.bindings_digest == before


def test_the_last_signature_over_a_failing_requirement_keeps_the_review_open(
    review: GateReview,
    sign: Any,
    validator: User,
    business_owner: User,
    risk_officer: User,
    lead: User,
) -> None:
    grave = NewFinding(review.project, "model_version", fakes.MODEL, "Leak?", "", "high")
    finding = findings.open_finding(grave, actor=session_actor(risk_officer))
    sign(review, validator, "validator")
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    assert review.status_reason == ("Everybody has signed, but one requirement does not hold yet.")
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="No leak.")
    findings.close_finding(finding, actor=session_actor(risk_officer))
    reviews.evaluate_review(review, actor=session_actor(lead))
    assert review.status == "approved"
    assert review.status_reason == ""


def test_the_same_opinion_is_given_once(review: GateReview, sign: Any, validator: User) -> None:
    sign(review, validator, "validator")
    with pytest.raises(InvalidTransition) as error:
        sign(review, validator, "validator")
    assert error.value.code == "already_signed"
    assert SignOff.objects.filter(review=review).count() == 1


def test_a_decided_review_takes_no_signature(approved: Any, sign: Any, validator: User) -> None:
    with pytest.raises(InvalidTransition) as error:
        sign(approved.review, validator, "validator", outcome="rejected", reason="No.")
    assert error.value.code == "review_not_open"


def test_a_rejection_ends_review_and_promotion(
    promotion: Any, review: GateReview, sign: Any, validator: User
) -> None:
    sign(review, validator, "validator", outcome="rejected", reason="Too weak in autumn.")
    promotion.refresh_from_db()
    assert (review.status, promotion.status) == ("rejected", "rejected")
    assert review.decided_at is not None


def test_a_request_for_changes_blocks_until_the_same_role_approves(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    sign(review, validator, "validator", outcome="changes_requested", reason="Slice by job.")
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    assert "The validator asked for changes." in reviews.unmet_requirements(review)
    sign(review, validator, "validator")
    assert review.status == "approved"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outcome": "rejected"}, "reason_missing"),
        ({"outcome": "changes_requested", "reason": "  "}, "reason_missing"),
        ({"outcome": "approved_with_conditions", "reason": "Soon."}, "conditions_missing"),
        (
            {"conditions": [NewCondition("Slice by job.", timezone.now().date())]},
            "conditions_unfit",
        ),
        ({"outcome": "perhaps"}, "unknown_outcome"),
    ],
)
def test_a_signature_that_says_too_little_is_refused(
    review: GateReview, sign: Any, validator: User, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        sign(review, validator, "validator", **changes)
    assert error.value.code == code
    assert not SignOff.objects.filter(review=review).exists()


def test_conditions_become_promises_with_dates(
    review: GateReview, sign: Any, validator: User
) -> None:
    due = timezone.now().date() + timedelta(days=30)
    signed = sign(
        review,
        validator,
        "validator",
        outcome="approved_with_conditions",
        reason="Sound, but slices are thin.",
        conditions=[NewCondition("Report slices by job.", due)],
    )
    assert [(one.text, one.due_on) for one in signed.conditions.all()] == [
        ("Report slices by job.", due)
    ]


def test_a_signer_who_lost_the_role_no_longer_counts(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    sign(review, validator, "validator")
    Stakeholder.objects.filter(user=validator).delete()
    StakeholderFactory(project=review.project, user=validator, role=Stakeholder.Role.OPERATIONS)
    sign(review, business_owner, "business_owner")
    assert review.status == "open"


def test_unknown_hands_block_every_approval(
    candidate: str,
    world: fakes.Subjects,
    review: GateReview,
    sign: Any,
    validator: User,
    business_owner: User,
) -> None:
    world.change(candidate, unmapped=("run",))
    sign(review, validator, "validator")
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    result = RequirementResult.objects.filter(review=review).newest().get(key="identities")
    assert (result.outcome, result.is_blocking) == ("fail", True)


def test_a_sign_off_is_neither_changed_nor_deleted(
    review: GateReview, sign: Any, validator: User
) -> None:
    signed = sign(review, validator, "validator", outcome="changes_requested", reason="Slice it.")
    signed.outcome = "approved"
    for attempt in (
        signed.save,
        signed.delete,
        SignOff.objects.filter(pk=signed.pk).delete,
        lambda: SignOff.objects.update(outcome="approved"),
    ):
        with pytest.raises(TypeError, match="never"):
            attempt()
    signed.refresh_from_db()
    assert signed.outcome == "changes_requested"


def test_evidence_edited_in_the_database_makes_the_review_stale(
    review: GateReview, sign: Any, validator: User
) -> None:
    Evidence.objects.filter(subject_ref=fakes.MODEL).update(data={"text": "better"})
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator")
    assert error.value.details["parts"] == ["card"]


def test_a_policy_edited_in_the_database_makes_the_review_stale(
    review: GateReview, sign: Any, validator: User
) -> None:
    version = review.policy_version
    edit_past_the_triggers(
        PolicyVersion.objects.all(), text=version.text.replace("people: 2", "people: 1")
    )
    with pytest.raises(RuleViolated) as error:
        sign(GateReview.objects.get(pk=review.pk), validator, "validator")
    assert error.value.details["parts"] == ["policy"]


def test_a_scope_is_decided_by_its_review(
    scope_review: GateReview, sign: Any, business_owner: User, data_owner: User, project: Any
) -> None:
    sign(scope_review, business_owner, "business_owner")
    sign(scope_review, data_owner, "data_owner")
    document = project.scoping_documents.get()
    assert document.status == "approved"
    assert document.criteria.filter(locked_at__isnull=True).count() == 0


def test_a_rejected_scope_stays_unlocked(
    scope_review: GateReview, sign: Any, business_owner: User, project: Any
) -> None:
    sign(scope_review, business_owner, "business_owner", outcome="rejected", reason="Too vague.")
    assert project.scoping_documents.get().status == "rejected"


def test_the_author_of_a_scope_may_not_sign_it(
    scope_review: GateReview, sign: Any, lead: User
) -> None:
    StakeholderFactory(
        project=scope_review.project, user=lead, role=Stakeholder.Role.BUSINESS_OWNER
    )
    with pytest.raises(RuleViolated) as error:
        sign(scope_review, lead, "business_owner")
    refused(scope_review, error, "separation_of_duties")
    assert "Who wrote the scope may not sign it off." in error.value.details["reasons"]
