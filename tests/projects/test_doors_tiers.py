"""The risk tier of a project through every door: page, REST, admin."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.models import LedgerEntry
from projects.models import TierAssessment
from projects.rules.tier import ANSWERS
from projects.services import tiers
from projects.services.projects import assign_role
from tests.factories import CAST, session_actor
from tests.governance.faces import offences_in

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
HIGH = dict(zip(ANSWERS, (4, 1, 1, 1), strict=True))
LOW = dict.fromkeys(ANSWERS, 0)


@pytest.fixture(autouse=True)
def alone(settings):
    settings.TIER_LISTENERS = []


@pytest.fixture
def lowering(project, risk_officer):
    new = tiers.NewAssessment(LOW, "Nobody uses it any more.")
    return tiers.assess_tier(project, new, actor=session_actor(risk_officer))


def person(username):
    return User.objects.get(username=username)


def addresses(project):
    return f"{V1}/projects/{project.pk}/tier-assessments/", f"/projects/{project.slug}/tier/"


def test_each_role_meets_the_table_at_both_doors(project, api, client_for, outsider):
    rest, page = addresses(project)
    told = {}
    for username in [*CAST, "otto"]:
        before = TierAssessment.objects.count()
        answer = api(person(username)).post(rest, {"answers": HIGH, "reason": "Why."}, "json")
        made = TierAssessment.objects.count() - before
        posted = client_for(person(username)).post(page, {**HIGH, "reason": "Why."})
        told[username] = (answer.status_code, posted.status_code)
        assert made == (answer.status_code == 201)
        assert TierAssessment.objects.count() == before + made + (posted.status_code == 302)
    assert {name for name, status in told.items() if status == (201, 302)} == {"vera", "rita"}
    assert told.pop("otto") == (404, 404)
    assert set(told.values()) == {(201, 302), (403, 422)}


def test_each_role_meets_the_table_when_a_lower_tier_is_decided(
    project, lowering, api, client_for, outsider
):
    url = f"{addresses(project)[0]}{lowering.pk}/decide/"
    page = reverse("projects:tier-decide", args=[lowering.pk])
    for username, role in CAST.items():
        if role in {"business_owner", "validator"}:
            continue
        before = LedgerEntry.objects.count()
        assert api(person(username)).post(url, {"is_agreed": True}, "json").status_code == 403
        client_for(person(username)).post(page, {"decision": "agree"})
        assert LedgerEntry.objects.count() == before
    assert api(outsider).post(url, {"is_agreed": True}, "json").status_code == 404
    assert client_for(outsider).post(page, {"decision": "agree"}).status_code == 404
    done = api(person("bruno")).post(url, {"is_agreed": True}, "json")
    assert (done.status_code, done.data["state"]) == (200, "in force")
    assert done.data["decision"]["decided_by"] == "bruno"
    project.refresh_from_db()
    assert project.tier == "low"
    again = api(person("vera")).post(url, {"is_agreed": True}, "json")
    assert (again.status_code, again.data["code"]) == (409, "assessment_decided")


def test_the_page_takes_the_decision(project, lowering, client_for, business_owner):
    page = reverse("projects:tier-decide", args=[lowering.pk])
    answer = client_for(business_owner).post(page, {"decision": "agree"}, follow=True)
    assert "The lower tier holds." in answer.content.decode()
    project.refresh_from_db()
    assert project.tier == "low"


def test_a_wrong_form_keeps_what_was_typed(project, client_for, risk_officer):
    typed = {**HIGH, "tier_exposure": "9", "reason": "Because of the new region."}
    answer = client_for(risk_officer).post(addresses(project)[1], typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "with a whole number from 0 to 4" in text
    assert "Because of the new region." in text
    assert not TierAssessment.objects.exists()


def test_wrong_answers_over_rest_are_named(project, api, risk_officer):
    body = {"answers": {**HIGH, "tier_purpose": 7}, "reason": "Why."}
    answer = api(risk_officer).post(addresses(project)[0], body, "json")
    assert answer.status_code == 400
    assert "tier_purpose" in str(answer.data)
    assert not TierAssessment.objects.exists()


def test_an_assessment_of_another_project_is_not_found(lowering, api, business_owner):
    url = f"{V1}/projects/{lowering.project_id + 1}/tier-assessments/{lowering.pk}/decide/"
    assert api(business_owner).post(url, {"is_agreed": True}, "json").status_code == 404


def test_the_history_shows_answers_scorecard_and_who_agreed(
    project, lowering, client_for, api, auditor, business_owner
):
    tiers.decide_assessment(lowering, actor=session_actor(business_owner), is_agreed=True)
    answer = client_for(auditor).get(addresses(project)[1])
    text = answer.content.decode()
    assert list(offences_in(answer)) == []
    assert "medium → low" in text
    assert "exposure 0, purpose 0, autonomy 0, reversibility 0" in text
    assert "Agreed to by Bruno" in text
    assert "Put the assessment on record" not in text
    (row,) = api(auditor).get(addresses(project)[0]).data
    assert (row["answers"], row["computed"], row["former"]) == (LOW, "low", "medium")
    project_page = client_for(auditor).get(f"/projects/{project.slug}/").content.decode()
    assert "by Rita" in project_page


def test_the_history_takes_as_many_queries_for_many_assessments(
    project, api, risk_officer, validator, django_assert_num_queries
):
    url, client = addresses(project)[0], api(validator)

    def add(count):
        for _ in range(count):
            new = tiers.NewAssessment(HIGH, "Again.")
            tiers.assess_tier(project, new, actor=session_actor(risk_officer))

    add(1)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    add(6)
    with django_assert_num_queries(len(few)):
        assert len(client.get(url).data) == 7


def test_the_admin_shows_assessments_and_changes_none(lowering, client_for, lead, outsider):
    assign_role(lowering.project, actor=session_actor(lead), user=outsider, role="operations")
    listed = reverse("admin:projects_tierassessment_changelist")
    detail = reverse("admin:projects_tierassessment_change", args=[lowering.pk])
    client = client_for(outsider)
    assert "waiting" in client.get(listed).content.decode()
    answer = client.get(detail)
    assert answer.status_code == 200
    assert not answer.context_data["has_change_permission"]
    assert client.get(reverse("admin:projects_tierassessment_add")).status_code == 403
