"""The inbox as a page and over REST: what is in it, for whom, and at what cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import (
    Condition,
    GateReview,
    NoticePreference,
    ReviewAssignment,
    ReviewNotice,
    SignOff,
)
from governance.services import findings
from governance.services.inbox import waiting_reviews
from tests.factories import StakeholderFactory, UserFactory, install_policies, session_actor
from tests.governance import faces

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()
V1 = "/api/v1"


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


def another(project, requester, author, number=4):
    ref = faces.put_model(project, author=author, number=number)
    return faces.ask_for(project, session_actor(requester), "model_version", ref)


def part(client, name, query=""):
    """Return one section of the page."""
    page = client.get(f"/inbox/{query}").content.decode()
    return page.split(f'id="{name}"')[1].split("</section>")[0]


class TestWaiting:
    def test_where_i_am_asked_by_name_comes_before_what_is_due_first(
        self, client_for, review, project, lead, data_scientist, validator
    ):
        urgent = another(project, lead, data_scientist)
        GateReview.objects.filter(pk=urgent.pk).update(due_on=TODAY)
        ReviewAssignment.objects.filter(review=urgent, role="validator").delete()
        shown = part(client_for(validator), "waiting")
        assert shown.index("term-deposit-calls v3") < shown.index("term-deposit-calls v4")
        assert shown.count("you are asked") == 1

    def test_says_what_is_missing(self, client_for, review, validator):
        shown = part(client_for(validator), "waiting")
        assert "2 requirements and signature of validator, business owner" in shown

    def test_what_i_asked_for_myself_waits_for_others(
        self, client_for, review, project, lead, validator
    ):
        StakeholderFactory(project=project, user=lead, role="validator")
        assert "Nothing waits for your signature" in part(client_for(lead), "waiting")
        assert waiting_reviews(lead).ids == ()
        assert waiting_reviews(validator).ids == (review.pk,)

    def test_late_ones_are_counted_in_the_header_by_the_same_query(
        self, client_for, review, validator, django_assert_num_queries
    ):
        GateReview.objects.filter(pk=review.pk).update(due_on=TODAY - timedelta(days=1))
        with django_assert_num_queries(1):
            waiting = waiting_reviews(validator)
        assert (waiting.ids, waiting.overdue) == ((review.pk,), 1)
        page = client_for(validator).get("/projects/").content.decode()
        assert "1 waiting for you, 1 overdue" in page

    def test_the_filter_narrows_and_says_that_it_does(self, client_for, review, validator):
        client = client_for(validator)
        assert "term-deposit-calls v3" in part(client, "waiting", "?gate=validation&asked=on")
        assert "term-deposit-calls v3" in part(client, "waiting", "?project=no&gate=nonsense")
        ReviewAssignment.objects.filter(user=validator).delete()
        assert "The filter may hide something" in part(client, "waiting", "?asked=on")


class TestTheOtherLists:
    def test_requests_say_whom_they_wait_for(self, client_for, review, lead):
        assert "Vera, validator; Bruno, business owner" in part(client_for(lead), "requests")

    def test_overdue_and_team_are_seen_by_the_whole_project(self, client_for, review, auditor):
        GateReview.objects.filter(pk=review.pk).update(due_on=TODAY - timedelta(days=3))
        client = client_for(auditor)
        assert "term-deposit-calls v3" in part(client, "overdue")
        team = part(client, "team")
        assert "Vera" in team
        assert "Bruno" in team

    def test_conditions_findings_and_ends_are_listed(
        self, client_for, review, project, validator, data_scientist
    ):
        sign_off = SignOff.objects.create(
            review=review, signer=validator, printed_name="Vera", role="validator",
            outcome="approved_with_conditions", meaning="m", statement="s", sequence=99,
            bindings_digest=review.bindings_digest, policy_digest="p", method="session+password",
        )  # fmt: skip
        Condition.objects.create(sign_off=sign_off, text="Add a card.", due_on=TODAY)
        new = findings.NewFinding(
            project, "model_version", review.subject_ref, "Leak", "", "high", owner=data_scientist
        )
        findings.open_finding(new, actor=session_actor(validator))
        soon = timezone.now() + timedelta(days=9)
        client = client_for(data_scientist)
        assert "Add a card." in part(client, "conditions")
        assert "<strong>yours</strong>" in part(client, "findings")
        assert "No approval ends" in part(client, "ending")
        GateReview.objects.filter(pk=review.pk).update(
            status="approved", decided_at=timezone.now(), expires_at=soon
        )
        assert "term-deposit-calls v3" in part(client, "ending")

    def test_empty_states_say_what_to_do_next(self, client_for, outsider):
        client = client_for(outsider)
        page = client.get("/inbox/").content.decode()
        assert page.count('class="empty"') == 9
        for words in ("Nothing waits for your signature", "Ask for the promotion", "early enough"):
            assert words in page

    def test_a_stranger_sees_nothing_of_the_project(self, client_for, review, outsider):
        assert "term-deposit" not in client_for(outsider).get("/inbox/").content.decode()

    def test_the_page_costs_the_same_however_much_is_in_it(
        self, client_for, review, project, lead, data_scientist, validator
    ):
        GateReview.objects.filter(pk=review.pk).update(due_on=TODAY - timedelta(days=1))
        client = client_for(validator)
        clients = [(client, "/inbox/"), (client, f"{V1}/inbox/")]

        def costs():
            found = []
            for one, address in clients:
                one.get(address)
                with CaptureQueriesContext(connection) as seen:
                    assert one.get(address).status_code == 200
                found.append(len(seen))
            return found

        before = costs()
        for number in range(4, 8):
            other = another(project, lead, data_scientist, number)
            GateReview.objects.filter(pk=other.pk).update(due_on=TODAY - timedelta(days=1))
        assert costs() == before


class TestNotices:
    def test_mine_are_read_one_by_one_or_all(self, client_for, review, validator, business_owner):
        mine = ReviewNotice.objects.get(user=validator)
        client = client_for(validator)
        assert "?role=validator" in part(client, "notices")
        theirs = ReviewNotice.objects.get(user=business_owner)
        client.post("/inbox/read/", {"notice": theirs.pk})
        theirs.refresh_from_db()
        assert theirs.read_at is None
        client.post("/inbox/read/", {"notice": mine.pk})
        assert "not read" not in part(client, "notices")
        ReviewNotice.objects.update(read_at=None)
        client.post("/inbox/read/")
        assert [one.user for one in ReviewNotice.objects.unread()] == [business_owner]

    def test_what_comes_by_email_is_chosen_by_each_for_themselves(
        self, client_for, validator, business_owner
    ):
        client = client_for(validator)
        assert b"vera@example.test" in client.get("/inbox/settings/").content
        kept = {"rhythm": "daily", "kinds": ["asked", "overdue"]}
        page = client.post("/inbox/settings/", kept, follow=True)
        assert b"Kept." in page.content
        preference = NoticePreference.objects.get(user=validator)
        assert preference.rhythm == "daily"
        assert preference.wants("asked")
        assert not preference.wants("decided")
        assert client.post("/inbox/settings/", {"rhythm": "hourly"}).status_code == 200
        assert NoticePreference.objects.get().rhythm == "daily"

    @pytest.mark.parametrize("address", ["/inbox/", "/inbox/settings/"])
    def test_the_pages_hold_nothing_that_the_strict_policy_blocks(
        self, client_for, review, validator, address
    ):
        assert list(faces.offences_in(client_for(validator).get(address))) == []


class TestOverRest:
    def test_the_inbox_answers_the_same_as_the_page(self, api, review, validator, outsider):
        answer = api(validator).get(f"{V1}/inbox/").json()
        (line,) = answer["waiting"]
        assert (line["review"]["id"], line["is_asked"]) == (review.pk, True)
        assert line["waits_for"] == ["Vera, validator", "Bruno, business owner"]
        assert [row["user"] for row in answer["team"]] == ["bruno", "vera"]
        assert [one["kind"] for one in answer["notices"]] == ["asked"]
        assert not any(api(outsider).get(f"{V1}/inbox/").json().values())

    def test_notices_are_marked_as_read(self, api, review, validator):
        client = api(validator)
        (mine,) = client.get(f"{V1}/review-notices/?read_at__isnull=true").json()["results"]
        assert client.post(f"{V1}/review-notices/read/", {"ids": [mine["id"]]}).json() == {
            "read": 1
        }
        assert client.post(f"{V1}/review-notices/read/", {}).json() == {"read": 0}

    def test_the_lead_asks_somebody_else_and_moves_the_date(self, api, review, project, lead):
        StakeholderFactory(project=project, user=UserFactory(username="zora"), role="validator")
        client = api(lead)
        body = {"role": "validator", "user": "zora", "note": "Vera is ill."}
        answer = client.post(f"{V1}/gate-reviews/{review.pk}/assign/", body, format="json")
        assert (answer.status_code, answer.json()["user"]) == (200, "zora")
        listed = client.get(f"{V1}/gate-reviews/{review.pk}/assignments/").json()
        assert [(one["user"], one["ended_at"] is None) for one in listed] == [
            ("vera", False), ("bruno", True), ("zora", True),
        ]  # fmt: skip
        due = {"due_on": (TODAY + timedelta(days=5)).isoformat(), "reason": "Zora needs time."}
        answer = client.post(f"{V1}/gate-reviews/{review.pk}/due/", due, format="json")
        assert (answer.status_code, answer.json()["due_on"]) == (200, due["due_on"])

    @pytest.mark.parametrize(
        ("who", "change", "status"),
        [
            ("axel", {}, 403),
            ("otto", {}, 404),
            ("lena", {"user": "sam"}, 422),
            ("lena", {"user": "nobody"}, 400),
            ("lena", {"user": "vera"}, 409),
            ("lena", {"role": "king"}, 400),
        ],
    )
    def test_refusals_have_their_status_and_change_nothing(
        self, api, review, outsider, who, change, status
    ):
        body = {"role": "validator", "user": "vera", "note": "Please.", **change}
        client = api(UserFactory(username=who))
        answer = client.post(f"{V1}/gate-reviews/{review.pk}/assign/", body, format="json")
        assert answer.status_code == status
        assert review.assignments.count() == 2
        due = {"due_on": TODAY.isoformat(), "reason": "Soon."}
        if status in {403, 404}:
            answer = client.post(f"{V1}/gate-reviews/{review.pk}/due/", due, format="json")
            assert answer.status_code == status
            review.refresh_from_db()
            assert review.due_on is None
