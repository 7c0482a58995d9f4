"""Handing a signature over, coming from an e-mail, and printing the dossier, in a browser."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from governance.models import Dossier, GateReview, ReviewAssignment, SignOff
from governance.services import notice_emails
from tests.e2e.test_browser_signing import sign, sign_in
from tests.factories import StakeholderFactory, UserFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def zora(racing_db, project):
    """Somebody else who may sign as business owner."""
    user = UserFactory(username="zora")
    StakeholderFactory(project=project, user=user, role="business_owner")
    return user


def test_a_signature_is_handed_over_from_the_inbox_and_given(
    window, scope_review, business_owner, zora
):
    bruno = window(business_owner, width=390)
    bruno.open("/inbox/")
    page = bruno.page
    page.locator("#waiting").get_by_role("link", name="Hand over").click()
    page.wait_for_url("**/hand-over/")
    card = page.locator("#business_owner")
    card.get_by_label("Person").first.select_option(label="Zora")
    card.get_by_label("Why?").first.fill("I am on leave.")
    card.get_by_role("button", name="Ask this person").click()
    page.get_by_text("Zora is asked now, and was told.").wait_for()
    assert not bruno.overflows()
    assert not bruno.troubles()
    current = ReviewAssignment.objects.current().get(review=scope_review, role="business_owner")
    assert current.user == zora

    new = window(zora)
    new.open("/inbox/")
    waiting = new.page.locator("#waiting")
    assert "you are asked" in waiting.inner_text()
    waiting.get_by_role("link", name="Review and sign").click()
    sign(new.page, reason="Read from top to bottom.")
    new.page.get_by_text("You have signed as business owner").wait_for()
    assert SignOff.objects.get().signer == zora
    assert not new.troubles()


def test_the_link_of_an_email_opens_the_page_and_decides_nothing(
    window, scope_review, project, business_owner, zora
):
    # With a second role of the gate, the link has to say which one is asked for.
    yesterday = timezone.now().date() - timedelta(days=1)
    StakeholderFactory(
        project=project, user=business_owner, role="data_owner", valid_from=yesterday
    )
    notice_emails.send_due(timezone.now())
    message = next(one for one in mail.outbox if one.to == [business_owner.email])
    (link,) = re.findall(r"https?://\S+", message.body)
    bruno = window()
    sign_in(bruno, link.removeprefix(bruno.base_url), business_owner)
    card = bruno.page.locator("#sign")
    assert card.get_by_role("button", name="Sign: approved").count() == 1
    assert card.locator(".tabs a[aria-current]").first.inner_text() == "Business owner"
    assert not bruno.troubles()
    assert not SignOff.objects.exists()
    scope_review.refresh_from_db()
    assert scope_review.status == GateReview.Status.OPEN


def test_the_dossier_is_issued_downloaded_printed_and_known(
    window, scope_review, business_owner, tmp_path, settings
):
    settings.CONTENT_STORE = tmp_path / "content"
    bruno = window(business_owner)
    bruno.open(f"/reviews/{scope_review.pk}/")
    page = bruno.page
    page.get_by_role("link", name="Dossier", exact=True).click()
    page.get_by_role("button", name="Issue the dossier").click()
    page.get_by_text("its digest is in the ledger").wait_for()
    assert not bruno.overflows()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    file = Path(download.value.path())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert Dossier.objects.get().digest == digest
    call_command("verify_dossier", str(file))

    page.get_by_role("link", name="Open", exact=True).click()
    page.get_by_role("heading", name="History from the ledger").wait_for()
    assert page.url.endswith(f"/dossiers/{digest}/")
    assert not bruno.troubles(), "the style sheet of the document passes its own policy"
    assert page.evaluate("getComputedStyle(document.querySelector('h2')).borderBottomStyle") == (
        "solid"
    )
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 1
