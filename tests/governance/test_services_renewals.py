"""Renewing an approval before it ends, coming back after it ended, and periodic revalidation."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import GateReview, Promotion
from governance.services import expiry, promotions, renewals, revalidation, reviews
from governance.services.policies import rules_of
from governance.services.promotions import PromotionRequest
from governance.services.reviews import ReviewRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import RuleViolated
from projects.models import ScopingDocument
from tests.factories import session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"


def at(**later: int) -> datetime:
    return timezone.now() + timedelta(**later)


def renewal_of(review: GateReview, user: User) -> GateReview:
    wanted = ReviewRequest(review.gate, review.project, review.subject_kind, review.subject_ref)
    return reviews.request_review(wanted, actor=session_actor(user))


@pytest.fixture
def renewal(applied: Promotion, ml_engineer: User) -> GateReview:
    """A review of the version that serves, asked for while its approval stands."""
    return renewal_of(applied.review, ml_engineer)


def test_the_request_says_what_it_renews_and_the_old_approval_stands_meanwhile(
    renewal: GateReview, applied: Promotion
) -> None:
    assert renewal.renews == applied.review
    assert promotions.standing_promotion(MODEL, "production") == applied


def test_a_renewal_takes_over_without_a_gap(
    renewal: GateReview, applied: Promotion, sign: Any, validator: User, business_owner: User
) -> None:
    old = applied.review
    sign(renewal, validator, "validator")
    sign(renewal, business_owner, "business_owner")
    old.refresh_from_db()
    standing = promotions.standing_promotion(MODEL, "production")
    assert (standing, standing.review) == (applied, renewal)
    assert (old.status, old.status_reason) == ("expired", f"Renewed by review {renewal.pk}.")
    moved = LedgerEntry.objects.get(event="promotion.renewed")
    assert (moved.data["from"], moved.data["to"]) == (old.ref, renewal.ref)
    day = timedelta(days=1)
    ended = expiry.expire_due(old.expires_at + day, actor=system("governance"))
    assert renewal.ref not in ended.expired or renewal.expires_at <= old.expires_at + day


def test_a_rejected_renewal_stops_what_serves(
    renewal: GateReview, applied: Promotion, sign: Any, validator: User
) -> None:
    sign(renewal, validator, "validator", outcome="rejected", reason="It drifts.")
    applied.refresh_from_db()
    assert (applied.status, applied.review.status) == ("suspended", "suspended")
    assert f"review {renewal.pk}" in applied.status_reason


def test_a_withdrawn_renewal_changes_nothing(
    renewal: GateReview, applied: Promotion, ml_engineer: User
) -> None:
    reviews.withdraw_review(renewal, actor=session_actor(ml_engineer))
    assert promotions.standing_promotion(MODEL, "production") == applied


def test_what_ended_comes_back_by_a_review_that_names_it(
    applied: Promotion, ml_engineer: User
) -> None:
    expiry.expire_due(at(days=366), actor=system("governance"))
    request = PromotionRequest(applied.project, MODEL, 1, applied.subject_ref, "production")
    GateReview.objects.filter(gate="data").update(status="approved", expires_at=None)
    again = promotions.request_promotion(request, actor=session_actor(ml_engineer))
    assert again.review.renews == applied.review
    assert Promotion.objects.get(pk=applied.pk).status == "suspended"


def test_a_promotion_elsewhere_renews_nothing_that_stands(
    applied: Promotion, ml_engineer: User
) -> None:
    request = PromotionRequest(applied.project, MODEL, 1, applied.subject_ref, "production")
    again = promotions.request_promotion(request, actor=session_actor(ml_engineer))
    assert again.review.renews is None


def test_the_approval_of_a_scope_is_renewed_and_the_scope_stays_as_it_is(
    scope_review: GateReview, sign: Any, lead: User, business_owner: User, data_owner: User
) -> None:
    def approve(review: GateReview) -> None:
        sign(review, business_owner, "business_owner")
        sign(review, data_owner, "data_owner")
        assert review.status == "approved"

    approve(scope_review)
    again = renewal_of(scope_review, lead)
    approve(again)
    scope_review.refresh_from_db()
    assert scope_review.status == "expired"
    assert ScopingDocument.objects.get().status == "approved"


def test_what_is_about_to_end_is_listed_soonest_first_in_few_queries(
    applied: Promotion, lead: User, outsider: User, django_assert_num_queries: Any
) -> None:
    GateReview.objects.filter(pk=applied.review_id).update(expires_at=at(days=20))
    GateReview.objects.filter(gate="data").update(expires_at=at(days=10))
    with django_assert_num_queries(2):
        found = list(renewals.ending_for(session_actor(lead)))
    assert [review.gate for review in found] == ["data", "validation"]
    assert all(renewals.is_ending(review, timezone.now()) for review in found)
    assert not renewals.ending_for(session_actor(outsider)).exists()
    GateReview.objects.update(expires_at=at(days=31))
    assert not renewals.ending_for(session_actor(lead)).exists()


@pytest.mark.no_ledger_guard
def test_nobody_is_warned_of_an_approval_on_which_nothing_stands(
    applied: Promotion, lead: User
) -> None:
    GateReview.objects.filter(pk=applied.review_id).update(expires_at=at(days=20))
    Promotion.objects.filter(pk=applied.pk).update(status="superseded")
    assert applied.review not in renewals.ending_for(session_actor(lead))


# --- Periodic revalidation ------------------------------------------------------------------------


@pytest.fixture
def revalidating(applied: Promotion, monkeypatch: pytest.MonkeyPatch) -> Promotion:
    """What serves, under a policy that asks for revalidation every half year."""
    rules = rules_of(applied.review.policy_version)
    gate = replace(
        rules.gates["validation"],
        name="revalidation",
        validity_days=MappingProxyType({"low": 180, "medium": 180, "high": 180}),
    )
    with_gate = replace(rules, gates={**rules.gates, "revalidation": gate})
    monkeypatch.setattr(revalidation, "rules_of", lambda version: with_gate)
    return applied


def test_while_a_version_in_use_is_overdue_nothing_of_the_model_is_promoted(
    revalidating: Promotion, world: fakes.Subjects, data_scientist: User, ml_engineer: User
) -> None:
    facts = fakes.model_facts(
        revalidating.project, data_scientist.pk, revalidating.review.bindings["scope"]
    )
    world.facts["model_version:8"] = facts
    world.change("model_version:8", attributes={"model_number": 2})
    request = PromotionRequest(revalidating.project, MODEL, 2, "model_version:8", "production")
    GateReview.objects.filter(pk=revalidating.review_id).update(decided_at=at(days=-181))
    before = Promotion.objects.count()
    with pytest.raises(RuleViolated) as error:
        promotions.request_promotion(request, actor=session_actor(ml_engineer))
    assert error.value.code == "revalidation_overdue"
    assert f"{revalidating} was due for revalidation" in error.value.details["reasons"][0]
    assert Promotion.objects.count() == before
    revalidating.refresh_from_db()
    assert revalidating.status == "applied", "only expiry suspends"
    GateReview.objects.filter(pk=revalidating.review_id).update(decided_at=at(days=-179))
    assert promotions.request_promotion(request, actor=session_actor(ml_engineer)).pk


def test_passing_the_gate_anew_settles_it(revalidating: Promotion) -> None:
    GateReview.objects.filter(pk=revalidating.review_id).update(decided_at=at(days=-181))
    policy = revalidating.review.policy_version
    now = timezone.now()
    assert revalidation.overdue(revalidation.in_use(MODEL), policy, now)
    passed = GateReview.objects.get(pk=revalidating.review_id)
    passed.pk = None
    passed.gate = "revalidation"
    passed.decided_at = now
    passed.status = "approved"
    passed.save()
    assert not revalidation.overdue(revalidation.in_use(MODEL), policy, now)


def test_a_policy_without_the_gate_asks_for_no_revalidation(applied: Promotion) -> None:
    GateReview.objects.filter(pk=applied.review_id).update(decided_at=at(days=-9999))
    policy = applied.review.policy_version
    assert not revalidation.overdue(revalidation.in_use(MODEL), policy, timezone.now())
