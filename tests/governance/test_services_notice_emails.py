"""E-mails about reviews: sent once where all goes well, again where not, and harmless."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.utils import timezone

from governance.models import ReviewNotice
from governance.services import notice_emails, notices
from projects.actors import system
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LATER = timezone.now() + timedelta(seconds=1)
NOON = datetime(2030, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def asked(scope_review) -> ReviewNotice:
    """The notice that asks Bruno; Dora has one too."""
    return ReviewNotice.objects.get(user__username="bruno")


def state(notice):
    notice.refresh_from_db()
    return (notice.emailed_at is not None, notice.email_attempts, notice.email_skipped)


def test_everybody_is_sent_theirs_once(asked):
    assert notice_emails.send_due(LATER).sent == 2
    assert notice_emails.send_due(LATER + timedelta(days=1)).sent == 0
    assert sorted(to for message in mail.outbox for to in message.to) == [
        "bruno@example.test",
        "dora@example.test",
    ]
    assert state(asked) == (True, 1, "")


def test_a_message_names_the_thing_and_holds_one_link_with_the_role(asked, settings):
    settings.BASE_URL = "https://countersign.example"
    notice_emails.send_due(LATER)
    message = next(one for one in mail.outbox if one.to == ["bruno@example.test"])
    link = f"https://countersign.example/reviews/{asked.review_id}/?role=business_owner"
    assert message.subject.startswith("Countersign: Asked to sign: ")
    html = message.alternatives[0].content
    for text in (message.body, html):
        assert set(re.findall(r"https?://[^\s\"<]+", text)) == {link}
        assert "You are asked to sign as business owner: scope review of " in text


def test_a_name_with_markup_and_line_breaks_stays_a_name(asked):
    asked.review.subject_label = "<b>calls</b>\nBcc: otto@example.test"
    asked.review.save(update_fields=["subject_label"])
    ReviewNotice.objects.filter(pk=asked.pk).update(text="Sign <b>calls</b>.")
    notice_emails.send_due(LATER)
    message = next(one for one in mail.outbox if one.to == ["bruno@example.test"])
    assert "\n" not in message.subject
    assert message.recipients() == ["bruno@example.test"]
    assert "Sign <b>calls</b>." in message.body
    assert "Sign &lt;b&gt;calls&lt;/b&gt;." in message.alternatives[0].content


def test_getting_the_link_of_an_email_changes_nothing(asked, client_for, business_owner, client):
    notices.tell_overdue(asked.review, actor=system("governance"))
    notice_emails.send_due(LATER)
    links = {
        re.search(r"https?://[^/]+(/\S+)", message.body)[1]
        for message in mail.outbox
        if message.to == ["bruno@example.test"]
    }
    assert len(links) == 2
    signed_in = client_for(business_owner)
    before = _every_row()
    for link in links:
        assert client.get(link).status_code == 302  # to the sign-in
        page = signed_in.get(link)
        assert page.status_code == 200
        assert page.context["signing"]["role"] == "business_owner"
    assert _every_row() == before


def _every_row():
    """Return every row of our tables, as the database holds it."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("governance_", "projects_", "ledger_", "pipeline_")):
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own tables
                rows[table] = cursor.fetchall()
    assert len(rows) > 20
    return rows


class TestWhatIsNotSent:
    def test_without_an_address(self, asked, business_owner):
        User.objects.filter(pk=business_owner.pk).update(email="")
        assert notice_emails.send_due(LATER).skipped == 1
        assert state(asked) == (False, 0, "no_address")

    def test_to_who_left_the_project(self, asked, project, business_owner):
        project.stakeholders.filter(user=business_owner).delete()
        notice_emails.send_due(LATER)
        assert state(asked) == (False, 0, "left")

    def test_of_a_kind_that_is_not_wanted(self, asked, business_owner):
        notices.set_preference(business_owner, rhythm="at_once", muted=["asked"])
        notice_emails.send_due(LATER)
        assert state(asked) == (False, 0, "not_wanted")

    def test_to_who_wants_none(self, asked, business_owner):
        notices.set_preference(business_owner, rhythm="never", muted=[])
        notice_emails.send_due(LATER)
        assert state(asked) == (False, 0, "not_wanted")
        assert [message.to for message in mail.outbox] == [["dora@example.test"]]


class TestWhenSendingFails:
    @pytest.fixture
    def broken(self, settings):
        settings.EMAIL_BACKEND = "tests.governance.test_services_notice_emails.Broken"

    def test_it_is_tried_again_after_a_pause_and_given_up_in_the_end(self, asked, broken):
        now = LATER
        assert notice_emails.send_due(now).failed == 2
        assert notice_emails.send_due(now + timedelta(minutes=1)).failed == 0
        assert state(asked) == (False, 1, "")
        for number in range(2, 8):
            notice_emails.send_due(now + number * timedelta(hours=1))
        assert state(asked) == (False, notice_emails.MOST_ATTEMPTS, "gave_up")

    def test_it_is_sent_when_the_server_is_back(self, asked, broken, settings):
        notice_emails.send_due(LATER)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert notice_emails.send_due(LATER + timedelta(hours=1)).sent == 2
        assert state(asked) == (True, 2, "")

    def test_a_worker_that_died_after_its_claim_is_taken_over(self, asked):
        assert notice_emails._claim(asked, LATER)
        assert not notice_emails._claim(asked, LATER), "the second of two workers"
        assert notice_emails.send_due(LATER).sent == 1
        assert notice_emails.send_due(LATER + timedelta(minutes=11)).sent == 1


class TestOnceADay:
    @pytest.fixture
    def daily(self, asked, business_owner, data_owner):
        notices.set_preference(business_owner, rhythm="daily", muted=[])
        notices.set_preference(data_owner, rhythm="never", muted=[])
        notices.tell_overdue(asked.review, actor=system("governance"))

    def test_all_come_in_one_message_in_the_morning(self, daily):
        assert notice_emails.send_due(NOON.replace(hour=6)).sent == 1  # the lead's, at once
        mail.outbox.clear()
        assert notice_emails.send_due(NOON).sent == 2
        (message,) = mail.outbox
        assert message.subject == "Countersign: 2 notices"
        assert "is overdue" in message.body
        assert len(re.findall(r"https?://", message.body)) == 1

    def test_the_next_one_comes_the_next_day(self, daily, asked):
        notice_emails.send_due(NOON)
        mail.outbox.clear()
        notices.tell_overdue(asked.review, actor=system("governance"))
        ReviewNotice.objects.filter(user__username="lena").delete()
        assert notice_emails.send_due(NOON + timedelta(hours=2)).sent == 0
        assert notice_emails.send_due(NOON + timedelta(days=1)).sent == 1

    def test_several_reviews_lead_to_the_inbox(self, daily, asked, settings):
        other = asked.review
        rows = list(ReviewNotice.objects.filter(user__username="bruno"))
        rows[0].review_id = other.pk + 1
        message = notice_emails.message_of(UserFactory(username="bruno"), rows)
        assert f"{settings.BASE_URL}/inbox/" in message.body


class Broken:
    """A mail server that is away."""

    def __init__(self, **_):
        pass

    def send_messages(self, _):
        raise ConnectionRefusedError("nobody listens")
