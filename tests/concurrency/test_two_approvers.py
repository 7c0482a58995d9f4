"""Two people give the last approval in the same moment: one decides, the other is told.

The negative control writes the decision as it is often written, get, if, save, and shows that it
decides more than once where the database lets readers pass writers.
"""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from governance.models import GateReview, Promotion, SignOff
from governance.services import passwords, promotions, reviews
from governance.services.promotions import PromotionRequest
from governance.services.reviews import ReviewRequest, Signature
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import InvalidTransition, NotPermitted, StaleState
from projects.models import Project, Stakeholder
from tests.concurrency.racing import failures, race
from tests.factories import (
    PASSWORD,
    StakeholderFactory,
    UserFactory,
    cast_project,
    page_token_for,
    session_actor,
    submit_scope,
)
from tests.governance import fakes

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
SIGNERS = 8


@pytest.fixture
def stage(racing_db: None) -> Project:
    """The cast with eight data owners, and a scope that waits for one of them."""
    from governance.services import policies

    policies.load_standard_policies(actor=system("setup"))
    return cast_project()


@pytest.fixture
def owners(stage: Project) -> list[User]:
    people = [UserFactory(username=f"owner{number}") for number in range(SIGNERS)]
    for person in people:
        StakeholderFactory(project=stage, user=person, role=Stakeholder.Role.DATA_OWNER)
    return people


@pytest.fixture
def waiting(stage: Project, owners: list[User]) -> GateReview:
    """A scope review that lacks nothing but the data owner."""
    lead = User.objects.get(username="lena")
    document = submit_scope(stage, lead)
    request = ReviewRequest("scope", stage, "scoping_document", document.ref)
    review = reviews.request_review(request, actor=session_actor(lead))
    approve(review, User.objects.get(username="bruno"), "business_owner")
    return review


def approve(review: GateReview, user: User, role: str, password: str = PASSWORD) -> SignOff:
    """Sign as a request would: on a fresh copy of the row."""
    own = GateReview.objects.select_related("project", "policy_version__policy").get(pk=review.pk)
    actor = session_actor(user)
    token = page_token_for(own, role, "approved", actor=actor)
    signature = Signature(role, "approved", "", "", password, own.bindings_digest, page_token=token)
    return reviews.sign(own, signature, actor=actor)


def test_one_of_many_last_approvals_decides(waiting: GateReview, owners: list[User]) -> None:
    results = race(*(lambda owner=owner: approve(waiting, owner, "data_owner") for owner in owners))
    lost = failures(results)
    assert len(lost) == SIGNERS - 1
    assert {type(error) for error in lost} <= {StaleState, InvalidTransition}
    waiting.refresh_from_db()
    assert waiting.status == "approved"
    approvals = LedgerEntry.objects.filter(subject=waiting.ref, event="review.approved")
    assert approvals.count() == 1
    assert SignOff.objects.filter(review=waiting, role="data_owner").count() == 1
    assert LedgerEntry.objects.filter(event="scope.approved").count() == 1


def test_approval_and_rejection_at_once_decide_one_way(
    waiting: GateReview, owners: list[User]
) -> None:
    def reject(user: User) -> SignOff:
        own = GateReview.objects.get(pk=waiting.pk)
        actor = session_actor(user)
        token = page_token_for(own, "data_owner", "rejected", actor=actor)
        signature = Signature(
            "data_owner", "rejected", "", "No.", PASSWORD, own.bindings_digest, page_token=token
        )
        return reviews.sign(own, signature, actor=actor)

    half = SIGNERS // 2
    results = race(
        *(lambda owner=owner: approve(waiting, owner, "data_owner") for owner in owners[:half]),
        *(lambda owner=owner: reject(owner) for owner in owners[half:]),
    )
    assert len(failures(results)) == SIGNERS - 1
    waiting.refresh_from_db()
    decided = LedgerEntry.objects.filter(
        subject=waiting.ref, event__in=["review.approved", "review.rejected"]
    )
    assert [entry.event for entry in decided] == [f"review.{waiting.status}"]


def test_the_same_person_pressing_twice_signs_once(waiting: GateReview, owners: list[User]) -> None:
    owner = owners[0]
    results = race(*([lambda: approve(waiting, owner, "data_owner")] * 4))
    assert len(failures(results)) == 3
    assert SignOff.objects.filter(review=waiting, signer=owner).count() == 1


def test_parallel_wrong_passwords_lock_after_five(waiting: GateReview, owners: list[User]) -> None:
    owner = owners[0]
    tries = 16
    results = race(*([lambda: approve(waiting, owner, "data_owner", password="wrong")] * tries))
    codes = [error.code for error in results if isinstance(error, NotPermitted)]
    assert len(codes) == tries
    assert codes.count("wrong_password") == passwords.MAX_FAILURES
    assert codes.count("signing_locked") == tries - passwords.MAX_FAILURES


def test_one_worker_claims_a_promotion(stage: Project, settings: Any) -> None:
    promotion = approved_promotion(stage, settings)

    def claim(worker: str) -> bool:
        own = Promotion.objects.select_related("environment", "review", "project")
        return promotions.claim_promotion(own.get(pk=promotion.pk), worker=worker)

    try:
        results = race(*(lambda name=f"host{n}:1": claim(name) for n in range(SIGNERS)))
    finally:
        fakes.WORLD.facts.clear()
    assert sorted(results) == [False] * (SIGNERS - 1) + [True]
    promotion.refresh_from_db()
    assert (promotion.status, promotion.attempts) == ("applying", 1)
    claims = LedgerEntry.objects.filter(subject=promotion.ref, event="promotion.claimed")
    assert claims.count() == 1


@pytest.mark.no_ledger_guard
def test_the_naive_way_decides_more_than_once(waiting: GateReview) -> None:
    """Every thread reads before any writes: what a race does now and then, done on purpose."""
    everybody_has_read = threading.Barrier(SIGNERS)

    def get_if_save() -> str:
        review = GateReview.objects.get(pk=waiting.pk)
        everybody_has_read.wait(timeout=30)
        if review.status != GateReview.Status.OPEN:
            return "refused"
        review.status = GateReview.Status.WITHDRAWN
        with transaction.atomic():
            review.save(update_fields=["status"])
        return "decided"

    results = race(*([get_if_save] * SIGNERS))
    assert not failures(results), connection.vendor
    assert results.count("decided") == SIGNERS


def approved_promotion(project: Project, settings: Any) -> Promotion:
    """Return an approved promotion, written past the review to keep the race in focus."""
    settings.SUBJECT_RESOLVERS = {
        **settings.SUBJECT_RESOLVERS,
        "model_version": "tests.governance.fakes.FakeResolver",
    }
    author = User.objects.get(username="sam")
    fakes.WORLD.facts[fakes.MODEL] = fakes.model_facts(project, author.pk, fakes.sha("5"))
    request = PromotionRequest(project, "term-deposit-calls", 1, fakes.MODEL, "production")
    mia = User.objects.get(username="mia")
    promotion = promotions.request_promotion(request, actor=session_actor(mia))
    GateReview.objects.filter(pk=promotion.review_id).update(
        status="approved", decided_at=promotion.requested_at
    )
    Promotion.objects.filter(pk=promotion.pk).update(status="approved")
    return promotion
