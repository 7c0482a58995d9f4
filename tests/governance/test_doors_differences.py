"""What is new since the last approval, on the page of a review and over REST."""

import pytest

from governance.services.differences import difference_since_approval, digest_of_difference
from governance.services.evidence import Material, record_evidence
from tests.factories import session_actor
from tests.governance import faces, fakes

pytestmark = pytest.mark.django_db


def address(review, query=""):
    return f"/api/v1/gate-reviews/{review.pk}/differences/{query}"


def test_the_page_shows_what_is_new_since_the_last_approval(client_for, validator, second):
    response = client_for(validator).get(f"/reviews/{second.pk}/")
    page = response.content.decode()
    for shown in ("New since the last approval", "test_roc_auc", "+0.02", "Parameters of the run"):
        assert shown in page
    assert list(faces.offences_in(response)) == []


def test_a_first_review_shows_no_difference(client_for, validator, review):
    page = client_for(validator).get(f"/reviews/{review.pk}/").content.decode()
    assert "New since the last approval" not in page
    body = client_for(validator).get(address(review)).json()
    assert (body["since"], body["changes"]) == (None, [])


def test_rest_answers_the_difference_and_its_digest(client_for, validator, second, applied):
    body = client_for(validator).get(address(second)).json()
    assert body["since"] == applied.review.pk
    assert body["digest"] == digest_of_difference(difference_since_approval(second))
    metrics = next(one for one in body["changes"] if one["title"] == "Metrics of the run")
    row = {"name": "test_roc_auc", "was": "0.79", "now": "0.81", "note": "+0.02"}
    assert metrics["rows"] == [row]


def test_any_other_review_of_the_kind_can_be_compared_with(
    client_for, validator, second, applied, released_data
):
    client = client_for(validator)
    body = client.get(address(applied.review, f"?since={second.pk}")).json()
    titles = {one["title"]: one for one in body["changes"]}
    assert titles["Metrics of the run"]["rows"][0]["note"] == "-0.02"
    other = client.get(address(second, f"?since={released_data.pk}"))
    assert (other.status_code, other.json()["code"]) == (400, "cannot_compare")
    wrong = client.get(address(second, "?since=last"))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_since")
    assert client.get(address(second, "?since=99999")).status_code == 404


def test_strangers_and_their_reviews_stay_apart(client_for, outsider, second):
    assert client_for(outsider).get(address(second)).status_code == 404


# --- Stale, and bound anew ---------------------------------------------------------------------


@pytest.fixture
def stale(review, sign, validator, project, data_scientist):
    """A review that the validator signed before more evidence came."""
    sign(review, validator, "validator")
    material = Material(project, "model_version", fakes.MODEL, "report", "Report", {"ok": True})
    record_evidence(material, actor=session_actor(data_scientist))
    review.refresh_from_db()
    assert review.status == "stale"
    return review


def test_the_page_of_a_stale_review_shows_what_moved_and_offers_to_bind_it(
    client_for, validator, stale
):
    response = client_for(validator).get(f"/reviews/{stale.pk}/")
    page = response.content.decode()
    for shown in ("What moved", "The evidence report", "1 item", "Bind to the present state"):
        assert shown in page
    assert "Sign as validator" not in page
    body = client_for(validator).get(f"/api/v1/gate-reviews/{stale.pk}/").json()
    allowed = {one["action"]: one["allowed"] for one in body["allowed_actions"]}
    assert (allowed["refresh"], allowed["sign"], allowed["evaluate"]) == (True, False, False)
    assert list(faces.offences_in(response)) == []


def test_binding_anew_on_the_page_tells_the_fate_of_each_sign_off(client_for, validator, stale):
    client = client_for(validator)
    page = client.post(f"/reviews/{stale.pk}/refresh/", follow=True).content.decode()
    for shown in (
        "Bound anew",
        "The evidence report was added",
        "to be given again",
        "The policy asks again when this changes: the evidence report.",
    ):
        assert shown in page
    assert "What moved" not in page


def test_rest_answers_a_refresh_with_what_moved_and_each_fate(client_for, validator, stale):
    body = client_for(validator).post(f"/api/v1/gate-reviews/{stale.pk}/refresh/").json()
    assert body["status"] == "open"
    assert [one.partition(" (")[0] for one in body["moved"]] == ["The evidence report was added"]
    assert body["fates"] == [
        {
            "role": "validator",
            "person": "Vera",
            "survives": False,
            "reason": "The policy asks again when this changes: the evidence report.",
        }
    ]


def test_who_may_not_bind_anew_is_refused_at_every_door(client_for, auditor, outsider, stale):
    rest = f"/api/v1/gate-reviews/{stale.pk}/refresh/"
    assert client_for(outsider).post(rest).status_code == 404
    refused = client_for(auditor).post(rest)
    assert refused.status_code == 403
    client_for(auditor).post(f"/reviews/{stale.pk}/refresh/")
    stale.refresh_from_db()
    assert stale.status == "stale"
