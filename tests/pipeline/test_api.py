"""The REST resources of this app, through the door."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ledger.models import LedgerEntry
from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Experiment,
    Job,
    Monitor,
    RetrainingPolicy,
)
from pipeline.services import jobs
from tests.pipeline.conftest import DATASHEET, csv_of, moment, rows_of

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def upload(api, project, data_scientist):
    def send(content=None, *, user=None, **form):
        file = SimpleUploadedFile("calls.csv", csv_of(rows_of(200)) if content is None else content)
        body = {
            "project": project.slug,
            "name": "calls",
            "separator": ";",
            "target": "y",
            "datasheet": json.dumps(DATASHEET),
            "file": file,
            **form,
        }
        return api(user or data_scientist).post(f"{V1}/datasets/", body, format="multipart")

    return send


@pytest.fixture
def watched(world, dataset):
    """One of everything."""
    deployment = world.deployment(world.version(run=world.run(dataset)))
    monitor = Monitor.objects.create(deployment=deployment)
    RetrainingPolicy.objects.create(deployment=deployment)
    DriftReport.objects.create(
        monitor=monitor,
        version=deployment.version,
        window_start=moment("2009-06-01"),
        window_end=moment("2009-07-01"),
        row_count=10,
        labelled_count=0,
        features=[],
        limits={"psi": 0.2},
    )
    return deployment


def test_a_dataset_is_uploaded_and_explored_in_the_background(upload, api, data_scientist):
    made = upload()
    assert made.status_code == 201, made.data
    assert (made.data["row_count"], made.data["positive"], made.data["registered_by"]) == (
        200,
        "yes",
        "sam",
    )
    asked = api(data_scientist).post(f"{V1}/datasets/{made.data['id']}/explore/")
    assert (asked.status_code, asked.data["status"]) == (202, "queued")
    jobs.run_job(asked.data["id"])
    done = api(data_scientist).get(f"{V1}/jobs/{asked.data['id']}/").data
    assert (done["status"], done["progress"]) == ("done", 100)


def test_a_project_is_named_by_number_or_slug(upload, project):
    assert upload(project=str(project.pk)).status_code == 201
    assert upload(project="nobody-knows").status_code == 404


@pytest.mark.parametrize(
    ("content", "form", "code"),
    [
        (b"", {}, "empty_file"),
        (csv_of(rows_of(20), ","), {}, "wrong_separator"),
        (csv_of(rows_of(20)), {"required_columns": ["income"]}, "missing_column"),
        (csv_of(rows_of(20)), {"numeric_columns": ["job"]}, "non_numeric_value"),
        (csv_of(rows_of(20)), {"target": "z"}, "missing_column"),
        (csv_of(rows_of(20)), {"datasheet": "{"}, "invalid_input"),
        (csv_of(rows_of(20)), {"datasheet": "[]"}, "wrong_datasheet"),
        (csv_of(rows_of(20)), {"name": "not a slug"}, "invalid_input"),
    ],
)
def test_a_bad_upload_is_refused_with_its_code_and_leaves_nothing(upload, content, form, code):
    answer = upload(content, **form)
    assert (answer.status_code, answer.data["code"]) == (400, code), answer.data
    assert answer["Content-Type"] == "application/problem+json"
    assert not DatasetVersion.objects.exists()
    assert not LedgerEntry.objects.filter(event="dataset.registered").exists()


def test_the_same_file_twice_names_the_version(upload):
    first = upload().data
    again = upload()
    assert (again.status_code, again.data["code"]) == (400, "dataset_already_registered")
    assert again.data["dataset"] == first["ref"]


def test_a_deployment_is_made_and_stopped(api, world, ml_engineer):
    client = api(ml_engineer)
    body = {"slug": "calls", "model": world.model.name, "environment": "production"}
    made = client.post(f"{V1}/deployments/", body, format="json")
    assert (made.status_code, made.data["status"]) == (201, "waiting"), made.data
    twice = client.post(f"{V1}/deployments/", body, format="json")
    assert (twice.status_code, twice.data["code"]) == (422, "deployment_exists")
    stopped = client.post(f"{V1}/deployments/{made.data['id']}/stop/", {"reason": "Replaced."})
    assert (stopped.data["status"], stopped.data["status_reason"]) == ("stopped", "Replaced.")
    again = client.post(f"{V1}/deployments/{made.data['id']}/stop/")
    assert again.status_code == 409


def test_a_deployment_made_later_takes_the_version_that_stands(api, world, ml_engineer):
    promotion = world.promotion(world.version(), "applied")
    body = {"slug": "calls", "model": world.model.name, "environment": "production"}
    made = api(ml_engineer).post(f"{V1}/deployments/", body, format="json").data
    assert (made["version"], made["promotion"], made["digest"]) == (
        1,
        promotion.pk,
        promotion.files_digest,
    )
    assert {column["name"] for column in made["input_schema"]} == {"age", "calls", "job", "rate"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"slug": "Not A Slug"}, 400, "wrong_slug"),
        ({"model": "unknown"}, 404, "not_found"),
        ({"environment": "moon"}, 404, "not_found"),
        ({"decision_threshold": 2}, 400, "wrong_threshold"),
        ({"input_schema": [{"name": "age"}]}, 400, "wrong_schema"),
        ({"input_schema": [{"name": "age", "type": "colour"}]}, 400, "wrong_schema"),
        ({"input_schema": [{"name": "age", "type": "long"}]}, 422, "signature_mismatch"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(api, world, ml_engineer, change, status, code):
    world.promotion(world.version(), "applied")
    body = {"slug": "calls", "model": world.model.name, "environment": "production", **change}
    answer = api(ml_engineer).post(f"{V1}/deployments/", body, format="json")
    assert (answer.status_code, answer.data["code"]) == (status, code), answer.data
    assert not Deployment.objects.exists()


def test_a_monitor_is_configured_changed_and_run(api, watched, ml_engineer):
    client = api(ml_engineer)
    body = {"deployment": watched.pk, "psi_limit": 0.3, "performance_limits": {"brier": 0.2}}
    made = client.post(f"{V1}/monitors/", body, format="json")
    assert (made.status_code, made.data["psi_limit"]) == (201, 0.3), made.data
    assert made.data["performance_limits"] == {"brier": 0.2}
    window = {"window_start": "2009-06-01T00:00:00Z", "window_end": "2009-07-02T00:00:00Z"}
    asked = client.post(f"{V1}/monitors/{made.data['id']}/run/", window, format="json")
    assert (asked.status_code, asked.data["kind"]) == (202, "monitor")
    jobs.run_job(asked.data["id"])
    job = client.get(f"{V1}/jobs/{asked.data['id']}/").data
    assert (job["status"], job["result"]["code"]) == ("failed", "no_predictions")
    retried = client.post(f"{V1}/jobs/{asked.data['id']}/retry/")
    assert retried.data["status"] == "queued"
    cancelled = client.post(f"{V1}/jobs/{asked.data['id']}/cancel/")
    assert cancelled.data["status"] == "cancelled"


def test_a_retraining_policy_is_configured_and_run(api, watched, ml_engineer):
    client = api(ml_engineer)
    body = {"deployment": watched.slug, "on_breach": False, "envelope": {"min_rows": 10}}
    made = client.post(f"{V1}/retraining-policies/", body, format="json")
    assert (made.status_code, made.data["on_breach"]) == (201, False), made.data
    asked = client.post(f"{V1}/retraining-policies/{made.data['id']}/run/")
    assert (asked.status_code, asked.data["kind"]) == (202, "retrain")


RESOURCES = (
    "datasets",
    "experiments",
    "runs",
    "model-versions",
    "deployments",
    "monitors",
    "drift-reports",
    "retraining-policies",
    "jobs",
)


@pytest.mark.parametrize("resource", RESOURCES)
def test_lists_show_insiders_their_rows_and_strangers_none(
    resource, api, watched, auditor, outsider, project
):
    Job.objects.create(project=project, kind="monitor", requested_as="system:schedule")
    assert len(api(auditor).get(f"{V1}/{resource}/").data["results"]) == 1
    assert api(outsider).get(f"{V1}/{resource}/").data["results"] == []
    row = api(auditor).get(f"{V1}/{resource}/").data["results"][0]["id"]
    assert api(auditor).get(f"{V1}/{resource}/{row}/").status_code == 200
    assert api(outsider).get(f"{V1}/{resource}/{row}/").status_code == 404


@pytest.fixture
def crowd(watched, world, project):
    for number in range(2, 8):
        world.version(number, run=watched.version.run)
        Experiment.objects.create(
            experiment_id=f"e{number}", name=f"{project.slug}/{number}", project=project
        )
        Job.objects.create(project=project, kind="monitor", requested_as="system:schedule")
        DatasetVersion.objects.create(
            project=project, name="more", number=number, digest=str(number),
            content_digest="", target="y", row_count=1, columns=[],
        )  # fmt: skip


@pytest.mark.parametrize("resource", ["datasets", "experiments", "model-versions", "jobs"])
def test_lists_cost_the_same_queries_however_long(
    resource, api, crowd, auditor, django_assert_max_num_queries
):
    with django_assert_max_num_queries(3):
        rows = api(auditor).get(f"{V1}/{resource}/").data["results"]
    assert len(rows) >= 6
