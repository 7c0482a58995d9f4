"""The inbox, the list of reviews, the page of one review, findings, evidence and lineage."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import Evidence, Finding, GateReview, LineageNode, Promotion
from governance.services import delegations, findings, lineage, reviews
from governance.services.evaluating import latest_results
from governance.services.evidence import Material, record_evidence
from governance.services.inbox import waiting_count
from projects import content_store
from tests.factories import UserFactory, install_policies, session_actor
from tests.governance import faces


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


@pytest.fixture
def finding(project, review, validator) -> Finding:
    about = ("model_version", review.subject_ref)
    new = findings.NewFinding(
        project, *about, "Drift of pdays", "It moved.", "medium", {"psi": 0.3}
    )
    return findings.open_finding(new, actor=session_actor(validator))


@pytest.fixture
def node(project) -> LineageNode:
    """A model version between its scope and its predictions."""
    scope = lineage.record_node(
        lineage.Node("scope", "scoping_document:1", "Scope"), project=project
    )
    version = lineage.record_node(
        lineage.Node("model_version", "model_version:30", "team/model v3", "a" * 64),
        project=project,
    )
    served = lineage.record_node(
        lineage.Node("predictions", "predictions:1", "<Predictions>"), project=project
    )
    lineage.record_edge(scope, version, "judged_against")
    lineage.record_edge(version, served, "answered")
    return version


ADDRESSES = [
    "/inbox/",
    "/reviews/",
    "/reviews/{review}/",
    "/findings/{finding}/",
    "/evidence/{evidence}/content/",
    "/lineage/",
    "/lineage/team/model/3/",
]
OPEN_TO_ALL = {"/inbox/", "/reviews/", "/lineage/"}


@pytest.fixture
def places(review, finding, node):
    plot = Evidence.objects.get(kind="plot")
    return {"review": review.pk, "finding": finding.pk, "evidence": plot.pk}


@pytest.mark.parametrize("address", ADDRESSES)
def test_anonymous_is_led_to_the_sign_in(address, places, client):
    response = client.get(address.format(**places))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_insiders_see_and_strangers_do_not(address, places, client_for, validator, outsider):
    place = address.format(**places)
    assert client_for(validator).get(place).status_code == 200
    stranger = client_for(outsider).get(place)
    assert stranger.status_code == (200 if address in OPEN_TO_ALL else 404)
    assert b"term-deposit-calls v3" not in stranger.content


@pytest.mark.parametrize("address", [a for a in ADDRESSES if "content" not in a])
def test_pages_hold_nothing_that_the_strict_policy_blocks(address, places, client_for, validator):
    response = client_for(validator).get(address.format(**places))
    assert list(faces.offences_in(response)) == []
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_review_page_shows_what_a_signer_needs(client_for, validator, review):
    reviews.give_feedback(review, actor=session_actor(validator), text="Watch <pdays>.")
    page = client_for(validator).get(f"/reviews/{review.pk}/").content.decode()
    for shown in (
        "Champion against challenger",
        "+0.02",
        "The training run finished",
        "/mlflow/#/runs/0f3a9b1c2d3e4f50",
        review.bindings["model_files"],
        "Who may sign",
        "A sign-off as validator is missing",
        "Watch &lt;pdays&gt;.",
        "Gate review requested",
    ):
        assert shown in page


def test_the_comparison_shows_intervals_slices_that_got_worse_and_tables(
    client_for, validator, project, lead, data_scientist
):
    install_policies()
    ref = faces.put_model(project, author=data_scientist)
    metric = {
        "metric": "roc_auc", "champion": 0.77, "champion_low": 0.75, "champion_high": 0.79,
        "challenger": 0.8, "challenger_low": 0.78, "challenger_high": 0.82, "difference": 0.03,
        "low": 0.01, "high": 0.05, "winner": "challenger",
    }  # fmt: skip
    part = {"slice": "job=retired", "rows": 90, "champion": 0.8, "challenger": 0.7}
    part |= {"difference": -0.1, "low": -0.2, "high": -0.03, "winner": "champion"}
    about = Material(project, "model_version", ref, "champion_comparison", "Against v2")
    plot = replace(about, kind="plot", title="Gain", content=faces.PIXEL)
    table = {"table": [{"share_called": 0.1, "found": 0.4}]}
    with faces.fake_subjects():
        actor = session_actor(data_scientist)
        record_evidence(replace(about, data={"metrics": [metric], "slices": [part]}), actor=actor)
        record_evidence(replace(plot, media_type="image/svg+xml", data=table), actor=actor)
    review = faces.ask_for(project, session_actor(lead), "model_version", ref)
    page = client_for(validator).get(f"/reviews/{review.pk}/").content.decode()
    for shown in ("0.78 to 0.82", "+0.01 to +0.05", "Worse beyond chance: job=retired.",
                  "-0.2 to -0.03, worse", "The same as a table", "share called"):  # fmt: skip
        assert shown in page


def test_the_pages_cost_the_same_whatever_they_list(
    client_for, validator, review, project, lead, data_scientist
):
    client = client_for(validator)

    def queries(address):
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    before = {address: queries(address) for address in ("/inbox/", "/reviews/", "/lineage/")}
    for number in range(4, 8):
        ref = faces.put_model(project, author=data_scientist, number=number)
        faces.ask_for(project, session_actor(lead), "model_version", ref)
    assert {address: queries(address) for address in before} == before


def test_what_waits_is_one_query_and_by_role(
    review, validator, business_owner, ml_engineer, outsider, django_assert_num_queries
):
    assert waiting_count(validator) == 1
    with django_assert_num_queries(1):
        assert [waiting_count(user) for user in (business_owner,)] == [1]
    assert waiting_count(ml_engineer) == 0
    assert waiting_count(outsider) == 0


def test_a_delegated_right_brings_the_review_into_the_inbox(
    client_for, review, project, validator, risk_officer
):
    assert waiting_count(risk_officer) == 0
    now = timezone.now()
    away = delegations.NewDelegation(
        project, "validator", risk_officer, "Holidays", now - timedelta(hours=1),
        now + timedelta(days=7),
    )  # fmt: skip
    delegations.delegate(away, actor=session_actor(validator))
    page = client_for(risk_officer).get(f"/reviews/{review.pk}/").content.decode()
    assert waiting_count(risk_officer) == 1
    assert "Rita for Vera" in page


def test_the_list_filters_and_survives_nonsense(client_for, validator, review):
    client = client_for(validator)
    assert b"term-deposit-calls v3" in client.get("/reviews/?status=open").content
    assert b"No review fits" in client.get("/reviews/?status=approved").content
    assert client.get("/reviews/?status=sleeping&project=none&page=99").status_code == 200


class TestCommands:
    def test_evaluating_again_writes_an_evaluation(self, client_for, ml_engineer, review):
        with faces.fake_subjects():
            response = client_for(ml_engineer).post(f"/reviews/{review.pk}/evaluate/", follow=True)
        assert b"were evaluated again" in response.content
        assert latest_results(review)[0].evaluation == 2

    def test_an_auditor_is_told_no(self, client_for, auditor, review):
        with faces.fake_subjects():
            response = client_for(auditor).post(f"/reviews/{review.pk}/evaluate/", follow=True)
        assert response.status_code == 200
        assert b"may not do this" in response.content
        assert latest_results(review)[0].evaluation == 1

    def test_the_lead_withdraws(self, client_for, lead, review):
        client_for(lead).post(f"/reviews/{review.pk}/withdraw/")
        review.refresh_from_db()
        assert review.status == GateReview.Status.WITHDRAWN

    def test_a_moved_part_offers_to_bind_anew(
        self, client_for, lead, review, project, data_scientist
    ):
        faces.put_model(
            project, author=data_scientist, bindings={"model_files": "a" * 64, "run": "d" * 64}
        )
        client = client_for(lead)
        with faces.fake_subjects():
            client.post(f"/reviews/{review.pk}/evaluate/")
            page = client.get(f"/reviews/{review.pk}/").content.decode()
            assert "Bind to the present state" in page
            client.post(f"/reviews/{review.pk}/refresh/")
        old = review.bindings_digest
        review.refresh_from_db()
        assert review.bindings_digest != old

    def test_feedback_is_kept_and_empty_feedback_is_not(self, client_for, validator, review):
        client = client_for(validator)
        client.post(f"/reviews/{review.pk}/feedback/", {"text": "Sound."})
        client.post(f"/reviews/{review.pk}/feedback/", {"text": " "})
        assert [opinion.text for opinion in review.feedback.all()] == ["Sound."]

    def test_suspending_needs_a_reason(self, client_for, risk_officer, review):
        client = client_for(risk_officer)
        client.post(f"/reviews/{review.pk}/suspend/", {"reason": " "})
        review.refresh_from_db()
        assert review.status == GateReview.Status.OPEN
        client.post(f"/reviews/{review.pk}/suspend/", {"reason": "Drift."})
        review.refresh_from_db()
        assert (review.status, review.status_reason) == (GateReview.Status.SUSPENDED, "Drift.")

    def test_a_stranger_gets_404_from_every_command(self, client_for, outsider, review, finding):
        client = client_for(outsider)
        for verb in ("evaluate", "withdraw", "refresh", "suspend", "feedback", "sign"):
            assert client.post(f"/reviews/{review.pk}/{verb}/").status_code == 404
        for verb in ("resolve", "reopen", "close"):
            assert client.post(f"/findings/{finding.pk}/{verb}/").status_code == 404


class TestFinding:
    def test_resolved_by_one_and_closed_by_another(
        self, client_for, finding, data_scientist, validator
    ):
        done = {"resolution": "Dropped the column."}
        solver = client_for(data_scientist)
        solver.post(f"/findings/{finding.pk}/resolve/", done)
        page = solver.post(f"/findings/{finding.pk}/close/", follow=True)
        assert b"cannot verify it" in page.content
        finding.refresh_from_db()
        assert finding.status == Finding.Status.RESOLVED
        client_for(validator).post(f"/findings/{finding.pk}/close/")
        finding.refresh_from_db()
        assert finding.status == Finding.Status.CLOSED

    def test_sent_back_with_a_reason(self, client_for, finding, data_scientist, validator):
        client_for(data_scientist).post(f"/findings/{finding.pk}/resolve/", {"resolution": "Done."})
        checker = client_for(validator)
        checker.post(f"/findings/{finding.pk}/reopen/", {"reason": "Still there."})
        finding.refresh_from_db()
        assert finding.status == Finding.Status.OPEN


class TestEvidence:
    def test_a_picture_is_harmless(self, client_for, validator, review):
        plot = Evidence.objects.get(kind="plot")
        response = client_for(validator).get(f"/evidence/{plot.pk}/content/")
        assert b"".join(response.streaming_content) == faces.PIXEL
        assert response["Content-Type"] == "image/svg+xml"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"].endswith("sandbox")

    def test_a_page_in_disguise_is_downloaded(self, client_for, validator, review, project):
        held = content_store.put(b"<script>alert(1)</script>")
        evil = Evidence.objects.create(
            project=project, subject_kind="model_version", subject_ref="model_version:3",
            kind="notes", title="Notes", attachment=held, media_type="text/html", digest="0" * 64,
            produced_as="user:1",
        )  # fmt: skip
        response = client_for(validator).get(f"/evidence/{evil.pk}/content/")
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Type"] == "application/octet-stream"

    def test_without_a_file_there_is_nothing(self, client_for, validator, review):
        comparison = Evidence.objects.get(kind="champion_comparison")
        assert client_for(validator).get(f"/evidence/{comparison.pk}/content/").status_code == 404


class TestLineage:
    def test_the_picture_and_the_tables_agree(self, client_for, validator, node):
        page = client_for(validator).get("/lineage/team/model/3/").content.decode()
        assert page.count('class="lineage__edge"') == 2
        assert page.count('class="lineage__node ') == 3
        assert "judged against" in page
        assert "&lt;Predictions&gt;" in page

    def test_what_lies_in_another_project_is_left_out(self, client_for, validator, node):
        from tests.factories import ProjectFactory

        hidden = lineage.record_node(
            lineage.Node("deployment", "deployment:9", "hidden deployment"),
            project=ProjectFactory(created_by=UserFactory()),
        )
        lineage.record_edge(node, hidden, "deployed_as")
        page = client_for(validator).get("/lineage/team/model/3/").content.decode()
        assert "hidden deployment" not in page

    def test_search_finds_by_name_and_digest(self, client_for, validator, node):
        client = client_for(validator)
        for wanted in ("team/", "aaaa"):
            assert b"team/model v3" in client.get("/lineage/", {"q": wanted}).content
        assert b"No model version fits" in client.get("/lineage/", {"q": "zzz"}).content

    def test_an_unknown_version_is_a_404(self, client_for, validator, node):
        assert client_for(validator).get("/lineage/team/model/9/").status_code == 404


class TestAskingForAPromotion:
    @pytest.fixture
    def version(self, project, data_scientist):
        install_policies()
        ref = faces.put_model(project, author=data_scientist)
        node = lineage.Node("model_version", ref, "term-deposit-calls v3", "a" * 64)
        return lineage.record_node(node, project=project)

    PAGE = "/lineage/term-deposit-calls/3/"

    def test_opens_the_review_of_the_environments_gate(self, client_for, ml_engineer, version):
        assert b"Request promotion" in client_for(ml_engineer).get(self.PAGE).content
        body = {"environment": "production", "reason": "It ranks better."}
        with faces.fake_subjects():
            answer = client_for(ml_engineer).post(f"{self.PAGE}promotion/", body)
        asked = Promotion.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/reviews/{asked.review_id}/")
        assert (asked.requested_by, asked.reason) == (ml_engineer, "It ranks better.")

    def test_is_refused_without_the_role_and_to_a_place_that_is_none(
        self, client_for, auditor, ml_engineer, outsider, version
    ):
        assert b"Request promotion" not in client_for(auditor).get(self.PAGE).content
        with faces.fake_subjects():
            for user, place in ((auditor, "production"), (ml_engineer, "nowhere")):
                answer = client_for(user).post(f"{self.PAGE}promotion/", {"environment": place})
                assert (answer.status_code, answer["Location"]) == (302, self.PAGE)
            assert client_for(outsider).post(f"{self.PAGE}promotion/").status_code == 404
        assert not Promotion.objects.exists()
