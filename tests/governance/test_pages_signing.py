"""Signing through the page: the password travels once, the reason is never lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from governance.models import Condition, GateReview, SignOff
from ledger.models import LedgerEntry
from tests.factories import PASSWORD, install_policies, page_token_for, session_actor
from tests.governance import faces
from tests.remembering import remembered

REASON = "I read the criteria and the risks line by line."


@pytest.fixture
@remembered
def review(submitted_scope, project, lead) -> GateReview:
    install_policies()
    return faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)


@pytest.fixture
def sign(client_for, review):
    """Post the signing form as a user; what is not given is what a careful signer enters."""

    def token_of(user, role, outcome):
        return page_token_for(review, role, outcome, actor=session_actor(user))

    def post(user, **changes):
        entered = {
            "role": "business_owner",
            "outcome": "approved",
            "bindings_digest": review.bindings_digest,
            "meaning": "I have reviewed this and approve it.",
            "reason": REASON,
            "password": PASSWORD,
            **changes,
        }
        entered.setdefault("page_token", token_of(user, entered["role"], entered["outcome"]))
        return client_for(user).post(f"/reviews/{review.pk}/sign/", entered)

    return post


def assert_nothing_signed(response, status):
    assert response.status_code == status
    page = response.content.decode()
    assert REASON in page
    assert PASSWORD not in page
    assert 'role="alert"' in page
    assert not SignOff.objects.exists()
    assert not LedgerEntry.objects.filter(event="review.signed").exists()


def test_signing_shows_the_statement_and_keeps_it(client_for, sign, review, business_owner):
    page = client_for(business_owner).get(f"/reviews/{review.pk}/").content.decode()
    response = sign(business_owner)
    assert response.status_code == 302
    signed = SignOff.objects.get()
    assert signed.statement in page
    assert (signed.reason, signed.method) == (REASON, "session+password")
    after = client_for(business_owner).get(f"/reviews/{review.pk}/").content.decode()
    assert signed.printed_name in after
    assert "You have signed as business owner" in after


def test_the_last_signature_decides(sign, review, business_owner, data_owner):
    sign(business_owner)
    sign(data_owner, role="data_owner")
    review.refresh_from_db()
    assert review.status == GateReview.Status.APPROVED


def test_a_wrong_password_keeps_the_reason_and_writes_nothing(sign, business_owner):
    response = sign(business_owner, password="wrong horse")
    assert_nothing_signed(response, 403)
    assert "wrong horse" not in response.content.decode()
    assert "The password is wrong" in response.content.decode()


def test_an_empty_password_is_refused_in_the_form(sign, business_owner):
    response = sign(business_owner, password="")
    assert response.status_code == 400
    assert REASON in response.content.decode()
    assert not SignOff.objects.exists()


def test_the_author_is_refused_with_the_rule(sign, project, lead):
    project.stakeholders.create(
        user=lead, role="business_owner", valid_from=timezone.now().date() - timedelta(days=1)
    )
    response = sign(lead)
    assert response.status_code == 422
    page = response.content.decode()
    assert "may not sign" in page
    assert not SignOff.objects.exists()


def test_a_stale_digest_is_refused(sign, business_owner):
    response = sign(business_owner, bindings_digest="0" * 64)
    assert_nothing_signed(response, 422)
    assert "earlier state" in response.content.decode()


def test_a_role_that_the_person_does_not_hold_is_refused(sign, business_owner):
    response = sign(business_owner, role="data_owner")
    assert_nothing_signed(response, 403)


def test_rejecting_needs_a_reason(sign, business_owner):
    response = sign(business_owner, outcome="rejected", reason=" ")
    assert response.status_code == 400
    assert "need the reason" in response.content.decode()
    assert not SignOff.objects.exists()


def test_conditions_are_promises_with_dates(sign, business_owner):
    due = timezone.now().date() + timedelta(days=30)
    conditions = {
        "conditions-TOTAL_FORMS": "3",
        "conditions-INITIAL_FORMS": "0",
        "conditions-0-text": "Report the cost per call.",
        "conditions-0-due_on": due.isoformat(),
    }
    response = sign(business_owner, outcome="approved_with_conditions", **conditions)
    assert response.status_code == 302
    assert Condition.objects.get().due_on == due


def test_a_condition_without_its_date_is_refused_and_kept(sign, business_owner):
    conditions = {
        "conditions-TOTAL_FORMS": "3",
        "conditions-INITIAL_FORMS": "0",
        "conditions-0-text": "Report the cost per call.",
    }
    response = sign(business_owner, outcome="approved_with_conditions", **conditions)
    assert response.status_code == 400
    page = response.content.decode()
    assert "both its text and its date" in page
    assert "Report the cost per call." in page
    assert not SignOff.objects.exists()


def test_signing_is_post_only_and_needs_a_person_on_the_project(
    client, client_for, sign, review, business_owner, outsider
):
    address = f"/reviews/{review.pk}/sign/"
    assert client_for(business_owner).get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert sign(outsider).status_code == 404
    assert not SignOff.objects.exists()


def test_the_choice_of_decision_changes_the_statement(client_for, review, business_owner):
    client = client_for(business_owner)
    address = f"/reviews/{review.pk}/?outcome=rejected"
    assert "reject Term-deposit calls scope" in client.get(address).content.decode()
    card = client.get(address, headers={"HX-Request": "true", "HX-Target": "sign"})
    assert card.content.decode().lstrip().startswith("<section")


def test_an_insider_without_a_seat_sees_why(client_for, review, ml_engineer, auditor):
    for user in (ml_engineer, auditor):
        page = client_for(user).get(f"/reviews/{review.pk}/").content.decode()
        assert "asks for none of your roles" in page
        assert 'type="password"' not in page
