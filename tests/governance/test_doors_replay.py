"""A policy over past reviews, through page, REST and command line."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from config.tokens import create_token
from governance.models import Evidence, GateReview
from governance.services import policies, reviews
from ledger.models import LedgerEntry
from tests.factories import session_actor
from tests.governance.faces import offences_in
from tests.governance.test_services_replay import asking_risk_officer

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def draft(approved, policy, superuser):
    """A draft that asks one role more than the policy under which a review was approved."""
    text = asking_risk_officer(policy.text)
    return policies.write_draft(
        "standard", title="Standard", text=text, actor=session_actor(superuser)
    )


@pytest.fixture
def file(draft, tmp_path):
    path = tmp_path / "draft.yaml"
    path.write_text(draft.text, encoding="utf-8")
    return path


def page_of(version):
    return reverse("governance:replay", args=[version.pk])


# --- Page ---------------------------------------------------------------------------------------


def test_the_page_says_what_would_differ_and_why(draft, client_for, auditor):
    answer = client_for(auditor).get(page_of(draft))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert list(offences_in(answer)) == []
    assert "<strong>1</strong> of 2 decisions would differ" in text
    assert "A sign-off as risk officer is missing." in text
    assert "no data for 1" in text
    assert "Put this replay on record" not in text, "an auditor records nothing"


def test_the_page_lists_what_differs_alone(draft, client_for, auditor):
    client = client_for(auditor)
    every = client.get(page_of(draft)).content.decode()
    few = client.get(page_of(draft) + "?changed=1").content.decode()
    assert "Data of bank-marketing v1" in every
    assert "Data of bank-marketing v1" not in few
    assert "Validation of term-deposit-calls v1" in few


def test_who_sees_no_review_sees_an_empty_replay(draft, client_for, outsider):
    text = client_for(outsider).get(page_of(draft)).content.decode()
    assert "There is no past review to judge." in text
    assert "term-deposit-calls" not in text


def test_a_wrong_day_is_said_and_replayed_without(draft, client_for, auditor):
    answer = client_for(auditor).get(page_of(draft) + "?since=yesterday&limit=0")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Enter a valid date." in text
    assert "of 2 decisions" in text


def test_on_record_it_shows_on_the_page_and_names_no_subject(
    draft, client_for, risk_officer, project
):
    client = client_for(risk_officer)
    url = reverse("governance:record-replay", args=[draft.pk])
    answer = client.post(url, {"project": project.slug, "gate": "validation"}, follow=True)
    row = Evidence.objects.get(kind="policy_replay")
    assert "The replay is on record." in answer.content.decode()
    assert row.title in answer.content.decode()
    assert row.data["summary"]["reviews"] == 1
    assert [one["draft"] for one in row.data["changed"]] == ["undecided"]
    assert "term-deposit-calls" not in json.dumps(row.data)


@pytest.mark.parametrize(("who", "status"), [("auditor", 302), ("outsider", 404)])
def test_who_may_not_record_a_replay_leaves_no_evidence(
    draft, client_for, project, who, status, request
):
    before = LedgerEntry.objects.count()
    url = reverse("governance:record-replay", args=[draft.pk])
    client = client_for(request.getfixturevalue(who))
    assert client.post(url, {"project": project.slug}).status_code == status
    assert not Evidence.objects.filter(kind="policy_replay").exists()
    assert LedgerEntry.objects.count() == before


def test_the_review_of_a_policy_version_leads_to_its_replay(draft, client_for, project, lead):
    request = reviews.ReviewRequest("policy", project, "policy_version", draft.ref)
    review = reviews.request_review(request, actor=session_actor(lead))
    text = client_for(lead).get(reverse("governance:review", args=[review.pk])).content.decode()
    assert page_of(draft) in text


# --- REST ---------------------------------------------------------------------------------------


def test_rest_replays_a_version_a_text_and_a_number_alike(draft, api, auditor):
    client = api(auditor)
    got = client.get(f"{V1}/policy-versions/{draft.pk}/replay/?changed=true").data
    by_text = client.post(f"{V1}/policies/replay/", {"text": draft.text, "changed": True}, "json")
    by_number = client.post(
        f"{V1}/policies/replay/", {"version": draft.pk, "changed": True}, "json"
    )
    assert got == by_text.data == by_number.data
    (one,) = got["reviews"]
    assert (one["then"], one["draft"], one["missing_roles"]) == (
        "approved",
        "undecided",
        ["risk_officer"],
    )
    assert got["summary"]["reviews"] == 2
    assert got["digest"] == draft.digest
    json.dumps(got)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "text_or_version"),
        ({"text": "schema: 1", "version": 1}, 400, "text_or_version"),
        ({"text": "schema: 1"}, 400, "invalid_policy"),
        ({"version": 999_999}, 404, "not_found"),
        ({"version": 1, "limit": 1_000_000}, 400, None),
    ],
)
def test_rest_refuses_what_cannot_be_replayed(draft, api, auditor, body, status, code):
    before = LedgerEntry.objects.count()
    answer = api(auditor).post(f"{V1}/policies/replay/", body, "json")
    assert answer.status_code == status
    assert code is None or answer.data["code"] == code
    assert LedgerEntry.objects.count() == before


def test_rest_goes_over_the_reviews_that_the_caller_may_see(draft, api, outsider):
    got = api(outsider).get(f"{V1}/policy-versions/{draft.pk}/replay/").data
    assert (got["summary"]["reviews"], got["reviews"]) == (0, [])


def test_a_token_may_record_a_replay(draft, risk_officer, project, client):
    _, key = create_token(risk_officer, actor=session_actor(risk_officer))
    answer = client.post(
        f"{V1}/policy-versions/{draft.pk}/record-replay/",
        {"project": project.slug},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 201, answer.json()
    assert answer.json()["kind"] == "policy_replay"


@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("outsider", 404)])
def test_rest_lets_nobody_else_record_a_replay(draft, api, project, who, status, request):
    url = f"{V1}/policy-versions/{draft.pk}/record-replay/"
    client = api(request.getfixturevalue(who))
    assert client.post(url, {"project": project.slug}, "json").status_code == status
    assert not Evidence.objects.filter(kind="policy_replay").exists()


# --- Command line -------------------------------------------------------------------------------


def said(*arguments):
    out = io.StringIO()
    call_command("replay_policy", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_a_file_in_words(file):
    text = said(str(file), "--changed")
    assert "standard over 2 past reviews: 1 would differ" in text
    assert "waiting added: no data for 1" in text
    assert "validation of term-deposit-calls v1 (Term-deposit calls): approved → undecided" in text
    assert "data of bank-marketing" not in text


def test_the_command_tells_a_version_as_json(draft):
    told = json.loads(said("--policy-version", str(draft.pk), "--json"))
    assert told["summary"]["changed"] == 1
    assert len(told["reviews"]) == GateReview.objects.count()


@pytest.mark.parametrize("arguments", [["no-such-file.yaml"], ["--policy-version", "999999"], []])
def test_the_command_refuses_what_is_not_there(draft, arguments):
    with pytest.raises(CommandError):
        said(*arguments)


def test_the_command_refuses_a_text_that_is_no_policy(draft, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("schema: 1\nname: standard\n", encoding="utf-8")
    with pytest.raises(CommandError, match="The policy cannot be used"):
        said(str(path))
