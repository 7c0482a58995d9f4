"""A gate review is signed, and refused to its author, in a browser."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from governance.models import GateReview, SignOff
from tests.factories import PASSWORD, StakeholderFactory

pytestmark = pytest.mark.browser

REASON = "I read the criteria and the risks line by line."


def sign_in(window, path, user):
    """Come to a page from outside, through the sign-in."""
    window.page.goto(f"{window.base_url}{path}")
    window.page.get_by_label("Username").fill(user.username)
    window.page.get_by_label("Password").fill(PASSWORD)
    window.page.get_by_role("button", name="Log in").click()
    window.page.wait_for_url(f"**{path}")


def open_from_inbox(window, review):
    """Open the one review that waits, and return its page."""
    waiting = window.page.locator("#waiting")
    waiting.get_by_role("link", name="Review and sign").click()
    window.page.wait_for_url(f"**/reviews/{review.pk}/**")
    return window.page


def seat(page, role):
    """Return what the quorum shows for a role."""
    row = page.locator("#state li", has_text=re.compile(role))
    return row.locator(".badge").inner_text().lower()


def sign(page, *, password=PASSWORD, reason=None):
    if reason is not None:
        page.get_by_label("Reason").fill(reason)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=re.compile("^Sign: ")).click()


def test_two_people_sign_and_the_second_signature_approves(
    window, scope_review, business_owner, data_owner
):
    bruno = window()
    sign_in(bruno, "/inbox/", business_owner)
    page = open_from_inbox(bruno, scope_review)
    assert [seat(page, role) for role in ("Business owner", "Data owner")] == ["missing"] * 2

    sign(page, password="wrong horse", reason=REASON)
    page.get_by_role("alert").wait_for()
    assert "The password is wrong" in page.locator("#sign").inner_text()
    assert page.get_by_label("Reason").input_value() == REASON
    assert page.get_by_label("Password").input_value() == ""
    assert not SignOff.objects.exists()

    sign(page)
    page.get_by_text("You have signed as business owner").wait_for()
    assert REASON in page.locator("#sign-offs").inner_text()
    assert [seat(page, role) for role in ("Business owner", "Data owner")] == ["signed", "missing"]
    scope_review.refresh_from_db()
    assert scope_review.status == GateReview.Status.OPEN

    dora = window(data_owner)
    dora.open("/inbox/")
    page = open_from_inbox(dora, scope_review)
    sign(page, reason="The data may be used for this.")
    page.get_by_text("it takes no more signatures").wait_for()
    assert "Approved on" in page.locator("#state").inner_text()
    assert not dora.troubles()
    scope_review.refresh_from_db()
    assert scope_review.status == GateReview.Status.APPROVED
    assert [signed.method for signed in SignOff.objects.all()] == ["session+password"] * 2

    dora.open("/inbox/")
    assert "Nothing waits for your signature" in page.locator("#waiting").inner_text()


def test_another_decision_is_shown_before_it_is_signed(window, scope_review, business_owner):
    bruno = window(business_owner)
    bruno.open(f"/reviews/{scope_review.pk}/")
    page = bruno.page
    assert "reject" not in page.locator("#sign .statement").inner_text()
    page.locator("#sign").get_by_role("link", name=re.compile("Reject")).click()
    page.get_by_role("button", name="Sign: rejected").wait_for()
    assert "reject" in page.locator("#sign .statement").inner_text()
    assert page.url == f"{bruno.base_url}/reviews/{scope_review.pk}/", "only the card was exchanged"
    sign(page, reason="The risks are not named.")
    page.get_by_text("it takes no more signatures").wait_for()
    assert not bruno.troubles()
    scope_review.refresh_from_db()
    assert scope_review.status == GateReview.Status.REJECTED


def test_the_author_reads_why_and_gets_no_form(window, scope_review, project, lead):
    yesterday = timezone.now().date() - timedelta(days=1)
    StakeholderFactory(project=project, user=lead, role="business_owner", valid_from=yesterday)
    lena = window(lead)
    lena.open(f"/reviews/{scope_review.pk}/")
    card = lena.page.locator("#sign")
    assert "As business owner: Who wrote the scope may not sign it off." in card.inner_text()
    assert not card.locator("form, input, textarea, button").count()
    assert not lena.page.locator("input[type=password]").count()
    assert not lena.page.get_by_role("link", name=re.compile("^Sign as")).count()
    assert not SignOff.objects.exists()
