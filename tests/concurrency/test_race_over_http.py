"""Thirty-two people press at once on a server of several processes: one transition, the rest 409.

The control runs the same race against the same service with the compare-and-swap taken out, and
shows that the race is one: it decides more than once.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import GateReview, SignOff
from governance.services import policies, reviews
from governance.services.reviews import ReviewRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.models import Project
from tests.concurrency.http_racing import Press, Told, press_at_once, served
from tests.factories import (
    PASSWORD,
    StakeholderFactory,
    UserFactory,
    cast_project,
    page_token_for,
    session_actor,
    submit_scope,
)

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RACERS = 32
DECISIONS = ("review.approved", "review.rejected", "review.withdrawn")
Waiting = Callable[[str], tuple[GateReview, list[User]]]


@pytest.fixture
def stage(racing_db: None) -> Project:
    policies.load_standard_policies(actor=system("setup"))
    return cast_project()


@pytest.fixture
def waiting(stage: Project) -> Waiting:
    """A scope review that lacks one data owner, and as many people as race, in a role."""

    def wait(role: str) -> tuple[GateReview, list[User]]:
        people = [UserFactory(username=f"racer{number}") for number in range(RACERS)]
        for person in people:
            StakeholderFactory(project=stage, user=person, role=role)
        lead = User.objects.get(username="lena")
        document = submit_scope(stage, lead)
        request = ReviewRequest("scope", stage, "scoping_document", document.ref)
        review = reviews.request_review(request, actor=session_actor(lead))
        bruno = User.objects.get(username="bruno")
        body = signature(review, bruno, "business_owner", "approved")
        values = {**body, "conditions": ()}
        reviews.sign(review, reviews.Signature(**values), actor=session_actor(bruno))
        review.refresh_from_db()
        return review, people

    return wait


def signature(review: GateReview, user: User, role: str, outcome: str) -> dict[str, Any]:
    actor = session_actor(user)
    return {
        "role": role,
        "outcome": outcome,
        "meaning": "I have read it.",
        "reason": "" if outcome == "approved" else "Not like this.",
        "password": PASSWORD,
        "bindings_digest": review.bindings_digest,
        "page_token": page_token_for(review, role, outcome, actor=actor),
    }


def signing(review: GateReview, user: User, outcome: str = "approved") -> Press:
    body = signature(review, user, "data_owner", outcome)
    return Press(user, f"/api/v1/gate-reviews/{review.pk}/sign/", body)


def withdrawing(review: GateReview, user: User) -> Press:
    return Press(user, f"/api/v1/gate-reviews/{review.pk}/withdraw/", {})


def decisions(review: GateReview) -> list[str]:
    entries = LedgerEntry.objects.filter(subject=review.ref, event__in=DECISIONS)
    return list(entries.values_list("event", flat=True))


def assert_one_won(told: list[Told], review: GateReview) -> None:
    """Assert that one press was done and everybody else was told 409 with the state there is."""
    statuses = Counter(one.status for one in told)
    won = sum(count for status, count in statuses.items() if status < 300)
    assert (won, statuses[409]) == (1, RACERS - 1), statuses
    review.refresh_from_db()
    assert decisions(review) == [f"review.{review.status}"]
    losers = [one.body for one in told if one.status == 409]
    assert {body["current_status"] for body in losers} == {review.status}, losers[0]


def test_of_thirty_two_last_approvals_one_decides(waiting: Waiting, tmp_path: Path) -> None:
    review, owners = waiting("data_owner")
    presses = [signing(review, owner) for owner in owners]
    with served(tmp_path) as base:
        told = press_at_once(base, presses)
    assert_one_won(told, review)
    assert review.status == "approved"
    assert SignOff.objects.filter(review=review, role="data_owner").count() == 1
    assert LedgerEntry.objects.filter(event="scope.approved").count() == 1


def test_approvals_rejections_and_withdrawals_at_once_decide_one_way(
    waiting: Waiting, tmp_path: Path
) -> None:
    review, owners = waiting("data_owner")
    leads = owners[: RACERS // 3]
    for person in leads:
        StakeholderFactory(project=review.project, user=person, role="lead")
    presses = [withdrawing(review, person) for person in leads]
    for number, person in enumerate(owners[RACERS // 3 :]):
        presses.append(signing(review, person, "rejected" if number % 2 else "approved"))
    with served(tmp_path) as base:
        told = press_at_once(base, presses)
    assert_one_won(told, review)


@pytest.mark.no_ledger_guard
def test_the_same_race_without_the_swap_decides_more_than_once(
    waiting: Waiting, tmp_path: Path
) -> None:
    review, leads = waiting("lead")
    presses = [withdrawing(review, person) for person in leads]
    with served(tmp_path, naive=True) as base:
        told = press_at_once(base, presses)
    assert len([one for one in told if one.status < 300]) > 1, Counter(one.status for one in told)
    assert len(decisions(review)) > 1
