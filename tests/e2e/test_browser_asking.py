"""From a submitted scope to its review, in a browser: what the page of the scope leads to."""

import pytest
from django.db import transaction

from governance.models import GateReview, ReviewAssignment
from tests.factories import install_policies

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
def test_a_lead_puts_the_scope_up_and_sees_who_is_asked(
    window, racing_db, submitted_scope, lead, width
):
    with transaction.atomic():
        install_policies()
    lena = window(lead, width=width, scheme="dark")
    lena.open("/inbox/")
    page = lena.page
    page.get_by_role("link", name="Put it up").click()
    page.get_by_role("heading", name="Reviews of Term-deposit calls scope v1").wait_for()
    seats = page.locator("table.seats-table")
    assert "may sign" in seats.inner_text()
    assert not lena.overflows()

    lena.open(f"/scopes/{submitted_scope.pk}/")
    page.get_by_role("link", name="Put it up for review").click()
    page.get_by_role("button", name="Ask for: scope").click()
    page.get_by_text("The review is open.").wait_for()
    review = GateReview.objects.get()
    assert (review.subject_ref, review.requested_by) == (submitted_scope.ref, lead)
    assert ReviewAssignment.objects.current().filter(review=review).exists()
    assert not lena.overflows()

    lena.open("/inbox/")
    assert page.get_by_role("link", name="Put it up").count() == 0
    assert "scope v1" in page.locator("#requests").inner_text()
    assert not lena.troubles()
