"""The pages of what has an end: who sees them, what they do, and that they cost a fixed amount."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import (
    Condition,
    Delegation,
    Finding,
    GateReview,
    Override,
    Promotion,
    Waiver,
)
from governance.services import reviews
from governance.services.findings import NewFinding, open_finding
from governance.services.reviews import NewCondition
from tests.factories import PASSWORD, session_actor
from tests.governance import faces, fakes

pytestmark = pytest.mark.django_db


def day(ahead: int) -> str:
    return (timezone.now().date() + timedelta(days=ahead)).isoformat()


def said(response: Any) -> str:
    """Return the messages of the page that a POST led to."""
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def finding(review: GateReview, risk_officer: User) -> Finding:
    new = NewFinding(review.project, "model_version", fakes.MODEL, "Leak?", "", "high")
    return open_finding(new, actor=session_actor(risk_officer))


@pytest.fixture
def promised(review: GateReview, sign: Any, validator: User) -> Condition:
    promise = [NewCondition("Publish the card.", timezone.now().date() + timedelta(days=7))]
    outcome = "approved_with_conditions"
    sign(review, validator, "validator", outcome=outcome, reason="x", conditions=promise)
    return Condition.objects.get()


@pytest.fixture
def asked(client_for: Any, promotion: Promotion, ml_engineer: User) -> Override:
    body = {
        "incident": "INC-7",
        "reason": "It burns.",
        "hours": "24",
        "role": "ml_engineer",
        "password": PASSWORD,
    }
    client_for(ml_engineer).post(f"/promotions/{promotion.pk}/break-glass/", body)
    return Override.objects.get()


@pytest.fixture
def listed(promised: Condition, finding: Finding, lead: User) -> User:
    """Somebody on a project where something falls due."""
    return lead


@pytest.mark.parametrize("address", ["/duties/", "/findings/", "/delegations/"])
def test_lists_show_strangers_nothing_and_keep_the_strict_policy(
    client_for: Any, listed: User, outsider: User, address: str
) -> None:
    assert Client().get(address).status_code == 302
    mine = client_for(listed).get(address)
    assert mine.status_code == 200
    assert list(faces.offences_in(mine)) == []
    theirs = client_for(outsider).get(address).content.decode()
    assert "Publish the card." not in theirs
    assert "Leak?" not in theirs
    assert "term-deposit" not in theirs


def test_lists_cost_the_same_whatever_they_hold(
    client_for: Any, promised: Condition, finding: Finding, lead: User
) -> None:
    client = client_for(lead)

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    before = [queries("/duties/"), queries("/findings/")]
    for number in range(4):
        promised.pk = None
        promised.text = f"Promise {number}"
        promised.save()
        finding.pk = None
        finding.owner = lead
        finding.save()
    assert [queries("/duties/"), queries("/findings/")] == before


def test_findings_are_filtered(client_for: Any, finding: Finding, lead: User) -> None:
    Finding.objects.update(due_on=timezone.now().date() - timedelta(days=1), owner=lead)
    client = client_for(lead)
    for query, shown in (
        ("overdue=on", True),
        ("mine=on", True),
        ("severity=high&status=unresolved", True),
        ("severity=low", False),
        ("status=closed", False),
        (f"project={finding.project.slug}", True),
    ):
        assert ("Leak?" in client.get(f"/findings/?{query}").content.decode()) == shown, query
    assert b"overdue" in client.get(f"/findings/{finding.pk}/").content


def test_a_finding_is_planned_and_regraded_on_its_page(
    client_for: Any, finding: Finding, lead: User, validator: User, data_scientist: User
) -> None:
    body = {"owner": data_scientist.pk, "due_on": day(3), "recommended_action": "Drop it."}
    client_for(lead).post(f"/findings/{finding.pk}/plan/", body)
    finding.refresh_from_db()
    assert (finding.owner, finding.due_on.isoformat()) == (data_scientist, day(3))
    grade = {"severity": "low", "reason": "A stale column."}
    refused = client_for(lead).post(f"/findings/{finding.pk}/regrade/", grade, follow=True)
    assert "does not hold" in said(refused) or "role" in said(refused)
    page = client_for(validator).post(f"/findings/{finding.pk}/regrade/", grade, follow=True)
    finding.refresh_from_db()
    assert finding.severity == "low"
    assert "high to low" in page.content.decode()
    assert f'value="{day(3)}"' in page.content.decode(), "as a browser's date field reads it"


def test_a_finding_of_a_review_page_names_the_review(
    client_for: Any, review: GateReview, validator: User
) -> None:
    body = {"title": "Leak", "severity": "high"}
    client_for(validator).post(f"/reviews/{review.pk}/findings/", body)
    found = Finding.objects.get()
    assert found.review == review
    page = client_for(validator).get(f"/findings/{found.pk}/").content.decode()
    assert f"/reviews/{review.pk}/" in page


def test_a_promise_is_met_on_the_page_of_its_review(
    client_for: Any, promised: Condition, validator: User, ml_engineer: User
) -> None:
    place = f"/reviews/{promised.sign_off.review_id}/"
    action = f"/conditions/{promised.pk}/meet/"
    assert action in client_for(validator).get(place).content.decode()
    assert action not in client_for(ml_engineer).get(place).content.decode()
    client_for(ml_engineer).post(action, {"note": "Done."})
    promised.refresh_from_db()
    assert promised.met_at is None
    page = client_for(validator).post(action, {"note": "It is published."}, follow=True)
    assert "It is published." in page.content.decode()


def test_a_waiver_is_granted_and_revoked_on_the_page(
    client_for: Any, review: GateReview, world: fakes.Subjects, lead: User, risk_officer: User
) -> None:
    world.change(fakes.MODEL, metrics={"test_roc_auc": 0.5})
    reviews.evaluate_review(review, actor=session_actor(lead))
    place = f"/reviews/{review.pk}/waivers/"
    assert place not in client_for(lead).get(f"/reviews/{review.pk}/").content.decode()
    rita = client_for(risk_officer)
    assert place in rita.get(f"/reviews/{review.pk}/").content.decode()
    body = {
        "requirement_key": "criteria.ranks-later-months",
        "reason": "The season was odd.",
        "compensating_control": "Weekly look.",
        "ends_on": day(30),
        "role": "risk_officer",
        "password": "guess",
    }
    assert "wrong" in said(rita.post(place, body, follow=True))
    assert not Waiver.objects.exists()
    rita.post(place, body | {"password": PASSWORD})
    granted = Waiver.objects.get()
    assert (granted.granted_by, granted.expires_at.date() - timezone.now().date()) == (
        risk_officer,
        timedelta(days=31),
    )
    assert "The season was odd." in rita.get("/duties/").content.decode()
    rita.post(f"/waivers/{granted.pk}/revoke/")
    granted.refresh_from_db()
    assert granted.revoked_at is not None


def test_break_glass_is_asked_for_confirmed_and_ended_on_the_page(
    client_for: Any, asked: Override, business_owner: User, ml_engineer: User
) -> None:
    place = f"/reviews/{asked.promotion.review_id}/"
    confirm = f"/overrides/{asked.pk}/confirm/"
    assert confirm not in client_for(ml_engineer).get(place).content.decode()
    bruno = client_for(business_owner)
    page = bruno.get(place)
    assert confirm in page.content.decode()
    assert list(faces.offences_in(page)) == []
    bruno.post(confirm, {"role": "business_owner", "password": PASSWORD})
    asked.refresh_from_db()
    assert asked.status == "active"
    assert "1 live" in bruno.get("/duties/").content.decode()
    bruno.post(f"/overrides/{asked.pk}/end/", {"reason": "It is over."})
    asked.refresh_from_db()
    assert asked.status == "ended"


def test_a_request_is_declined_on_the_page(
    client_for: Any, asked: Override, business_owner: User
) -> None:
    client_for(business_owner).post(f"/overrides/{asked.pk}/decline/", {"reason": "It can wait."})
    asked.refresh_from_db()
    assert (asked.status, asked.status_reason) == ("declined", "It can wait.")


@pytest.mark.parametrize("who", ["lead", "data_scientist", "auditor"])
def test_who_may_not_break_the_glass_is_offered_nothing(
    client_for: Any, promotion: Promotion, who: str, request: Any
) -> None:
    page = client_for(request.getfixturevalue(who)).get(f"/reviews/{promotion.review_id}/")
    assert b"/break-glass/" not in page.content


def test_strangers_find_none_of_it(
    client_for: Any, asked: Override, finding: Finding, review: GateReview, outsider: User
) -> None:
    otto = client_for(outsider)
    for address in (
        f"/promotions/{asked.promotion_id}/break-glass/",
        f"/overrides/{asked.pk}/confirm/",
        f"/overrides/{asked.pk}/decline/",
        f"/overrides/{asked.pk}/end/",
        f"/reviews/{review.pk}/waivers/",
        f"/reviews/{review.pk}/renew/",
        f"/findings/{finding.pk}/plan/",
        f"/findings/{finding.pk}/regrade/",
        "/conditions/1/meet/",
        "/waivers/1/revoke/",
        "/delegations/1/revoke/",
    ):
        assert otto.post(address).status_code == 404, address


def test_an_approval_that_ends_soon_says_so_and_is_renewed_from_its_page(
    client_for: Any, applied: Promotion, ml_engineer: User
) -> None:
    old = applied.review
    GateReview.objects.filter(pk=old.pk).update(expires_at=timezone.now() + timedelta(days=9))
    mia = client_for(ml_engineer)
    assert b"about to end" in mia.get(f"/reviews/{old.pk}/").content
    assert f"/reviews/{old.pk}/#renewal" in mia.get("/duties/").content.decode()
    page = mia.post(f"/reviews/{old.pk}/renew/", follow=True)
    renewal = GateReview.objects.get(renews=old)
    assert page.redirect_chain[-1][0] == f"/reviews/{renewal.pk}/"
    assert "Takes over from" in page.content.decode()


def test_a_role_is_passed_on_seen_by_both_and_taken_back(
    client_for: Any, project: Any, validator: User, risk_officer: User
) -> None:
    vera = client_for(validator)
    body = {
        "project": project.pk,
        "role": "validator",
        "person": risk_officer.pk,
        "from_on": day(0),
        "to_on": day(5),
        "reason": "On leave.",
    }
    page = vera.post("/delegations/give/", body, follow=True)
    given = Delegation.objects.get()
    assert (given.holder, given.delegate) == (validator, risk_officer)
    assert "Take back" in page.content.decode()
    theirs = client_for(risk_officer).get("/delegations/").content.decode()
    assert "On leave." in theirs
    assert "Take back" not in theirs
    assert "already" in said(vera.post("/delegations/give/", body, follow=True))
    assert Delegation.objects.count() == 1
    vera.post(f"/delegations/{given.pk}/revoke/")
    given.refresh_from_db()
    assert given.revoked_at is not None


def test_nobody_passes_on_a_role_that_they_do_not_hold(
    client_for: Any, project: Any, validator: User, risk_officer: User
) -> None:
    body = {
        "project": project.pk,
        "role": "executive",
        "person": risk_officer.pk,
        "from_on": day(0),
        "to_on": day(5),
        "reason": "x",
    }
    client_for(validator).post("/delegations/give/", body)
    assert not Delegation.objects.exists()
