"""Policy versions through their doors: REST, the page of a version, the check of a text."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import Environment, GateReview, PolicyVersion
from governance.services import policies
from projects.models import Project
from tests.factories import (
    PASSWORD,
    StakeholderFactory,
    UserFactory,
    granted,
    install_policies,
    session_actor,
)
from tests.governance.faces import offences_in

pytestmark = pytest.mark.django_db
V1 = "/api/v1/policy-versions/"


@pytest.fixture
def published(db: None) -> PolicyVersion:
    install_policies()
    return PolicyVersion.objects.get(policy__name="standard")


@pytest.fixture
def text(published: PolicyVersion) -> str:
    """Return a text that lets the environment only warn."""
    return published.text.replace("mode: enforce}", "mode: warn}")


@pytest.fixture
def writer(db: None) -> User:
    return granted("paula", "add_policyversion", "publish_policyversion")


@pytest.fixture
def publisher(db: None) -> User:
    return granted("peter", "publish_policyversion")


@pytest.fixture
def draft(text: str, writer: User) -> PolicyVersion:
    actor = session_actor(writer)
    return policies.write_draft("standard", title="x", text=text, note="Pilot.", actor=actor)


@pytest.fixture
def approved(
    draft: PolicyVersion, project: Project, lead: User, client_for: Any, sign: Any
) -> PolicyVersion:
    """The draft, put up for review through its page and signed by the strictest quorum."""
    StakeholderFactory(project=project, user=UserFactory(username="eva"), role="executive")
    client_for(lead).post(f"/policy-versions/{draft.pk}/review/", {"project": project.pk})
    review = GateReview.objects.get(gate="policy")
    for username, role in (
        ("rita", "risk_officer"),
        ("bruno", "business_owner"),
        ("eva", "executive"),
    ):
        sign(review, User.objects.get(username=username), role)
    assert review.status == "approved"
    return draft


def test_a_draft_is_written_and_edited_over_rest_with_its_problems(
    api: Any, writer: User, lead: User, text: str
) -> None:
    body = {"name": "standard", "title": "x", "text": text.replace("scope_ready", "scope_redy")}
    refused = api(lead).post(V1, body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "may_not_write_policies")
    assert PolicyVersion.objects.filter(number=2).count() == 0
    written = api(writer).post(V1, body, format="json")
    assert written.status_code == 201
    (problem,) = written.json()["standing"]["problems"]
    line = body["text"].splitlines()[problem["line"] - 1]
    assert line[problem["column"] - 1 :].startswith("check: scope_redy")
    address = f"{V1}{written.json()['id']}/"
    change = {"text": text, "note": "Pilot.", "version_lock": written.json()["version_lock"]}
    edited = api(writer).patch(address, change, format="json").json()
    assert edited["standing"]["problems"] == []
    assert edited["standing"]["looser"] == [
        "The environment production is in the mode warn instead of enforce."
    ]
    assert edited["editors"] == ["paula"]
    late = api(writer).patch(address, change, format="json")
    assert late.status_code == 409
    assert api(lead).patch(address, change, format="json").status_code == 403


def test_what_was_published_is_refused_over_rest(
    api: Any, writer: User, published: PolicyVersion
) -> None:
    body = {"text": "schema: 1", "version_lock": published.version_lock}
    answer = api(writer).patch(f"{V1}{published.pk}/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "policy_not_draft")
    for method in ("put", "delete"):
        assert getattr(api(writer), method)(f"{V1}{published.pk}/").status_code == 405
    before = published.text
    published.refresh_from_db()
    assert published.text == before


def test_a_text_is_checked_over_rest_and_nothing_is_saved(
    api: Any, writer: User, lead: User, text: str
) -> None:
    answer = api(writer).post(f"{V1}check/", {"text": "a: ["}, format="json")
    (problem,) = answer.json()["problems"]
    assert (problem["line"], problem["column"], problem["path"]) == (2, 1, "")
    sound = api(writer).post(f"{V1}check/", {"text": text}, format="json").json()
    assert (sound["problems"], sound["compared_with"]) == ([], "standard v1")
    assert api(lead).post(f"{V1}check/", {"text": text}, format="json").status_code == 403
    assert PolicyVersion.objects.filter(policy__name="standard").count() == 1


def test_publishing_over_rest_takes_the_password_and_other_hands(
    api: Any, approved: PolicyVersion, writer: User, publisher: User, lead: User
) -> None:
    address = f"{V1}{approved.pk}/publish/"
    for user, password, code in (
        (lead, PASSWORD, "may_not_publish_policies"),
        (writer, PASSWORD, "author_cannot_publish"),
        (publisher, "wrong", "wrong_password"),
    ):
        refused = api(user).post(address, {"password": password}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (403, code)
        assert Environment.objects.get().mode == "enforce"
    assert api(publisher).post(address, {}, format="json").status_code == 400
    done = api(publisher).post(address, {"password": PASSWORD}, format="json")
    assert (done.status_code, done.json()["status"]) == (200, "published")
    assert Environment.objects.get().mode == "warn"


def test_a_wrong_draft_is_not_published_and_the_answer_says_where_it_is_wrong(
    api: Any, writer: User, publisher: User, published: PolicyVersion
) -> None:
    actor = session_actor(writer)
    draft = policies.write_draft("standard", title="x", text="schema: 2\n", actor=actor)
    address = f"{V1}{draft.pk}/publish/"
    answer = api(publisher).post(address, {"password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_policy")
    for problem in answer.json()["problems"]:
        assert {"path", "line", "column", "message", "hint"} == set(problem)


def test_the_check_marks_the_lines_that_are_wrong_with_and_without_javascript(
    client_for: Any, writer: User, lead: User, text: str
) -> None:
    browser = client_for(writer)
    typed = {"text": text.replace("scope_ready", "scope_redy")}
    whole = browser.post("/policies/check/", typed)
    part = browser.post("/policies/check/", typed, headers={"HX-Request": "true"})
    for answer in (whole, part):
        page = answer.content.decode()
        assert "<strong>1 problem.</strong>" in page
        assert "Did you mean scope_ready?" in page
        assert page.count("policy-line--wrong") == 1
        assert list(offences_in(answer)) == []
    assert "<h1>" in whole.content.decode()
    assert "<h1>" not in part.content.decode()
    assert client_for(lead).post("/policies/check/", typed).status_code == 403
    assert browser.get("/policies/check/").status_code == 405


def test_the_page_of_a_version_says_what_it_loosens_and_what_is_next(
    client_for: Any, draft: PolicyVersion, project: Project, lead: User, data_owner: User
) -> None:
    address = f"/policy-versions/{draft.pk}/"
    answer = client_for(lead).get(address)
    page = answer.content.decode()
    assert "It loosens what holds now" in page
    assert "is in the mode warn instead of enforce." in page
    assert "Put it up for review" in page
    assert "Pilot." in page
    assert "What differs from standard v1" in page
    assert list(offences_in(answer)) == []
    reader = client_for(data_owner).get(address).content.decode()
    assert "A lead or a risk officer of a project" in reader
    assert "Put it up for review" not in reader


def test_a_review_of_a_policy_shows_what_it_loosens_and_leads_to_the_differences(
    client_for: Any, approved: PolicyVersion, validator: User
) -> None:
    review = GateReview.objects.get(gate="policy")
    page = client_for(validator).get(f"/reviews/{review.pk}/").content.decode()
    assert "The environment production is in the mode warn instead of enforce." in page
    assert f'href="/policy-versions/{approved.pk}/"' in page
    assert "Pilot." in page


def test_a_version_is_published_on_its_page_with_the_password(
    client_for: Any, approved: PolicyVersion, writer: User, publisher: User
) -> None:
    address = f"/policy-versions/{approved.pk}/"
    assert "You wrote on it" in client_for(writer).get(address).content.decode()
    browser = client_for(publisher)
    assert 'type="password"' in browser.get(address).content.decode()
    told = browser.post(f"{address}publish/", {"password": "wrong"}, follow=True)
    assert "The password is wrong" in told.content.decode()
    approved.refresh_from_db()
    assert approved.status == "draft"
    done = browser.post(f"{address}publish/", {"password": PASSWORD}, follow=True)
    assert "is published" in done.content.decode()
    approved.refresh_from_db()
    assert approved.status == "published"


def test_only_a_visible_project_can_be_asked(
    client_for: Any, draft: PolicyVersion, outsider: User, validator: User, project: Project
) -> None:
    address = f"/policy-versions/{draft.pk}/review/"
    assert client_for(outsider).post(address, {"project": project.pk}).status_code == 404
    client_for(validator).post(address, {"project": project.pk})
    assert client_for(validator).post(address, {"project": "x"}).status_code == 404
    assert not GateReview.objects.exists()


def test_the_list_of_versions_takes_the_same_queries_however_many(
    api: Any, writer: User, text: str, django_assert_num_queries: Any
) -> None:
    client = api(writer)
    client.get(V1)
    with django_assert_num_queries(1):
        client.get(V1)
    for number in range(3):
        note = f"# {number}\n"
        actor = session_actor(writer)
        policies.write_draft("standard", title="x", text=text + note, actor=actor)
    with django_assert_num_queries(1):
        client.get(V1)
