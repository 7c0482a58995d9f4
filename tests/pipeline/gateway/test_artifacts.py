"""Files stay within the project, and stay as they are once a review has opened."""

from pathlib import Path

import pytest
from django.conf import settings

from governance.models import DeniedAttempt
from tests.pipeline.gateway.conftest import MODEL

pytestmark = pytest.mark.django_db(transaction=True)
ROUTE = "/api/2.0/mlflow-artifacts/artifacts"


def skops_of(version) -> Path:
    return Path(settings.ARTIFACT_ROOT) / version.artifact_path / "model.skops"


def test_files_can_be_replaced_only_until_a_review_opens(
    mlflow_server, registered, request, data_scientist
):
    path = f"{ROUTE}/{registered.artifact_path}/notes.txt"
    assert mlflow_server.call(data_scientist, "PUT", path, data=b"before").status_code == 200
    skops_of(registered).with_name("notes.txt").unlink()
    request.getfixturevalue("under_review")
    before = skops_of(registered).read_bytes()
    for target in ("model.skops", "notes.txt", "deeper/notes.txt"):
        url = f"{ROUTE}/{registered.artifact_path}/{target}"
        answer = mlflow_server.call(data_scientist, "PUT", url, data=b"after")
        assert (answer.status_code, answer.json()["code"]) == (403, "version_frozen")
    assert skops_of(registered).read_bytes() == before
    assert not skops_of(registered).with_name("notes.txt").exists()
    assert DeniedAttempt.objects.filter(action="registry.write_artifact").count() == 3


def test_a_frozen_file_cannot_be_deleted_from_any_height(
    mlflow_server, under_review, data_scientist
):
    from pipeline.models import ModelVersion

    version = ModelVersion.objects.get()
    parts = [*version.artifact_path.split("/"), "model.skops"]
    for steps in range(4):
        path = "/".join(parts[: len(parts) - steps])
        answer = mlflow_server.call(data_scientist, "DELETE", f"{ROUTE}/{path}")
        assert answer.status_code == 403, (path, answer.text)
        assert skops_of(version).is_file(), path


WAYS_OUT = [
    "../countersign.sqlite3",
    "..%2Fcountersign.sqlite3",
    "%2e%2e/countersign.sqlite3",
    "1/%252e%252e/%252e%252e/x",
    "1/../../x",
    "/etc/passwd",
]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_path_leads_out_of_the_store(mlflow_server, registered, data_scientist, method):
    for path in WAYS_OUT:
        answer = mlflow_server.call(data_scientist, method, f"{ROUTE}/{path}", data=b"x")
        assert answer.status_code in {308, 400, 403, 404, 405}, (path, answer.text)
        assert not (Path(settings.ARTIFACT_ROOT).parent / "x").exists(), path
        assert not (Path(settings.ARTIFACT_ROOT) / "etc").exists(), path


def test_a_stranger_reads_and_writes_no_files(mlflow_server, registered, logged, outsider):
    url = f"{ROUTE}/{registered.artifact_path}/MLmodel"
    assert mlflow_server.call(outsider, "GET", url).status_code == 404
    assert mlflow_server.call(outsider, "PUT", url, data=b"x").status_code in {403, 404}
    listing = mlflow_server.call(outsider, "GET", f"{ROUTE}?path={logged.experiment_id}")
    assert listing.status_code == 404


def test_nobody_lists_the_whole_store(mlflow_server, registered, data_scientist):
    assert mlflow_server.call(data_scientist, "GET", ROUTE).status_code == 404


@pytest.mark.parametrize("role", ["auditor", "ml_engineer"])
def test_only_the_launcher_writes_files_of_a_run_and_its_model(
    mlflow_server, registered, logged, request, role
):
    other = request.getfixturevalue(role)
    run_file = f"{ROUTE}/{logged.experiment_id}/{logged.run_id}/artifacts/x.txt"
    model_file = f"{ROUTE}/{registered.artifact_path}/model.skops"
    before = skops_of(registered).read_bytes()
    for url in (run_file, model_file):
        assert mlflow_server.call(other, "PUT", url, data=b"x").status_code == 403
    assert skops_of(registered).read_bytes() == before


def test_members_download_what_was_logged(mlflow_server, registered, auditor, tmp_path):
    client = mlflow_server.client(auditor)
    uri = client.get_model_version_download_uri(MODEL, "1")
    answer = mlflow_server.call(auditor, "GET", f"{ROUTE}/{registered.artifact_path}/model.skops")
    assert answer.content == skops_of(registered).read_bytes()
    assert uri == f"mlflow-artifacts:/{registered.artifact_path}"


def test_a_large_upload_is_streamed_to_disk(mlflow_server, logged, data_scientist):
    data = b"0123456789abcdef" * (3 * 1024 * 1024)
    path = f"{logged.experiment_id}/{logged.run_id}/artifacts/large.bin"
    answer = mlflow_server.call(data_scientist, "PUT", f"{ROUTE}/{path}", data=data)
    assert answer.status_code == 200
    assert (Path(settings.ARTIFACT_ROOT) / path).stat().st_size == len(data)
