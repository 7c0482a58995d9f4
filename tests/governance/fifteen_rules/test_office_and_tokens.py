"""Rules 9 and 10: no right by office, break-glass by two people, and no signing without a person.

What the MLflow client is refused under the same rules is tried where MLflow is served.
"""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from rest_framework.test import APIClient

from config.tokens import create_token
from governance.models import (
    Delegation,
    DeniedAttempt,
    Evidence,
    Finding,
    GateReview,
    Override,
    Promotion,
    SignOff,
    Waiver,
)
from tests.factories import PASSWORD, session_actor
from tests.governance.fifteen_rules.doors import Page, Rest, assert_refused, give

pytestmark = pytest.mark.django_db


def test_rule_9_an_administrator_has_no_right_to_sign(
    door: Any, review: GateReview, superuser: User
) -> None:
    assert door.sign(superuser, review).status == 404
    give(review, superuser, "operations")
    assert_refused(door.sign(superuser, review), 403, "does not hold the role", review)


@pytest.mark.parametrize("name", ["signoff", "waiver", "override", "promotion", "gatereview"])
def test_rule_9_the_admin_adds_nothing_that_decides(
    client_for: Any, review: GateReview, superuser: User, name: str
) -> None:
    client = client_for(superuser)
    assert client.get(reverse(f"admin:governance_{name}_add")).status_code == 403
    changed = client.post(
        reverse("admin:governance_gatereview_change", args=[review.pk]), {"status": "approved"}
    )
    review.refresh_from_db()
    assert (changed.status_code, review.status) == (403, "open")


def test_rule_9_an_administrator_breaks_no_glass(
    door: Any, promotion: Promotion, superuser: User
) -> None:
    assert door.break_glass(superuser, promotion).status == 404
    give(promotion.review, superuser, "operations")
    tried = door.break_glass(superuser, promotion)
    assert tried.is_refused_as(403, "Break-glass takes one of these roles")
    assert not Override.objects.exists()


def test_rule_9_break_glass_takes_a_second_person_and_opens_a_finding(
    door: Any, promotion: Promotion, ml_engineer: User, business_owner: User
) -> None:
    give(promotion.review, ml_engineer, "business_owner")
    assert door.break_glass(ml_engineer, promotion).is_done
    override = Override.objects.get()
    tried = door.confirm(ml_engineer, override, "business_owner")
    assert tried.is_refused_as(403, "it takes a second person")
    promotion.refresh_from_db()
    assert (promotion.status, Finding.objects.count()) == ("requested", 0)
    assert door.confirm(business_owner, override, "business_owner").is_done
    promotion.refresh_from_db()
    assert (promotion.status, promotion.review.status) == ("approved", "open")
    finding = Finding.objects.get()
    assert (finding.severity, finding.data["override"]) == ("high", override.ref)
    assert finding.due_on is not None
    promotion.review.refresh_from_db()
    assert promotion.review.due_on == finding.due_on


Caller = Callable[[User], APIClient]


def _by_token(user: User) -> APIClient:
    client = APIClient()
    token = create_token(user, actor=session_actor(user), name="ci")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def _by_name_and_password(user: User) -> APIClient:
    client = APIClient()
    pair = base64.b64encode(f"{user.username}:{PASSWORD}".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {pair}")
    return client


def test_rule_10_a_token_posts_evidence_and_requests_reviews(
    candidate: str, review: GateReview, data_scientist: User
) -> None:
    body = {
        "project": review.project.slug,
        "subject_kind": "model_version",
        "subject_ref": candidate,
        "kind": "plot",
        "title": "Gain",
        "data": {"text": "By a program."},
    }
    answer = _by_token(data_scientist).post("/api/v1/evidence/", body, format="json")
    assert answer.status_code == 201
    assert Evidence.objects.get(title="Gain").produced_by == data_scientist


def test_rule_10_a_token_signs_nothing(review: GateReview, validator: User) -> None:
    assert_refused(Rest(_by_token).sign(validator, review), 403, "a token may not sign", review)
    denied = DeniedAttempt.objects.get(action="review.sign")
    assert (denied.code, denied.actor_name) == ("signing_needs_session", "Vera")


def test_rule_10_name_and_password_open_rest_no_door(review: GateReview, validator: User) -> None:
    tried = Rest(_by_name_and_password).sign(validator, review)
    assert_refused(tried, 401, "not_authenticated", review)


@pytest.mark.parametrize("client", [_by_token, _by_name_and_password])
def test_rule_10_the_page_signs_for_nobody_without_a_session(
    review: GateReview, validator: User, client: Caller
) -> None:
    tried = Page(client).sign(validator, review)
    assert (tried.status, tried.words) == (302, "")
    assert not SignOff.objects.filter(review=review).exists()


def test_rule_10_a_token_passes_on_waives_and_breaks_nothing(
    promotion: Promotion, validator: User, risk_officer: User, ml_engineer: User
) -> None:
    door = Rest(_by_token)
    tries = [
        door.waive(risk_officer, promotion.review),
        door.break_glass(ml_engineer, promotion),
        door.delegate(validator, promotion.project, risk_officer),
    ]
    assert [one.status for one in tries] == [403, 403, 403]
    assert all("signing_needs_session" in one.words for one in tries)
    written = [rows.objects.count() for rows in (Waiver, Override, Delegation)]
    assert written == [0, 0, 0]


def test_rule_10_the_password_is_asked_for_again(
    door: Any, review: GateReview, validator: User
) -> None:
    tried = door.sign(validator, review, password="another horse")
    assert_refused(tried, 403, "The password is wrong", review)
    assert_refused(door.sign(validator, review, password=""), 400, "", review)
