"""The REST resources of governance: who sees what, every command, and equal cost of every list."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from config.tokens import create_token
from governance.models import (
    DeniedAttempt,
    Evidence,
    Finding,
    GateReview,
    LineageNode,
    Promotion,
    SignOff,
)
from governance.services import delegations, findings
from ledger.models import LedgerEntry
from projects import content_store
from tests.factories import PASSWORD, install_policies, page_token_for, session_actor
from tests.governance import faces

V1 = "/api/v1/"


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


@pytest.fixture
def scope_review(submitted_scope, project, lead) -> GateReview:
    install_policies()
    return faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)


@pytest.fixture
def finding(project, review, validator) -> Finding:
    about = ("model_version", review.subject_ref)
    new = findings.NewFinding(project, *about, "Drift of pdays", "It moved.", "medium")
    return findings.open_finding(new, actor=session_actor(validator))


@pytest.fixture
def token():
    """Return a REST client that carries a user's API token."""

    def carried_by(user) -> APIClient:
        _, secret = create_token(user, actor=session_actor(user))
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return carried_by


@pytest.fixture
def rows(review, finding, project, validator, risk_officer) -> dict[str, int]:
    """One row of every resource, by the name of the resource."""
    now = timezone.now()
    away = delegations.NewDelegation(
        project, "validator", risk_officer, "Holidays", now, now + timedelta(days=7)
    )
    delegation = delegations.delegate(away, actor=session_actor(validator))
    signed = SignOff.objects.create(
        review=review, signer=validator, printed_name="Vera", role="validator",
        outcome="approved", meaning="I approve.", statement="I, Vera", sequence=0,
        bindings_digest=review.bindings_digest, policy_digest="0" * 64, method="session+password",
    )  # fmt: skip
    return {
        "gate-reviews": review.pk,
        "evidence": Evidence.objects.first().pk,
        "sign-offs": signed.pk,
        "findings": finding.pk,
        "delegations": delegation.pk,
        "lineage": LineageNode.objects.first().pk,
    }


PROJECT_ROWS = ["gate-reviews", "evidence", "sign-offs", "findings", "delegations", "lineage"]
PUBLIC_ROWS = ["policies", "policy-versions", "environments"]


@pytest.mark.parametrize("resource", [*PROJECT_ROWS, *PUBLIC_ROWS, "promotions", "waivers"])
def test_anonymous_callers_are_refused(resource, db):
    response = APIClient().get(f"{V1}{resource}/")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("resource", PROJECT_ROWS)
def test_insiders_see_rows_and_strangers_see_none(resource, rows, api, auditor, outsider):
    insider, stranger = api(auditor), api(outsider)
    found = insider.get(f"{V1}{resource}/").json()["results"]
    assert rows[resource] in [row["id"] for row in found]
    assert insider.get(f"{V1}{resource}/{rows[resource]}/").status_code == 200
    assert stranger.get(f"{V1}{resource}/").json()["results"] == []
    assert stranger.get(f"{V1}{resource}/{rows[resource]}/").status_code == 404


@pytest.mark.parametrize("resource", PUBLIC_ROWS)
def test_policies_hold_for_everyone_and_everyone_may_read_them(resource, review, api, outsider):
    assert api(outsider).get(f"{V1}{resource}/").json()["results"]


@pytest.mark.parametrize("resource", [*PROJECT_ROWS, "promotions"])
def test_a_list_costs_the_same_whatever_its_length(
    resource, rows, api, project, lead, data_scientist
):
    client = api(lead)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"{V1}{resource}/").status_code == 200
        return len(seen)

    before = queries()
    for number in range(4, 7):
        ref = faces.put_model(project, author=data_scientist, number=number)
        faces.show_evidence(project, session_actor(data_scientist), ref)
        opened = faces.ask_for(project, session_actor(lead), "model_version", ref)
        findings.open_finding(
            findings.NewFinding(project, "model_version", ref, "Drift", "", "low", owner=lead),
            actor=session_actor(lead),
        )
        SignOff.objects.create(
            review=opened, signer=lead, printed_name="Lena", role="lead", outcome="approved",
            meaning="I approve.", statement="I, Lena", sequence=9, method="session+password",
            bindings_digest=opened.bindings_digest, policy_digest="0" * 64,
        )  # fmt: skip
    assert queries() == before


class TestReviews:
    def test_requested_by_a_token(self, token, project, lead, submitted_scope):
        install_policies()
        body = {
            "project": project.slug,
            "gate": "scope",
            "subject_kind": "scoping_document",
            "subject_ref": submitted_scope.ref,
        }
        response = token(lead).post(f"{V1}gate-reviews/", body, format="json")
        assert response.status_code == 201
        answer = response.json()
        assert answer["status"] == "open"
        assert [one["outcome"] for one in answer["requirements"]] == ["pass"]
        again = token(lead).post(f"{V1}gate-reviews/", body, format="json")
        assert (again.status_code, again.json()["code"]) == (422, "review_open")

    def test_not_requested_by_a_stranger_or_without_the_role(
        self, api, project, outsider, validator, submitted_scope
    ):
        install_policies()
        body = {
            "project": project.slug,
            "gate": "scope",
            "subject_kind": "scoping_document",
            "subject_ref": submitted_scope.ref,
        }
        stranger = api(outsider).post(f"{V1}gate-reviews/", body, format="json")
        assert stranger.status_code == 404
        insider = api(validator).post(f"{V1}gate-reviews/", body, format="json")
        assert (insider.status_code, insider.json()["code"]) == (403, "role_missing")
        assert not GateReview.objects.exists()

    def test_missing_fields_are_named(self, api, lead, review):
        response = api(lead).post(f"{V1}gate-reviews/", {}, format="json")
        assert response.status_code == 400
        assert set(response.json()["errors"]) == {"project", "gate", "subject_kind", "subject_ref"}

    def test_says_what_the_caller_may_do_and_why_not(self, api, token, review, validator, lead):
        def allowed(client):
            answer = client.get(f"{V1}gate-reviews/{review.pk}/").json()
            return {one["action"]: one for one in answer["allowed_actions"]}

        assert allowed(api(validator))["sign"]["allowed"]
        assert "browser session" in allowed(token(validator))["sign"]["reasons"][0]
        asked = allowed(api(lead))
        assert "none of your roles" in asked["sign"]["reasons"][0]
        assert asked["withdraw"]["allowed"]

    def test_evaluate_withdraw_and_feedback(self, api, review, lead):
        client = api(lead)
        address = f"{V1}gate-reviews/{review.pk}/"
        with faces.fake_subjects():
            results = client.post(f"{address}evaluate/").json()
        assert {one["evaluation"] for one in results} == {2}
        said = client.post(f"{address}feedback/", {"text": "Sound."}, format="json")
        assert (said.status_code, said.json()["author"]) == (201, "lena")
        assert client.post(f"{address}withdraw/").json()["status"] == "withdrawn"
        late = client.post(f"{address}withdraw/")
        assert (late.status_code, late.json()["code"]) == (409, "invalid_transition")

    def test_eligibility_names_people_and_reasons(self, api, review, auditor):
        entries = api(auditor).get(f"{V1}gate-reviews/{review.pk}/eligibility/").json()
        assert {(one["user"], one["role"]) for one in entries} == {
            ("vera", "validator"),
            ("bruno", "business_owner"),
        }

    def test_strangers_reach_no_command(self, api, review, outsider):
        for verb in ("evaluate", "sign", "withdraw", "feedback", "refresh", "suspend"):
            response = api(outsider).post(f"{V1}gate-reviews/{review.pk}/{verb}/")
            assert response.status_code == 404


class TestSigning:
    @pytest.fixture
    def body(self, scope_review):
        return {
            "role": "business_owner",
            "outcome": "approved",
            "meaning": "I approve.",
            "reason": "Read.",
            "password": PASSWORD,
            "bindings_digest": scope_review.bindings_digest,
        }

    @pytest.fixture(autouse=True)
    def shown(self, body, scope_review, business_owner):
        """Let the body carry the token of what was shown."""
        actor = session_actor(business_owner)
        body["page_token"] = page_token_for(scope_review, body["role"], "approved", actor=actor)

    def test_with_a_session_and_the_password(self, api, scope_review, body, business_owner):
        address = f"{V1}gate-reviews/{scope_review.pk}/sign/"
        response = api(business_owner).post(address, body, format="json")
        assert response.status_code == 201
        assert response.json()["method"] == "session+password"
        assert "password" not in response.json()

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"password": "wrong"}, (403, "wrong_password")),
            ({"bindings_digest": "0" * 64}, (422, "subject_changed")),
            ({"role": "data_owner"}, (403, "role_missing")),
            ({"outcome": "rejected", "reason": ""}, (400, "reason_missing")),
            ({"outcome": "maybe"}, (400, "invalid_input")),
        ],
    )
    def test_a_refusal_writes_nothing(
        self, api, scope_review, body, business_owner, changes, refusal
    ):  # fmt: skip
        address = f"{V1}gate-reviews/{scope_review.pk}/sign/"
        response = api(business_owner).post(address, {**body, **changes}, format="json")
        assert (response.status_code, response.json()["code"]) == refusal
        assert PASSWORD not in response.content.decode()
        assert not SignOff.objects.exists()
        assert not LedgerEntry.objects.filter(event="review.signed").exists()

    def test_a_token_never_signs(self, token, scope_review, body, business_owner):
        address = f"{V1}gate-reviews/{scope_review.pk}/sign/"
        response = token(business_owner).post(address, body, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "signing_needs_session")
        assert not SignOff.objects.exists()
        assert DeniedAttempt.objects.get().code == "signing_needs_session"


class TestEvidence:
    def test_recorded_by_a_token(self, token, project, review, data_scientist):
        body = {
            "project": project.slug,
            "subject_kind": "model_version",
            "subject_ref": review.subject_ref,
            "kind": "model_card",
            "title": "Model card",
            "data": {"purpose": "rank customers"},
        }
        response = token(data_scientist).post(f"{V1}evidence/", body, format="json")
        assert response.status_code == 201
        assert response.json()["produced_by"] == "sam"
        refused = token(data_scientist).post(f"{V1}evidence/", {**body, "data": {}}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (400, "empty_evidence")

    def test_a_picture_comes_as_a_file(self, token, project, review, data_scientist):
        body = {
            "project": project.slug,
            "subject_kind": "model_version",
            "subject_ref": review.subject_ref,
            "kind": "plot",
            "title": "ROC curve",
            "data": '{"description": "Rises early."}',
        }
        drawing = SimpleUploadedFile("roc.svg", b"<svg/>", "image/svg+xml")
        url = f"{V1}evidence/"
        response = token(data_scientist).post(url, {**body, "file": drawing}, format="multipart")
        assert response.status_code == 201
        stored = Evidence.objects.get(pk=response.json()["id"])
        assert content_store.read(stored.attachment) == b"<svg/>"
        assert stored.data == {"description": "Rises early."}
        before = Evidence.objects.count()
        program = SimpleUploadedFile("roc.exe", b"MZ", "application/x-msdownload")
        refused = token(data_scientist).post(url, {**body, "file": program}, format="multipart")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
        assert Evidence.objects.count() == before

    def test_not_by_an_auditor(self, api, project, review, auditor):
        body = {
            "project": project.slug,
            "subject_kind": "model_version",
            "subject_ref": review.subject_ref,
            "kind": "model_card",
            "title": "Model card",
            "data": {"purpose": "rank customers"},
        }
        before = Evidence.objects.count()
        response = api(auditor).post(f"{V1}evidence/", body, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "role_missing")
        assert Evidence.objects.count() == before


class TestPromotions:
    @pytest.fixture
    def body(self, project, data_scientist):
        install_policies()
        ref = faces.put_model(project, author=data_scientist)
        return {
            "project": project.slug,
            "model_name": "term-deposit-calls",
            "model_version": 3,
            "subject_ref": ref,
            "environment": "production",
            "reason": "It ranks better.",
        }

    @pytest.fixture
    def promotion(self, api, body, ml_engineer) -> Promotion:
        with faces.fake_subjects():
            response = api(ml_engineer).post(f"{V1}promotions/", body, format="json")
        assert response.status_code == 201
        return Promotion.objects.get()

    def test_requesting_opens_the_review(self, promotion, api, validator, outsider):
        assert promotion.review.status == GateReview.Status.OPEN
        address = f"{V1}promotions/{promotion.pk}/"
        assert api(validator).get(address).json()["environment"] == "production"
        assert api(outsider).get(address).status_code == 404

    def test_withdrawn_by_the_requester(self, promotion, api, ml_engineer):
        response = api(ml_engineer).post(f"{V1}promotions/{promotion.pk}/withdraw/")
        assert response.json()["status"] == "withdrawn"

    def test_refused_without_the_role_and_the_refusal_is_kept(
        self, api, body, validator, auditor, ml_engineer
    ):
        with faces.fake_subjects():
            response = api(validator).post(f"{V1}promotions/", body, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "role_missing")
        assert not Promotion.objects.exists()

        def seen_by(user):
            return api(user).get(f"{V1}denied-attempts/").json()["results"]

        assert [one["code"] for one in seen_by(auditor)] == ["role_missing"]
        assert [one["code"] for one in seen_by(validator)] == ["role_missing"]
        assert seen_by(ml_engineer) == []

    def test_may_deploy_answers_with_reasons(self, promotion, api, validator, outsider):
        query = {"model": "term-deposit-calls", "version": 3, "environment": "production"}
        answer = api(validator).get(f"{V1}may-deploy/", query).json()
        assert (answer["allowed"], answer["promotion"]) == (False, promotion.pk)
        assert any("sign-off as validator" in reason for reason in answer["reasons"])
        assert answer["review_url"].endswith(f"/reviews/{promotion.review_id}/")
        stranger = api(outsider).get(f"{V1}may-deploy/", query).json()
        unknown = api(outsider).get(f"{V1}may-deploy/", {**query, "version": 9}).json()
        assert stranger["reasons"][0].replace("v3", "v9") == unknown["reasons"][0]
        assert (stranger["promotion"], stranger["review_url"]) == (None, "")

    def test_may_deploy_wants_all_three(self, api, validator):
        assert api(validator).get(f"{V1}may-deploy/", {"model": "m"}).status_code == 400
        assert APIClient().get(f"{V1}may-deploy/").status_code == 401


class TestFindings:
    def test_from_opened_to_closed(self, api, review, project, validator, data_scientist):
        body = {
            "project": project.slug,
            "subject_kind": "model_version",
            "subject_ref": review.subject_ref,
            "title": "Leak",
            "severity": "high",
            "owner": "sam",
            "due_on": "2030-01-31",
        }
        opened = api(validator).post(f"{V1}findings/", body, format="json")
        assert (opened.status_code, opened.json()["owner"]) == (201, "sam")
        address = f"{V1}findings/{opened.json()['id']}/"
        done = {"resolution": "Dropped the column."}
        fixed = api(data_scientist).post(f"{address}resolve/", done, format="json")
        assert fixed.json()["status"] == "resolved"
        own = api(data_scientist).post(f"{address}close/")
        assert (own.status_code, own.json()["code"]) == (403, "verifier_not_independent")
        assert api(validator).post(f"{address}close/").json()["status"] == "closed"

    def test_an_unknown_owner_is_refused(self, api, review, project, validator):
        body = {
            "project": project.slug,
            "subject_kind": "model_version",
            "subject_ref": review.subject_ref,
            "title": "Leak",
            "severity": "high",
            "owner": "nobody",
        }
        response = api(validator).post(f"{V1}findings/", body, format="json")
        assert (response.status_code, response.json()["code"]) == (400, "unknown_person")
        assert not Finding.objects.exists()


class TestWaiversAndDelegations:
    def test_a_waiver_is_granted_by_an_independent_role(self, api, token, review, risk_officer):
        body = {
            "review": review.pk,
            "requirement_key": "dataset",
            "reason": "The data gate is on Monday.",
            "compensating_control": "Nothing is deployed before.",
            "role": "risk_officer",
            "expires_at": (timezone.now() + timedelta(days=7)).isoformat(),
            "password": PASSWORD,
        }
        by_token = token(risk_officer).post(f"{V1}waivers/", body, format="json")
        assert (by_token.status_code, by_token.json()["code"]) == (403, "signing_needs_session")
        granted = api(risk_officer).post(f"{V1}waivers/", body, format="json")
        assert granted.status_code == 201
        address = f"{V1}waivers/{granted.json()['id']}/revoke/"
        assert api(risk_officer).post(address).json()["revoked_at"]

    def test_a_role_is_passed_on_and_taken_back(self, api, project, validator, risk_officer):
        now = timezone.now()
        body = {
            "project": project.slug,
            "role": "validator",
            "delegate": "rita",
            "reason": "Holidays",
            "valid_from": now.isoformat(),
            "valid_to": (now + timedelta(days=5)).isoformat(),
        }
        assert risk_officer.username == "rita"
        given = api(validator).post(f"{V1}delegations/", body, format="json")
        assert (given.status_code, given.json()["holder"]) == (201, "vera")
        address = f"{V1}delegations/{given.json()['id']}/revoke/"
        assert api(validator).post(address).json()["revoked_at"]


class TestLineage:
    def test_trace_of_a_model_version(self, api, review, validator, outsider):
        query = {"model": "term-deposit-calls", "version": 3}
        graph = api(validator).get(f"{V1}lineage/trace/", query).json()
        kinds = {node["kind"] for node in graph["nodes"]}
        assert {"model_version", "gate_review"} <= kinds
        assert graph["start"]["ref"] == review.subject_ref
        stranger = api(outsider).get(f"{V1}lineage/trace/", query)
        assert (stranger.status_code, stranger.json()["code"]) == (404, "no_lineage")
