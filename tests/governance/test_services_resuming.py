"""A promotion that was suspended along with its review comes back with it, and no other does."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import GateReview, Promotion
from governance.services import overrides, promotions, resuming, reviews, rollback, sweeping
from governance.services.overrides import Confirmation, NewOverride
from ledger.models import LedgerEntry
from projects.actors import system
from tests.factories import PASSWORD, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def approve_anew(sign: Any, lead: User, validator: User, business_owner: User) -> Any:
    """Bind a stale review to what is there now, and sign it again."""

    def approve(review: GateReview) -> None:
        reviews.refresh_review(review, actor=session_actor(lead))
        sign(review, validator, "validator")
        sign(review, business_owner, "business_owner")
        assert review.status == "approved"

    return approve


def move_run(world: fakes.Subjects, promotion: Promotion, letter: str = "e") -> None:
    """Let the training run be another one than was signed, and let the sweep see it."""
    world.change(promotion.subject_ref, bindings={"run": fakes.sha(letter)})
    sweeping.sweep(actor=system("governance"))
    promotion.refresh_from_db()
    promotion.review.refresh_from_db()


def resumed(promotion: Promotion) -> bool:
    promotion.refresh_from_db()
    entries = LedgerEntry.objects.filter(event="promotion.resumed", subject=promotion.ref)
    assert entries.exists() == (promotion.status == "approved")
    return promotion.status == "approved"


def told_to_resume(promotion: Promotion) -> bool:
    """Resume a promotion as the approval of its review would; return whether it was queued."""
    promotion.refresh_from_db()
    promotion.review.refresh_from_db()
    actor = system("governance")
    queued = resuming.resume(promotion, promotion.review, decided=timezone.now(), actor=actor)
    assert queued == resumed(promotion)
    return queued


def test_what_went_stale_and_is_approved_anew_is_queued_and_applied_again(
    applied: Promotion, world: fakes.Subjects, approve_anew: Any
) -> None:
    move_run(world, applied)
    assert (applied.review.status, applied.status) == ("stale", "suspended")
    assert promotions.standing_promotion(applied.model_name, "production") is None
    approve_anew(applied.review)
    assert resumed(applied)
    assert applied.status_reason == ""
    assert promotions.standing_promotion(applied.model_name, "production") is None
    assert promotions.claim_promotion(applied, worker="here:2")
    promotions.mark_applied(applied, actor=system("promotion"))
    assert promotions.standing_promotion(applied.model_name, "production") == applied


def test_what_moves_once_more_before_the_worker_comes_is_not_applied(
    applied: Promotion, world: fakes.Subjects, approve_anew: Any
) -> None:
    move_run(world, applied)
    approve_anew(applied.review)
    world.change(applied.subject_ref, bindings={"run": fakes.sha("f")})
    assert not promotions.claim_promotion(applied, worker="here:2")
    applied.refresh_from_db()
    assert (applied.status, applied.resumes_with_review) == ("suspended", True)


def test_what_somebody_suspended_stays_suspended(
    applied: Promotion, world: fakes.Subjects, approve_anew: Any, risk_officer: User
) -> None:
    actor = session_actor(risk_officer)
    promotions.suspend_promotion(applied, actor=actor, reason="It offends callers.")
    move_run(world, applied)
    approve_anew(applied.review)
    assert not resumed(applied)
    assert "offends" in applied.status_reason


# The gate asks itself whether a version's files are whole and whether it beats the champion, so an
# approval would not come about in these; nor does the promotion come back by it.


def test_other_files_than_those_of_the_promotion_do_not_come_back(
    applied: Promotion, world: fakes.Subjects
) -> None:
    move_run(world, applied)
    bindings = {**applied.review.bindings, "model_files": fakes.sha("9")}
    GateReview.objects.filter(pk=applied.review_id).update(bindings=bindings)
    assert applied.resumes_with_review
    assert not told_to_resume(applied)


@pytest.mark.parametrize("first", ["approved", "applied"])
def test_a_version_that_another_one_went_past_does_not_come_back(
    request: Any, world: fakes.Subjects, promote_second: Any, first: str
) -> None:
    promotion = request.getfixturevalue(first)
    move_run(world, promotion)
    second = promote_second(promotion)
    assert not told_to_resume(promotion)
    assert promotions.standing_promotion(promotion.model_name, "production") == second


def test_what_was_rolled_back_does_not_come_back(
    applied: Promotion, world: fakes.Subjects, promote_second: Any, lead: User
) -> None:
    second = promote_second(applied)
    move_run(world, second, "d")
    assert second.resumes_with_review
    rollback.roll_back(second, actor=session_actor(lead), reason="It fails.")
    assert not told_to_resume(second)


def test_break_glass_that_ended_comes_back_with_the_approval(
    promotion: Promotion, sign: Any, ml_engineer: User, business_owner: User, validator: User
) -> None:
    wanted = NewOverride("INC-7", "Half of the calls fail.", 24, "ml_engineer", PASSWORD)
    glass = overrides.request_override(promotion, wanted, actor=session_actor(ml_engineer))
    second = Confirmation("business_owner", PASSWORD)
    overrides.confirm_override(glass, second, actor=session_actor(business_owner))
    actor = session_actor(ml_engineer)
    overrides.end_override(glass, actor=actor, reason="The incident is over.")
    promotion.refresh_from_db()
    assert (promotion.status, promotion.review.status) == ("suspended", "open")
    sign(promotion.review, validator, "validator")
    assert not resumed(promotion)
    sign(promotion.review, business_owner, "business_owner")
    assert resumed(promotion)


def test_the_page_says_that_it_comes_back(
    applied: Promotion, world: fakes.Subjects, validator: User, client_for: Any
) -> None:
    address = f"/reviews/{applied.review_id}/"
    words = "It comes back when this review is approved anew."
    assert words not in client_for(validator).get(address).content.decode()
    move_run(world, applied)
    assert words in client_for(validator).get(address).content.decode()
