"""A draft of a policy is given up by who wrote on it or may publish, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from governance.models import GateReview, PolicyVersion
from governance.services import policies
from governance.services.reviews import ReviewRequest, request_review
from ledger.models import LedgerEntry
from projects.errors import RuleViolated
from projects.models import Project
from tests.factories import granted, install_policies, session_actor

pytestmark = pytest.mark.django_db
Discard = Callable[[User, PolicyVersion], str]


@pytest.fixture
def published(db: None) -> PolicyVersion:
    install_policies()
    return PolicyVersion.objects.get(policy__name="standard")


@pytest.fixture
def writer(db: None) -> User:
    return granted("paula", "add_policyversion", "view_policyversion")


@pytest.fixture
def publisher(db: None) -> User:
    return granted("peter", "publish_policyversion", "view_policyversion")


@pytest.fixture
def other_writer(db: None) -> User:
    return granted("olga", "add_policyversion", "view_policyversion")


@pytest.fixture
def draft(published: PolicyVersion, writer: User) -> PolicyVersion:
    actor = session_actor(writer)
    text = f"{published.text}\n# A remark.\n"
    return policies.write_draft("standard", title="x", text=text, actor=actor)


@pytest.fixture(params=["rest", "page"])
def discard(request: Any, api: Any, client_for: Any) -> Discard:
    """Discard through a door; return what it says."""

    def go(user: User, version: PolicyVersion) -> str:
        if request.param == "rest":
            answer = api(user).post(f"/api/v1/policy-versions/{version.pk}/discard/")
        else:
            address = f"/policy-versions/{version.pk}/discard/"
            answer = client_for(user).post(address, follow=True)
        return str(answer.content.decode())

    return go


def entries() -> int:
    return LedgerEntry.objects.filter(event="policy.discarded").count()


@pytest.mark.parametrize("who", ["writer", "publisher"])
def test_author_and_publisher_give_a_draft_up_and_its_text_stays(
    discard: Discard, draft: PolicyVersion, request: Any, who: str
) -> None:
    text = draft.text
    assert "discarded" in discard(request.getfixturevalue(who), draft)
    draft.refresh_from_db()
    assert (draft.status, draft.text) == ("discarded", text)
    entry = LedgerEntry.objects.get(event="policy.discarded")
    assert (entry.subject, entry.data["digest"]) == (draft.ref, draft.digest)


@pytest.mark.parametrize("who", ["other_writer", "lead"])
def test_nobody_else_does(discard: Discard, draft: PolicyVersion, request: Any, who: str) -> None:
    said = discard(request.getfixturevalue(who), draft)
    assert "may not discard this draft" in said
    draft.refresh_from_db()
    assert (draft.status, entries()) == ("draft", 0)


@pytest.mark.parametrize("status", ["published", "retired"])
def test_what_was_published_is_never_given_up(
    discard: Discard, published: PolicyVersion, publisher: User, status: str
) -> None:
    PolicyVersion.objects.filter(pk=published.pk).update(status=status)
    assert f"is {status} and never changes" in discard(publisher, published)
    published.refresh_from_db()
    assert (published.status, entries()) == (status, 0)


def test_nothing_happens_to_it_any_more(
    discard: Discard, draft: PolicyVersion, writer: User, project: Project, lead: User
) -> None:
    wanted = ReviewRequest("policy", project, "policy_version", draft.ref)
    review = request_review(wanted, actor=session_actor(lead))
    discard(writer, draft)
    review.refresh_from_db()
    assert (review.status, review.status_reason) == (
        "withdrawn",
        "The draft standard v2 was discarded.",
    )
    with pytest.raises(RuleViolated) as error:
        request_review(wanted, actor=session_actor(lead))
    assert error.value.code == "policy_discarded"
    assert GateReview.objects.filter(gate="policy").count() == 1
    assert "is discarded and never changes" in discard(writer, draft)
    assert entries() == 1
    text = f"{draft.text}# Another.\n"
    following = policies.write_draft("standard", title="x", text=text, actor=session_actor(writer))
    assert following.number == 3


@pytest.mark.parametrize(
    ("who", "offered"), [("writer", True), ("publisher", True), ("other_writer", False)]
)
def test_the_draft_in_the_admin_and_its_page_have_the_button(
    client_for: Any, draft: PolicyVersion, request: Any, who: str, offered: bool
) -> None:
    client = client_for(request.getfixturevalue(who))
    admin = client.get(reverse("admin:governance_policyversion_change", args=[draft.pk]))
    page = client.get(f"/policy-versions/{draft.pk}/")
    button = f'action="/policy-versions/{draft.pk}/discard/"'
    assert (button in admin.content.decode(), button in page.content.decode()) == (offered, offered)


def test_a_published_version_has_no_button(
    client_for: Any, published: PolicyVersion, publisher: User
) -> None:
    client = client_for(publisher)
    admin = client.get(reverse("admin:governance_policyversion_change", args=[published.pk]))
    page = client.get(f"/policy-versions/{published.pk}/")
    assert "/discard/" not in admin.content.decode() + page.content.decode()
