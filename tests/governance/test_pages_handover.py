"""Handing a signature over, moving the due date and raising a finding on a review's page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from governance.models import Delegation, Finding, GateReview, ReviewAssignment
from tests.factories import StakeholderFactory, UserFactory, install_policies
from tests.governance import faces

pytestmark = pytest.mark.django_db
NEXT_WEEK = timezone.now().date() + timedelta(days=7)


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


@pytest.fixture
def second(project):
    """Somebody else who may sign as validator."""
    zora = UserFactory(username="zora")
    StakeholderFactory(project=project, user=zora, role="validator")
    return zora


def asked(review):
    return ReviewAssignment.objects.current().get(review=review, role="validator").user.username


def test_the_page_offers_who_may_sign_and_to_whom_to_delegate(
    client_for, review, second, validator
):
    page = client_for(validator).get(f"/reviews/{review.pk}/hand-over/?role=validator")
    shown = page.content.decode()
    assert "Vera is asked." in shown
    offer = next(one for one in page.context["offers"] if one["seat"].role == "validator")
    assert [user.username for user in offer["reassign"].fields["person"].queryset] == ["zora"]
    delegates = {user.username for user in offer["delegate"].fields["person"].queryset}
    assert delegates == {"lena", "bruno", "dora", "sam", "mia", "rita"}
    assert "Nobody else may sign as business owner here" in shown
    assert list(faces.offences_in(page)) == []


def test_who_is_asked_hands_over_and_the_page_of_the_review_says_so(
    client_for, review, second, validator
):
    client = client_for(validator)
    body = {"role": "validator", "person": second.pk, "note": "I am on leave."}
    page = client.post(f"/reviews/{review.pk}/assign/", body, follow=True).content.decode()
    assert "Zora is asked now, and was told." in page
    assert asked(review) == "zora"
    assert "Zora is asked" in page


@pytest.mark.parametrize(
    ("who", "change", "words"),
    [
        ("vera", {"note": ""}, "choose a person and say why"),
        ("rita", {}, "may not do this"),
        ("lena", {"person": "sam"}, "cannot be asked to sign as validator"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(client_for, review, second, who, change, words):
    body = {"role": "validator", "person": "zora", "note": "I am on leave.", **change}
    body["person"] = UserFactory(username=body["person"]).pk
    client = client_for(UserFactory(username=who))
    page = client.post(f"/reviews/{review.pk}/assign/", body, follow=True)
    assert words in page.content.decode()
    assert asked(review) == "vera"


def test_a_delegation_is_given_from_the_same_page(client_for, review, validator, risk_officer):
    body = {"role": "validator", "person": risk_officer.pk, "note": "On leave.", "days": 7}
    page = client_for(validator).post(f"/reviews/{review.pk}/delegate/", body, follow=True)
    assert b"Rita may sign for you for 7 days" in page.content
    given = Delegation.objects.get()
    assert (given.delegate, given.valid_to - given.valid_from) == (risk_officer, timedelta(days=7))


def test_nobody_delegates_what_they_do_not_hold_nor_for_ever(client_for, review, lead, validator):
    body = {"role": "validator", "person": validator.pk, "note": "Please.", "days": 7}
    page = client_for(lead).post(f"/reviews/{review.pk}/delegate/", body, follow=True)
    assert b"only its holder can pass it on" in page.content
    body = {"role": "validator", "person": lead.pk, "note": "Please.", "days": 400}
    client_for(validator).post(f"/reviews/{review.pk}/delegate/", body)
    assert not Delegation.objects.exists()


def test_the_lead_moves_the_due_date_and_others_do_not(client_for, review, lead, validator):
    body = {"due_on": NEXT_WEEK.isoformat(), "reason": "Vera is ill."}
    assert b"Move the due date" not in client_for(validator).get(f"/reviews/{review.pk}/").content
    page = client_for(validator).post(f"/reviews/{review.pk}/due/", body, follow=True)
    assert b"may not do this" in page.content
    review.refresh_from_db()
    assert review.due_on is None
    assert b"Move the due date" in client_for(lead).get(f"/reviews/{review.pk}/").content
    client_for(lead).post(f"/reviews/{review.pk}/due/", {"due_on": "soon", "reason": ""})
    client_for(lead).post(f"/reviews/{review.pk}/due/", body)
    review.refresh_from_db()
    assert review.due_on == NEXT_WEEK


def test_a_finding_is_raised_about_the_subject_of_the_review(client_for, review, validator):
    client = client_for(validator)
    client.post(f"/reviews/{review.pk}/findings/", {"title": "", "severity": "high"})
    assert not Finding.objects.exists()
    body = {"title": "Leak", "severity": "high", "description": "It knows the future."}
    page = client.post(f"/reviews/{review.pk}/findings/", body, follow=True)
    raised = Finding.objects.get()
    assert (raised.subject_ref, raised.severity) == (review.subject_ref, "high")
    assert b"The finding is on record" in page.content


def test_a_stranger_gets_404_everywhere(client_for, review, outsider):
    client = client_for(outsider)
    assert client.get(f"/reviews/{review.pk}/hand-over/").status_code == 404
    for verb in ("assign", "delegate", "due", "findings"):
        assert client.post(f"/reviews/{review.pk}/{verb}/").status_code == 404
    assert client.get(f"/reviews/{review.pk}/assign/").status_code == 405


def test_the_bar_says_what_is_missing_whose_turn_it_is_and_when(client_for, review, validator):
    GateReview.objects.filter(pk=review.pk).update(due_on=timezone.now().date() - timedelta(days=1))
    page = client_for(validator).get(f"/reviews/{review.pk}/").content.decode()
    bar = page.split('id="summary"')[1].split("</nav>")[0]
    assert "Vera, validator; Bruno, business owner" in bar
    assert "overdue" in bar
    assert "0 of 2 signatures given" in bar
    assert 'href="#requirements"' in bar


def test_the_page_costs_the_same_however_much_is_on_it(
    client_for, review, validator, project, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from governance.services import findings, reviews
    from tests.factories import session_actor

    client = client_for(validator)
    address = f"/reviews/{review.pk}/"
    client.get(address)
    with CaptureQueriesContext(connection) as before:
        client.get(address)
    for number in range(4):
        about = ("model_version", review.subject_ref)
        new = findings.NewFinding(project, *about, f"F{number}", "", "low")
        findings.open_finding(new, actor=session_actor(validator))
        reviews.give_feedback(review, actor=session_actor(validator), text=f"*{number}*")
        StakeholderFactory(
            project=project, user=UserFactory(username=f"v{number}"), role="validator"
        )
    with django_assert_max_num_queries(len(before)):
        client.get(address)
