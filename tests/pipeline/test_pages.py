"""The pages of this app: who sees what, and that they hold to the content policy."""

import re

import pytest

from governance.services import promotions
from pipeline.models import DriftReport, Job, Monitor, RetrainingPolicy
from projects import content_store
from projects.actors import system
from tests.pipeline.conftest import moment

pytestmark = pytest.mark.django_db
HEALTH = "/deployments/calls/"


@pytest.fixture
def healthy(world, settings):
    deployment = world.deployment(world.version(), status="serving")
    monitor = Monitor.objects.create(deployment=deployment)
    RetrainingPolicy.objects.create(deployment=deployment, envelope={"min_rows": 500})
    row = {"feature": "rate", "psi": 1.4, "p_value": 0.0, "missing_rate": 0.0, "breached": True}
    DriftReport.objects.create(
        monitor=monitor,
        version=deployment.version,
        window_start=moment("2009-06-01"),
        window_end=moment("2009-12-01"),
        row_count=1234,
        labelled_count=1000,
        features=[row, {**row, "feature": "age", "psi": 0.02, "breached": False}],
        performance={"roc_auc": 0.7123},
        limits={"psi": 0.2, "performance": {"roc_auc": 0.6}},
        breaches=["rate has drifted: its population stability index is 1.40."],
        plots=[{"title": "Drift by feature", "attachment": content_store.put(b"<svg></svg>")}],
    )
    Job.objects.create(
        project=deployment.project,
        kind="retrain",
        status="running",
        progress=40,
        message="Tuning.",
        requested_as="system:monitoring",
    )
    return deployment


def shown(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    main = page[page.index("<h1>") :]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", main)
    return page


def test_the_health_page_shows_version_decision_drift_performance_and_jobs(
    healthy, client_for, auditor
):
    page = shown(client_for(auditor), HEALTH)
    assert "term-deposit-calls v1" in page
    assert healthy.promotion.files_digest in page
    assert f"/reviews/{healthy.promotion.review_id}/" in page
    assert "rate has drifted" in page
    assert page.index(">rate<") < page.index(">age<"), "worst first"
    assert "0.7123" in page
    assert 'value="40"' in page
    assert "Tuning." in page
    assert "min rows: 500" in page


def test_a_suspended_approval_shows_before_the_next_request_meets_it(healthy, client_for, auditor):
    reason = "The monitor fired."
    promotions.suspend_promotion(healthy.promotion, actor=system("monitoring"), reason=reason)
    page = shown(client_for(auditor), HEALTH)
    assert "Scoring is refused" in page
    assert "The monitor fired." in page


def test_a_new_deployment_says_what_comes_next(world, client_for, auditor):
    world.deployment()
    page = shown(client_for(auditor), HEALTH)
    assert "nothing is promoted yet" in page
    assert "has not looked at a window yet" in page


def test_the_lists_show_insiders_theirs(healthy, client_for, auditor, outsider):
    assert HEALTH in shown(client_for(auditor), "/deployments/")
    assert "Retrain" in shown(client_for(auditor), "/jobs/")
    assert HEALTH not in shown(client_for(outsider), "/deployments/")
    assert "No job has run" in shown(client_for(outsider), "/jobs/")


def test_a_stranger_gets_no_page_and_no_plot(healthy, client_for, outsider):
    report = DriftReport.objects.get()
    client = client_for(outsider)
    assert client.get(HEALTH).status_code == 404
    assert client.get(f"/drift-reports/{report.pk}/plots/0.svg").status_code == 404


def test_nobody_in_particular_is_sent_to_sign_in(healthy, client):
    assert client.get(HEALTH).status_code == 302


def test_a_plot_is_sent_as_a_picture_in_which_nothing_runs(healthy, client_for, auditor):
    report = DriftReport.objects.get()
    answer = client_for(auditor).get(f"/drift-reports/{report.pk}/plots/0.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer.content == b"<svg></svg>"
    missing = client_for(auditor).get(f"/drift-reports/{report.pk}/plots/7.svg")
    assert missing.status_code == 404


def test_the_health_page_costs_a_fixed_number_of_queries(
    healthy, client_for, auditor, django_assert_max_num_queries
):
    client = client_for(auditor)
    shown(client, HEALTH)
    monitor = Monitor.objects.get()
    for month in range(1, 6):
        DriftReport.objects.create(
            monitor=monitor,
            version=healthy.version,
            window_start=moment(f"2010-0{month}-01"),
            window_end=moment(f"2010-0{month}-28"),
            row_count=1,
            labelled_count=0,
            features=[],
            limits={"psi": 0.2},
        )
    with django_assert_max_num_queries(20):
        shown(client, HEALTH)


def test_every_admin_list_opens(healthy, client_for, superuser):
    client = client_for(superuser)
    for model in (
        "datasetversion", "experiment", "run", "registeredmodel", "modelversion", "deployment",
        "prediction", "monitor", "driftreport", "retrainingpolicy", "job",
    ):  # fmt: skip
        assert client.get(f"/admin/pipeline/{model}/").status_code == 200, model
    detail = client.get(f"/admin/pipeline/deployment/{healthy.pk}/change/")
    assert detail.status_code == 200
    assert client.post(f"/admin/pipeline/deployment/{healthy.pk}/change/", {}).status_code == 403
