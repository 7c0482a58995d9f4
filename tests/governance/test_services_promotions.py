"""Promotions: one path to applied, claimed by one worker, halted whenever the ground moves."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import DeniedAttempt, GateReview, LineageEdge, PolicyVersion, Promotion
from governance.services import policies, promotions, reviews
from governance.services.promotions import PromotionRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    Unavailable,
)
from projects.models import Project, Stakeholder
from tests.factories import StakeholderFactory, edit_past_the_triggers, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
WORKER = system("promotion")


def asked(project: Project, **changes: Any) -> PromotionRequest:
    values = {
        "project": project,
        "model_name": "term-deposit-calls",
        "model_version": 1,
        "subject_ref": fakes.MODEL,
        "environment": "production",
        **changes,
    }
    return PromotionRequest(**values)


def events_of(promotion: Promotion) -> list[str]:
    entries = LedgerEntry.objects.filter(subject=promotion.ref).order_by("seq")
    return list(entries.values_list("event", flat=True))


def test_from_request_to_applied(approved: Promotion) -> None:
    assert promotions.standing_promotion("term-deposit-calls", "production") is None
    assert promotions.claim_promotion(approved, worker="host:1")
    assert (approved.status, approved.attempts, approved.claimed_by) == ("applying", 1, "host:1")
    promotions.mark_applied(approved, actor=WORKER)
    assert approved.applied_at is not None
    assert promotions.standing_promotion("term-deposit-calls", "production") == approved
    assert events_of(approved) == [
        "promotion.requested",
        "promotion.approved",
        "promotion.claimed",
        "promotion.applied",
    ]


def test_the_request_binds_the_files_and_joins_the_graph(promotion: Promotion) -> None:
    assert promotion.files_digest == fakes.sha("a")
    assert promotion.review.model_name == "term-deposit-calls"
    kinds = LineageEdge.objects.filter(kind__in=["judged_by", "decides"])
    assert {edge.kind for edge in kinds} == {"judged_by", "decides"}


def test_retraining_may_ask_but_not_sign(
    released_data: GateReview, candidate: str, project: Project
) -> None:
    promotion = promotions.request_promotion(asked(project), actor=system("retraining"))
    assert (promotion.requested_by, promotion.requested_as) == (None, "system:retraining")


@pytest.mark.parametrize("role", ["validator", "business_owner", "auditor"])
def test_who_judges_does_not_ask(candidate: str, project: Project, role: str, request: Any) -> None:
    user = request.getfixturevalue(role)
    with pytest.raises(NotPermitted) as error:
        promotions.request_promotion(asked(project), actor=session_actor(user))
    assert error.value.code == "role_missing"
    assert not Promotion.objects.exists()
    assert DeniedAttempt.objects.get().action == "promotion.request"


def test_a_stranger_learns_nothing(candidate: str, project: Project, outsider: User) -> None:
    with pytest.raises(NotFound):
        promotions.request_promotion(asked(project), actor=session_actor(outsider))


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"environment": "moon"}, NotFound, "no_environment"),
        ({"subject_ref": "model_version:99"}, NotFound, "no_such_subject"),
        ({"model_version": 2}, RuleViolated, "subject_mismatch"),
    ],
)
def test_a_wrong_request_opens_nothing(
    candidate: str, project: Project, ml_engineer: User, changes: Any, error: Any, code: str
) -> None:
    with pytest.raises(error) as found:
        promotions.request_promotion(asked(project, **changes), actor=session_actor(ml_engineer))
    assert found.value.code == code
    assert not GateReview.objects.exists()


def test_the_same_version_is_asked_for_once(
    promotion: Promotion, project: Project, ml_engineer: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        promotions.request_promotion(asked(project), actor=session_actor(ml_engineer))
    assert error.value.code == "promotion_open"
    assert Promotion.objects.count() == 1


def test_a_role_that_only_authors_hold_leaves_nobody_to_sign(
    candidate: str, project: Project, ml_engineer: User, data_scientist: User, validator: User
) -> None:
    Stakeholder.objects.filter(user=validator).delete()
    StakeholderFactory(project=project, user=data_scientist, role=Stakeholder.Role.VALIDATOR)
    with pytest.raises(RuleViolated) as error:
        promotions.request_promotion(asked(project), actor=session_actor(ml_engineer))
    assert error.value.code == "no_eligible_signer"
    assert error.value.details["roles"] == ["validator"]
    assert not GateReview.objects.exists()


def test_an_unapproved_promotion_is_claimed_by_nobody(promotion: Promotion) -> None:
    assert not promotions.claim_promotion(promotion, worker="host:1")
    with pytest.raises(InvalidTransition):
        promotions.mark_applied(promotion, actor=WORKER)
    promotion.refresh_from_db()
    assert promotion.status == "requested"


def test_a_live_claim_is_left_alone(approved: Promotion) -> None:
    assert promotions.claim_promotion(approved, worker="elsewhere:1")
    assert not promotions.claim_promotion(approved, worker="host:2")
    here = f"{socket.gethostname()}:{os.getpid()} job:1"
    Promotion.objects.filter(pk=approved.pk).update(claimed_by=here)
    assert not promotions.claim_promotion(approved, worker="host:2")


def test_a_claim_of_a_dead_process_is_taken_over_at_once(approved: Promotion) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    dead = f"{socket.gethostname()}:{process.pid} job:1"
    assert promotions.claim_promotion(approved, worker=dead)
    assert promotions.claim_promotion(approved, worker="host:2")
    assert (approved.claimed_by, approved.attempts) == ("host:2", 2)


def test_a_claim_that_is_a_minute_old_is_taken_over(approved: Promotion) -> None:
    assert promotions.claim_promotion(approved, worker="elsewhere:1")
    old = timezone.now() - promotions.CLAIM_LASTS - timedelta(seconds=1)
    Promotion.objects.filter(pk=approved.pk).update(claimed_at=old)
    assert promotions.claim_promotion(approved, worker="host:2")


def test_applying_twice_is_applying_once(applied: Promotion) -> None:
    at = applied.applied_at
    promotions.mark_applied(applied, actor=WORKER)
    assert applied.applied_at == at
    assert events_of(applied).count("promotion.applied") == 1


def test_only_the_worker_applies(approved: Promotion, lead: User) -> None:
    promotions.claim_promotion(approved, worker="host:1")
    for actor in (session_actor(lead), system("monitoring")):
        with pytest.raises(NotPermitted):
            promotions.mark_applied(approved, actor=actor)
    approved.refresh_from_db()
    assert approved.status == "applying"


@pytest.mark.parametrize("part", ["run", "scope", "dataset:train"])
def test_what_moved_after_the_approval_halts_the_promotion(
    approved: Promotion, world: fakes.Subjects, part: str
) -> None:
    world.change(fakes.MODEL, bindings={part: fakes.sha("9")})
    assert not promotions.claim_promotion(approved, worker="host:1")
    approved.refresh_from_db()
    assert (approved.status, approved.review.status) == ("suspended", "stale")
    assert "changed" in approved.status_reason


def test_a_signer_who_turns_out_to_be_an_author_halts_the_promotion(
    approved: Promotion, world: fakes.Subjects, validator: User
) -> None:
    world.change(fakes.MODEL, authors={"run": frozenset({validator.pk})})
    assert not promotions.claim_promotion(approved, worker="host:1")
    approved.refresh_from_db()
    assert approved.status == "suspended"
    assert "Vera" in approved.status_reason


def test_evidence_added_after_the_approval_halts_nothing(
    approved: Promotion, data_scientist: User
) -> None:
    from governance.services.evidence import Material, record_evidence

    material = Material(
        approved.project, "model_version", fakes.MODEL, "note", "A note", data={"text": "x"}
    )
    record_evidence(material, actor=session_actor(data_scientist))
    assert promotions.claim_promotion(approved, worker="host:1")


def test_an_outage_halts_nothing(approved: Promotion, world: fakes.Subjects) -> None:
    world.error = Unavailable("MLflow is away.", code="mlflow_unreachable")
    with pytest.raises(Unavailable):
        promotions.claim_promotion(approved, worker="host:1")
    approved.refresh_from_db()
    assert approved.status == "approved"
    world.error = None
    assert promotions.claim_promotion(approved, worker="host:1")


def test_an_approval_that_ended_is_not_applied(approved: Promotion) -> None:
    past = timezone.now() - timedelta(seconds=1)
    GateReview.objects.filter(pk=approved.review_id).update(expires_at=past)
    assert not promotions.claim_promotion(approved, worker="host:1")
    approved.refresh_from_db()
    assert approved.status == "suspended"


def test_a_failure_says_why_and_can_be_tried_again(approved: Promotion, ml_engineer: User) -> None:
    promotions.claim_promotion(approved, worker="host:1")
    promotions.mark_failed(approved, actor=WORKER, reason="The files are damaged.")
    assert (approved.status, approved.status_reason) == ("failed", "The files are damaged.")
    promotions.retry_promotion(approved, actor=session_actor(ml_engineer))
    assert promotions.claim_promotion(approved, worker="host:1")


def test_a_failure_whose_approval_ended_is_not_tried_again(
    approved: Promotion, ml_engineer: User, risk_officer: User
) -> None:
    promotions.claim_promotion(approved, worker="host:1")
    promotions.mark_failed(approved, actor=WORKER, reason="The files are damaged.")
    reviews.suspend_review(approved.review, actor=session_actor(risk_officer), reason="Doubt.")
    with pytest.raises(RuleViolated) as error:
        promotions.retry_promotion(approved, actor=session_actor(ml_engineer))
    assert error.value.code == "approval_over"


def test_suspension_holds_at_once(applied: Promotion, risk_officer: User) -> None:
    promotions.suspend_promotion(applied, actor=session_actor(risk_officer), reason="Drift.")
    assert promotions.standing_promotion("term-deposit-calls", "production") is None


def test_suspending_the_review_suspends_the_promotion(applied: Promotion) -> None:
    reviews.suspend_review(applied.review, actor=system("monitoring"), reason="Drift.")
    applied.refresh_from_db()
    assert applied.status == "suspended"
    assert promotions.standing_promotion("term-deposit-calls", "production") is None


def test_an_expired_approval_stands_no_more(applied: Promotion) -> None:
    past = timezone.now() - timedelta(seconds=1)
    GateReview.objects.filter(pk=applied.review_id).update(expires_at=past)
    assert promotions.standing_promotion("term-deposit-calls", "production") is None


def test_withdrawing_a_promotion_withdraws_its_review(
    promotion: Promotion, ml_engineer: User
) -> None:
    promotions.withdraw_promotion(promotion, actor=session_actor(ml_engineer))
    promotion.review.refresh_from_db()
    assert (promotion.status, promotion.review.status) == ("withdrawn", "withdrawn")


def test_withdrawing_a_review_withdraws_its_promotion(promotion: Promotion, lead: User) -> None:
    reviews.withdraw_review(promotion.review, actor=session_actor(lead))
    promotion.refresh_from_db()
    assert promotion.status == "withdrawn"


def test_an_applied_promotion_cannot_be_withdrawn(applied: Promotion, ml_engineer: User) -> None:
    with pytest.raises(InvalidTransition):
        promotions.withdraw_promotion(applied, actor=session_actor(ml_engineer))


def test_the_next_version_supersedes_the_one_before(
    applied: Promotion, promote_second: Any
) -> None:
    second = promote_second(applied)
    applied.refresh_from_db()
    assert (applied.status, second.status) == ("superseded", "applied")
    assert promotions.standing_promotion("term-deposit-calls", "production") == second


def test_a_candidate_is_compared_with_the_champion_even_while_that_is_suspended(
    applied: Any, world: Any, project: Any, ml_engineer: Any
) -> None:
    promotions.suspend_promotion(applied, actor=system("monitoring"), reason="Drift.")
    newer = "model_version:8"
    world.facts[newer] = replace(
        world.facts[fakes.MODEL],
        attributes={**world.facts[fakes.MODEL].attributes, "model_number": 2},
    )
    request = PromotionRequest(project, applied.model_name, 2, newer, "production")
    asked = promotions.request_promotion(request, actor=session_actor(ml_engineer))
    compared = asked.review.results.get(key="compared")
    assert compared.outcome == "missing"
    assert f"{applied.model_name} v1" in compared.message


def test_a_policy_that_forgives_its_own_edit_halts_the_promotion_all_the_same(
    approved: Promotion,
) -> None:
    version = approved.review.policy_version
    softer = version.text.replace(
        "    title: Validation\n",
        "    title: Validation\n    copy_conditions: [{changed: [policy], keep: all}]\n",
    )
    assert policies.parse_text(softer).gates["validation"].copy_conditions
    edit_past_the_triggers(PolicyVersion.objects.filter(pk=version.pk), text=softer)
    assert not promotions.claim_promotion(Promotion.objects.get(pk=approved.pk), worker="host:1")
    approved.refresh_from_db()
    assert approved.status == "suspended"
    assert approved.status_reason.startswith("The policy version changed")
