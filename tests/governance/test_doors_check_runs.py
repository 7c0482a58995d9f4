"""Checks that take work, through the doors: page, REST and admin."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.models import CheckRun
from governance.services import check_runs
from governance.services.check_runs import Answer
from projects.actors import system
from tests import working_policy
from tests.factories import UserFactory, install_policies, session_actor
from tests.governance import faces

pytestmark = pytest.mark.django_db
CHECKS = system("checks")


@pytest.fixture
def review(project, lead, data_scientist, settings, tmp_path):
    working_policy.install(settings, tmp_path / "policies")
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


@pytest.fixture
def run(review, validator):
    return check_runs.request_check_run(review, "floor", actor=session_actor(validator))


def started(run):
    assert check_runs.claim_check_run(run, worker="job:1", actor=CHECKS)
    return run


def page_of(client, review):
    return client.get(f"/reviews/{review.pk}/").content.decode()


def test_the_page_starts_a_check_and_asks_for_itself_while_it_runs(client_for, validator, review):
    browser = client_for(validator)
    part = f'hx-get="/reviews/{review.pk}/check-runs/"'
    before = page_of(browser, review)
    assert "Nobody has asked for this yet." in before
    assert part not in before
    answer = browser.post(f"/reviews/{review.pk}/check-runs/start/", {"key": "floor"})
    assert answer["Location"] == f"/reviews/{review.pk}/#check-runs"
    run = CheckRun.objects.get()
    assert (run.status, run.requested_as) == ("queued", f"user:{validator.pk}")
    assert part in page_of(browser, review)


def test_the_part_alone_shows_progress_and_then_the_whole_page(client_for, validator, review, run):
    started(run)
    check_runs.report_progress(run, 40, "Fitting.")
    browser = client_for(validator)
    address = f"/reviews/{review.pk}/check-runs/"
    answer = browser.get(address, headers={"HX-Request": "true"})
    body = answer.content.decode()
    assert 'max="100" value="40"' in body
    assert "Fitting." in body
    assert "<html" not in body
    assert "HX-Refresh" not in answer
    check_runs.finish_check_run(run, Answer("pass", "It holds."), actor=CHECKS)
    answer = browser.get(address, headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert 'hx-trigger="every 2s"' not in answer.content.decode()
    assert browser.get(address).status_code == 302


@pytest.mark.parametrize("act", ["cancel", "retry"])
def test_the_page_cancels_and_tries_again(client_for, validator, review, run, act):
    if act == "retry":
        check_runs.cancel_check_run(run, actor=session_actor(validator))
    browser = client_for(validator)
    assert f'action="/check-runs/{run.pk}/{act}/"' in page_of(browser, review)
    browser.post(f"/check-runs/{run.pk}/{act}/")
    run.refresh_from_db()
    assert run.status == {"cancel": "cancelled", "retry": "queued"}[act]


def test_a_result_of_an_earlier_state_is_shown_as_stale(client_for, validator, review, run):
    started(run)
    check_runs.finish_check_run(run, Answer("pass", "It holds."), actor=CHECKS)
    CheckRun.objects.update(bindings_digest="0" * 64)
    shown = page_of(client_for(validator), review)
    assert "for an earlier state" in shown
    assert "Run again" in shown


def test_pages_hold_nothing_that_the_strict_policy_blocks(client_for, validator, review, run):
    started(run)
    answer = client_for(validator).get(f"/reviews/{review.pk}/")
    assert list(faces.offences_in(answer)) == []


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/reviews/{review}/check-runs/start/", {"key": "again"}),
        ("/check-runs/{run}/cancel/", {}),
        ("/check-runs/{run}/retry/", {}),
    ],
)
def test_who_may_not_changes_nothing_on_the_page(
    address, body, client_for, auditor, outsider, run
):  # fmt: skip
    place = address.format(review=run.review_id, run=run.pk)
    assert client_for(outsider).post(place, body).status_code == 404
    told = client_for(auditor).post(place, body, follow=True).content.decode()
    assert "may not" in told
    assert list(CheckRun.objects.values_list("status", flat=True)) == ["queued"]


def test_an_auditor_sees_the_state_and_no_button(client_for, auditor, review, run):
    shown = page_of(client_for(auditor), review)
    assert f"Check run {run.pk}" in shown
    assert "/check-runs/start/" not in shown
    assert f"/check-runs/{run.pk}/cancel/" not in shown


# --- REST -----------------------------------------------------------------------------------------


def address(review):
    return f"/api/v1/gate-reviews/{review.pk}/run-checks/"


def test_rest_asks_for_one_or_for_all_that_have_no_result(api, validator, review):
    rest = api(validator)
    answer = rest.post(address(review), {"keys": ["floor"]}, format="json")
    assert answer.status_code == 201
    assert [one["key"] for one in answer.json()] == ["floor"]
    answer = rest.post(address(review), {}, format="json")
    assert [one["key"] for one in answer.json()] == ["again"]
    answer = rest.post(address(review), {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_check_to_run")
    assert CheckRun.objects.count() == 2


def test_rest_refuses_a_check_that_is_under_way_or_takes_no_work(api, validator, review, run):
    rest = api(validator)
    answer = rest.post(address(review), {"keys": ["again", "floor"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "check_is_running")
    answer = rest.post(address(review), {"keys": ["criteria"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "takes_no_work")
    # Of several none is asked for when one cannot be.
    assert CheckRun.objects.get() == run


def test_a_review_over_rest_lists_its_runs_and_whether_the_caller_may_start_them(
    api, validator, auditor, review, run
):
    for user, allowed in ((validator, True), (auditor, False)):
        body = api(user).get(f"/api/v1/gate-reviews/{review.pk}/").json()
        assert [one["id"] for one in body["check_runs"]] == [run.pk]
        acts = {one["action"]: one["allowed"] for one in body["allowed_actions"]}
        assert acts["run-checks"] is allowed


def test_rest_lists_cancels_and_retries(api, validator, run):
    rest = api(validator)
    listed = rest.get("/api/v1/check-runs/?status=queued").json()["results"]
    assert [one["id"] for one in listed] == [run.pk]
    answer = rest.post(f"/api/v1/check-runs/{run.pk}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert rest.post(f"/api/v1/check-runs/{run.pk}/cancel/").status_code == 409
    answer = rest.post(f"/api/v1/check-runs/{run.pk}/retry/")
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert rest.post(f"/api/v1/check-runs/{run.pk}/retry/").status_code == 409


def test_rest_keeps_out_who_may_not(api, auditor, outsider, review, run):
    addresses = [
        address(review),
        *(f"/api/v1/check-runs/{run.pk}/{act}/" for act in ("cancel", "retry")),
    ]
    for place in addresses:
        assert api(auditor).post(place, {}, format="json").status_code == 403
        assert api(outsider).post(place, {}, format="json").status_code == 404
    assert api(outsider).get("/api/v1/check-runs/").json()["results"] == []
    assert api(outsider).get(f"/api/v1/check-runs/{run.pk}/").status_code == 404
    run.refresh_from_db()
    assert (run.status, CheckRun.objects.count()) == ("queued", 1)


def test_a_list_of_runs_costs_the_same_whatever_its_length(api, validator, review, run):
    rest = api(validator)
    with CaptureQueriesContext(
        connection,
    ) as one:
        rest.get("/api/v1/check-runs/")
    CheckRun.objects.bulk_create(
        CheckRun(
            review=review, key=f"k{number}", kind="script", bindings_digest="0" * 64,
            requested_as="user:1",
        )
        for number in range(20)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        assert len(rest.get("/api/v1/check-runs/").json()["results"]) == 21
    assert len(many) == len(one)


# --- Links to facts -------------------------------------------------------------------------------


def test_every_requirement_links_to_the_fact_that_was_read(client_for, validator, review):
    shown = page_of(client_for(validator), review)
    for link in (
        'href="/mlflow/#/runs/0f3a9b1c2d3e4f50"',
        'href="/mlflow/#/models/term-deposit-calls/versions/3"',
        "<dt>judged by</dt><dd>countersign-ml ",
    ):
        assert link in shown
    assert f"({'b' * 12})" in shown


def test_rest_gives_what_was_compared_and_from_where(api, validator, review):
    body = api(validator).get(f"/api/v1/gate-reviews/{review.pk}/").json()
    found = {one["key"]: one["detail"] for one in body["requirements"]}
    assert found["run"]["compared"]["value"] == "FINISHED"
    assert found["run"]["source"] == [
        {"ref": "run:0f3a9b1c2d3e4f50", "digest": "b" * 64, "label": ""}
    ]
    for detail in found.values():
        assert detail["evaluated_at"]
        assert detail["check_version"].startswith("countersign-ml ")


# --- Admin ----------------------------------------------------------------------------------------


def test_the_admin_shows_runs_and_changes_none(client_for, run):
    browser = client_for(UserFactory(username="root", is_superuser=True))
    place = reverse("admin:governance_checkrun_change", args=[run.pk])
    assert browser.get(place).status_code == 200
    assert "floor" in browser.get(reverse("admin:governance_checkrun_changelist")).content.decode()
    assert browser.post(place, {"status": "done"}).status_code == 403
    run.refresh_from_db()
    assert run.status == "queued"
