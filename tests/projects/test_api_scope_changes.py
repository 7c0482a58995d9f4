"""Differences, editorial edits, thresholds and deviations through REST."""

import pytest
from knox.models import get_token_model
from rest_framework.test import APIClient

from projects.models import Deviation, ScopingDocument
from projects.services import deviations, scoping
from tests import factories
from tests.factories import session_actor

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
AUC = {"threshold": 0.6, "greater_is_better": True}


@pytest.fixture
def loosened(approved_scope, project, lead):
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    content["title"] = "Ring likely buyers"
    return factories.submit_scope(project, lead, content)


@pytest.fixture
def policies(db):
    factories.install_policies()


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


def changes(document):
    return f"{V1}/scoping-documents/{document.pk}/changes/"


def thresholds(document):
    return f"{V1}/scoping-documents/{document.pk}/metric-thresholds/"


def test_changes_tell_what_differs_and_what_it_means(api, loosened, approved_scope, policies, lead):
    body = api(lead).get(changes(loosened)).json()
    assert body["against"]["version"] == 1
    assert [field["field"] for field in body["difference"]["fields"]] == ["title"]
    (criteria,) = body["difference"]["lists"]
    assert criteria["rows"][0]["verdict"] == "loosened"
    assert body["difference"]["loosened"] == ["ranks-later-months"]
    assert body["difference"]["material"] == ["criteria"]
    assert [one["survives"] for one in body["sign_offs"]] == [False, False]
    assert [one["status"] for one in body["deviations"]] == ["proposed"]
    assert body["signed_hash"] == loosened.content_hash


def test_changes_against_another_version(api, loosened, approved_scope, policies, lead):
    body = api(lead).get(changes(approved_scope), {"against": 2}).json()
    assert body["against"]["version"] == 2
    assert body["difference"]["lists"][0]["rows"][0]["verdict"] == "tightened"


def test_first_version_differs_from_nothing(api, approved_scope, policies, lead):
    body = api(lead).get(changes(approved_scope)).json()
    assert (body["against"], body["difference"], body["sign_offs"]) == (None, None, [])


@pytest.mark.parametrize(("against", "status"), [("9", 404), ("x", 400), ("-1", 400)])
def test_version_that_is_none_is_refused(api, approved_scope, policies, lead, against, status):
    assert api(lead).get(changes(approved_scope), {"against": against}).status_code == status


def test_strangers_see_no_changes_and_no_deviations(api, loosened, outsider):
    deviation = loosened.deviations.get()
    client = api(outsider)
    assert client.get(changes(loosened)).status_code == 404
    assert client.get(thresholds(loosened)).status_code == 404
    assert client.get(f"{V1}/deviations/{deviation.pk}/").status_code == 404
    assert client.get(f"{V1}/deviations/").json()["results"] == []


def test_words_are_edited_and_the_rest_is_refused(api, approved_scope, lead):
    address = f"{V1}/scoping-documents/{approved_scope.pk}/edit-editorially/"
    told = api(lead).post(address, {"fields": {"intended_use": "x"}}, format="json")
    assert (told.status_code, told.json()["code"]) == (422, "material_field")
    done = api(lead).post(address, {"fields": {"title": "Ring first"}}, format="json")
    assert done.status_code == 200
    approved_scope.refresh_from_db()
    assert approved_scope.title == "Ring first"
    assert done.json()["content_hash"] == approved_scope.content_hash


def test_thresholds_are_exported_with_what_mlflow_cannot_say(api, approved_scope, lead):
    body = api(lead).get(thresholds(approved_scope)).json()
    assert body["thresholds"]["latency_p95_ms"] == {"greater_is_better": False, "threshold": 200.0}
    assert [one["key"] for one in body["not_expressed"]] == ["shows-a-signal"]


def test_thresholds_are_imported_into_a_draft(api, draft, lead):
    given = {
        "thresholds": {
            "test_roc_auc": AUC,
            "test_f1": {"min_absolute_change": 0.05, "greater_is_better": True},
        },
        "baseline": "no-ranking",
        "gates": ["validation"],
    }
    told = api(lead).post(thresholds(draft), given, format="json")
    assert told.status_code == 200, told.json()
    rows = {row["metric_key"]: row for row in told.json()["content"]["criteria"]}
    assert rows["test_roc_auc"]["threshold"] == 0.6
    assert rows["test_roc_auc"]["key"] == "ranks-later-months"
    added = rows["test_f1"]
    assert (added["min_absolute_change"], added["baseline"]) == (0.05, "no-ranking")
    assert (added["level"], added["gates"], added["dataset_role"]) == (
        "must", ["validation"], "test",
    )  # fmt: skip
    again = api(lead).get(thresholds(draft)).json()["thresholds"]
    assert again["test_f1"] == given["thresholds"]["test_f1"]
    assert again["test_roc_auc"] == AUC


def test_every_wrong_argument_is_named_and_nothing_is_written(api, draft, lead):
    lock = draft.version_lock
    given = {"thresholds": {"a": {"threshold": "x", "greater_is_better": 1}, "b,c": AUC}}
    told = api(lead).post(thresholds(draft), given, format="json")
    assert (told.status_code, told.json()["code"]) == (400, "invalid_metric_thresholds")
    fields = [error["field"] for error in told.json()["errors"]]
    assert fields == ["a.greater_is_better", "a.threshold", "b,c"]
    assert ScopingDocument.objects.get(pk=draft.pk).version_lock == lock


def test_agreed_scope_takes_no_import(api, approved_scope, lead, business_owner):
    given = {"thresholds": {"test_roc_auc": AUC}}
    told = api(lead).post(thresholds(approved_scope), given, format="json")
    assert (told.status_code, told.json()["code"]) == (409, "scope_not_draft")
    told = api(business_owner).post(thresholds(approved_scope), given, format="json")
    assert told.status_code == 403


def test_deviation_is_explained_and_decided(api, loosened, data_scientist, validator):
    deviation = loosened.deviations.get()
    address = f"{V1}/deviations/{deviation.pk}"
    told = api(validator).post(f"{address}/decide/", {"is_accepted": True}, format="json")
    assert (told.status_code, told.json()["code"]) == (422, "deviation_unexplained")
    explained = api(data_scientist).post(
        f"{address}/explain/", {"reason": "Hard months.", "is_result_seen": False}, format="json"
    )
    assert explained.status_code == 200
    assert api(data_scientist).post(
        f"{address}/decide/", {"is_accepted": True}, format="json"
    ).status_code == 403  # fmt: skip
    decided = api(validator).post(f"{address}/decide/", {"is_accepted": True}, format="json")
    assert decided.json()["status"] == "accepted"
    again = api(validator).post(f"{address}/decide/", {"is_accepted": True}, format="json")
    assert again.status_code == 409


def test_token_may_read_and_explain_but_not_decide(loosened, data_scientist, validator):
    deviation = loosened.deviations.get()
    deviations.explain_deviation(
        deviation, actor=session_actor(data_scientist), reason="Hard.", is_result_seen=False
    )
    client = APIClient()
    _, token = get_token_model().objects.create(validator)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    address = f"{V1}/deviations/{deviation.pk}/"
    assert client.get(address).status_code == 200
    told = client.post(f"{address}decide/", {"is_accepted": True}, format="json")
    assert (told.status_code, told.json()["code"]) == (403, "deciding_needs_session")
    assert Deviation.objects.get(pk=deviation.pk).status == "proposed"


def test_list_of_deviations_costs_the_same_for_many(
    api, project, lead, approved_scope, django_assert_max_num_queries
):
    content = factories.scope_content_of()
    for row in content["criteria"][:4]:
        row["threshold"] *= 0.9 if row["greater_is_better"] else 1.1
    second = factories.submit_scope(project, lead, content)
    assert second.deviations.count() == 4
    client = api(lead)
    with django_assert_max_num_queries(5):
        assert len(client.get(f"{V1}/deviations/", {"scope": second.pk}).json()["results"]) == 4


def test_version_started_from_another_names_it(project, lead, approved_scope):
    second = scoping.start_from_version(approved_scope, actor=session_actor(lead))
    assert second.parent == approved_scope
