"""The page of two versions: differences, sign-offs, deviations and the words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.models import Deviation
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policies(db):
    factories.install_policies()


@pytest.fixture
def loosened(approved_scope, project, lead):
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    content["risks"][0]["impact"] = 5
    content["current_process"] = content["current_process"].replace("nobody", "no person")
    content["prior_art"].pop()
    return factories.submit_scope(project, lead, content)


def page(document):
    return f"/scopes/{document.pk}/changes/"


def test_page_shows_words_verdicts_scores_and_fates(client_for, loosened, lead):
    text = client_for(lead).get(page(loosened)).content.decode()
    for expected in (
        "What changed from version 1 to 2",
        '<del class="diff-removed">nobody </del>',
        '<ins class="diff-added">no person </ins>',
        "▼ easier to pass",
        "risk 12 (high) → 20 (critical)",
        "↻ asked again",
        "ranks-later-months",
    ):
        assert expected in text, expected


def test_first_version_says_what_to_do_next(client_for, approved_scope, lead):
    text = client_for(lead).get(page(approved_scope)).content.decode()
    assert "nothing to compare with yet" in text
    assert "Edit the words" in text


def test_another_version_is_compared_on_request(client_for, loosened, approved_scope, lead):
    text = client_for(lead).get(page(approved_scope), {"against": "2"}).content.decode()
    assert "▲ harder to pass" in text
    for wrong in ("9", "x"):
        assert client_for(lead).get(page(loosened), {"against": wrong}).status_code == 404


def test_strangers_find_nothing(client_for, loosened, outsider):
    client, deviation = client_for(outsider), loosened.deviations.get()
    assert client.get(page(loosened)).status_code == 404
    for verb in ("explain", "decide"):
        assert client.post(f"/deviations/{deviation.pk}/{verb}/").status_code == 404
    assert client.post(f"/scopes/{loosened.pk}/words/").status_code == 404


def test_deviation_is_explained_and_accepted_by_form(
    client_for, loosened, data_scientist, validator
):
    deviation = loosened.deviations.get()
    client_for(data_scientist).post(
        f"/deviations/{deviation.pk}/explain/", {"reason": "Hard months.", "is_result_seen": "yes"}
    )
    shown = client_for(validator).get(page(loosened)).content.decode()
    assert "Hard months." in shown
    assert 'value="accept"' in shown
    client_for(validator).post(f"/deviations/{deviation.pk}/decide/", {"decision": "accept"})
    deviation.refresh_from_db()
    assert (deviation.status, deviation.is_result_seen) == ("accepted", True)


def test_refused_explanation_keeps_what_was_typed(
    client_for, loosened, data_scientist, monkeypatch
):
    monkeypatch.setattr("projects.services.deviations.result_was_seen", lambda *_: True)
    deviation = loosened.deviations.get()
    told = client_for(data_scientist).post(
        f"/deviations/{deviation.pk}/explain/", {"reason": "My words.", "is_result_seen": "no"}
    )
    assert told.status_code == 422
    assert "My words." in told.content.decode()
    assert "counts as seen" in told.content.decode()
    assert Deviation.objects.get(pk=deviation.pk).reason == ""


def test_words_of_the_agreed_scope_are_edited_and_a_lost_race_keeps_them(
    client_for, approved_scope, lead
):
    address = f"/scopes/{approved_scope.pk}/words/"
    read = approved_scope.version_lock
    client = client_for(lead)
    client.post(address, {"title": "Ring first", "read_version": read})
    approved_scope.refresh_from_db()
    assert approved_scope.title == "Ring first"
    told = client.post(address, {"title": "Ring them last", "read_version": read})
    assert told.status_code == 422
    assert 'value="Ring them last"' in told.content.decode()
    emptied = client.post(address, {"title": "", "read_version": read}).content.decode()
    assert 'required value=""' in emptied
    shown = client.get(page(approved_scope)).content.decode()
    assert "Edited since the submission" in shown


def test_page_costs_the_same_for_many_changes(
    client_for, loosened, approved_scope, project, lead, django_assert_num_queries
):
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    few = factories.submit_scope(project, lead, content)
    few.parent = approved_scope
    few.save(update_fields=["parent"])
    client = client_for(lead)
    client.get(page(few))
    with CaptureQueriesContext(connection) as queries:
        client.get(page(few))
    with django_assert_num_queries(len(queries)):
        client.get(page(loosened))
