"""Conditions, findings and break-glass over REST: roles, refusals, what is on record."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from config.tokens import create_token
from governance.models import Condition, Finding, GateReview, Override, Promotion
from governance.services.findings import NewFinding, open_finding
from governance.services.reviews import NewCondition
from tests.factories import CAST, PASSWORD, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
MAY_BREAK_GLASS = {"mia", "bruno", "rita"}


@pytest.fixture
def promised(review: GateReview, sign: Any, validator: User) -> Condition:
    promise = [NewCondition("Publish the card.", timezone.now().date() + timedelta(days=7))]
    outcome = "approved_with_conditions"
    sign(review, validator, "validator", outcome=outcome, reason="x", conditions=promise)
    return Condition.objects.get()


@pytest.fixture
def finding(review: GateReview, risk_officer: User) -> Finding:
    new = NewFinding(review.project, "model_version", fakes.MODEL, "Leak?", "", "high")
    return open_finding(new, actor=session_actor(risk_officer))


def glass(promotion: Promotion, **changes: Any) -> dict[str, Any]:
    return {
        "promotion": promotion.pk,
        "incident": "INC-7",
        "reason": "It burns.",
        "hours": 24,
        "role": "ml_engineer",
        "password": PASSWORD,
        **changes,
    }


def by_token(user: User) -> APIClient:
    _, secret = create_token(user, actor=session_actor(user))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


class TestConditions:
    def test_open_ones_are_listed_with_their_review_and_a_fixed_number_of_queries(
        self, api: Any, promised: Condition, lead: User, outsider: User, django_assert_num_queries
    ) -> None:
        client = api(lead)
        with django_assert_num_queries(1):
            rows = client.get(f"{V1}conditions/?met_at__isnull=true").json()["results"]
        assert [(row["text"], row["review"]) for row in rows] == [
            ("Publish the card.", promised.sign_off.review_id)
        ]
        assert api(outsider).get(f"{V1}conditions/").json()["results"] == []
        assert api(outsider).get(f"{V1}conditions/{promised.pk}/").status_code == 404

    @pytest.mark.parametrize(
        ("who", "status"),
        [("validator", 200), ("risk_officer", 200), ("ml_engineer", 403), ("outsider", 404)],
    )
    def test_each_meets_the_table(
        self, api: Any, promised: Condition, who: str, status: int, request: Any
    ) -> None:
        client = api(request.getfixturevalue(who))
        answer = client.post(f"{V1}conditions/{promised.pk}/meet/", {"note": "Done."})
        assert answer.status_code == status
        promised.refresh_from_db()
        assert (promised.met_at is not None) == (status == 200)

    def test_nothing_said_is_a_400_and_twice_a_409(
        self, api: Any, promised: Condition, validator: User
    ) -> None:
        address = f"{V1}conditions/{promised.pk}/meet/"
        client = api(validator)
        assert client.post(address, {}).json()["code"] == "note_missing"
        assert client.post(address, {"note": "Done."}).status_code == 200
        assert client.post(address, {"note": "Done."}).status_code == 409


class TestFindings:
    def test_owner_date_and_severity_are_changed(
        self, api: Any, finding: Finding, lead: User, validator: User
    ) -> None:
        due = (timezone.now().date() + timedelta(days=3)).isoformat()
        address = f"{V1}findings/{finding.pk}/"
        planned = api(lead).post(address + "plan/", {"owner": "sam", "due_on": due}).json()
        assert (planned["owner"], planned["due_on"]) == ("sam", due)
        kept = api(lead).post(address + "plan/", {"due_on": due}).json()
        assert kept["owner"] == "sam"
        body = {"severity": "low", "reason": "A stale column."}
        assert api(lead).post(address + "regrade/", body).status_code == 403
        assert api(validator).post(address + "regrade/", body).json()["severity"] == "low"

    def test_it_is_opened_in_a_review_of_the_project(
        self, api: Any, review: GateReview, validator: User
    ) -> None:
        body = {
            "project": review.project.slug,
            "subject_kind": "model_version",
            "subject_ref": fakes.MODEL,
            "title": "Leak",
            "severity": "high",
            "review": review.pk,
            "recommended_action": "Drop the column.",
        }
        made = api(validator).post(f"{V1}findings/", body, format="json")
        assert (made.status_code, made.json()["review"]) == (201, review.pk)
        unknown = api(validator).post(f"{V1}findings/", body | {"review": 9999}, format="json")
        assert unknown.status_code == 404
        assert Finding.objects.count() == 1


class TestOverrides:
    def test_two_people_break_the_glass(
        self, api: Any, promotion: Promotion, ml_engineer: User, business_owner: User
    ) -> None:
        asked = api(ml_engineer).post(f"{V1}overrides/", glass(promotion), format="json")
        assert asked.status_code == 201
        assert "password" not in asked.json()
        address = f"{V1}overrides/{asked.json()['id']}/"
        second = {"role": "business_owner", "password": PASSWORD}
        alone = api(ml_engineer).post(address + "confirm/", second, format="json")
        assert alone.status_code == 403
        done = api(business_owner).post(address + "confirm/", second, format="json").json()
        assert (done["status"], done["confirmed_by"]) == ("active", "bruno")
        again = api(business_owner).post(address + "confirm/", second, format="json")
        assert again.status_code == 409
        ended = api(business_owner).post(address + "end/", {"reason": "Over."}).json()
        assert ended["status"] == "ended"
        promotion.refresh_from_db()
        assert promotion.status == "suspended"

    @pytest.mark.parametrize("username", [*CAST, "otto"])
    def test_each_meets_the_table_at_the_request(
        self, api: Any, promotion: Promotion, outsider: User, username: str
    ) -> None:
        user = User.objects.get(username=username)
        body = glass(promotion, role=CAST.get(username, "lead"))
        answer = api(user).post(f"{V1}overrides/", body, format="json")
        expected = 201 if username in MAY_BREAK_GLASS else 404 if username == "otto" else 403
        assert answer.status_code == expected
        assert Override.objects.exists() == (expected == 201)

    def test_no_token_asks_or_confirms(
        self, api: Any, promotion: Promotion, ml_engineer: User, business_owner: User
    ) -> None:
        refused = by_token(ml_engineer).post(f"{V1}overrides/", glass(promotion), format="json")
        assert (refused.status_code, refused.json()["code"]) == (403, "signing_needs_session")
        asked = api(ml_engineer).post(f"{V1}overrides/", glass(promotion), format="json").json()
        second = {"role": "business_owner", "password": PASSWORD}
        address = f"{V1}overrides/{asked['id']}/confirm/"
        refused = by_token(business_owner).post(address, second, format="json")
        assert (refused.status_code, refused.json()["code"]) == (403, "signing_needs_session")
        promotion.refresh_from_db()
        assert promotion.status == "requested"

    def test_a_request_is_declined_by_the_roles_alone(
        self, api: Any, promotion: Promotion, ml_engineer: User, data_scientist: User
    ) -> None:
        asked = api(ml_engineer).post(f"{V1}overrides/", glass(promotion), format="json").json()
        address = f"{V1}overrides/{asked['id']}/decline/"
        assert api(data_scientist).post(address, {"reason": "No."}).status_code == 403
        assert api(ml_engineer).post(address, {"reason": "It can wait."}).status_code == 200
        assert api(ml_engineer).post(address, {"reason": "Again."}).status_code == 409

    def test_strangers_see_none(
        self, api: Any, promotion: Promotion, ml_engineer: User, auditor: User, outsider: User
    ) -> None:
        asked = api(ml_engineer).post(f"{V1}overrides/", glass(promotion), format="json").json()
        address = f"{V1}overrides/{asked['id']}/"
        assert api(auditor).get(address).json()["incident"] == "INC-7"
        for verb in ("", "confirm/", "decline/", "end/"):
            ask = api(outsider).get if not verb else api(outsider).post
            assert ask(address + verb).status_code == 404
        assert api(outsider).get(f"{V1}overrides/").json()["results"] == []
