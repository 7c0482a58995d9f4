"""A new version is hashed, read and copied by the server, from the bytes."""

import pickle
from pathlib import Path

import pytest
from django.conf import settings
from mlflow.exceptions import RestException

from governance.models import LineageEdge
from governance.subjects import resolve
from ledger.models import LedgerEntry
from pipeline.gateway.digest import file_digest, tree_digest
from pipeline.models import Job, ModelVersion
from projects import content_store
from tests.pipeline.gateway.conftest import EXPERIMENT, MODEL

pytestmark = pytest.mark.django_db(transaction=True)


def directory_of(version) -> Path:
    return Path(settings.ARTIFACT_ROOT) / version.artifact_path


def test_a_version_carries_the_digest_of_its_bytes_and_its_authors(registered, data_scientist):
    assert registered.files_digest == tree_digest(directory_of(registered))
    assert registered.registered_by == data_scientist
    assert registered.run.launched_by == data_scientist
    assert [column["name"] for column in registered.signature["inputs"]] == ["age", "calls"]
    assert registered.format_problem == ""
    assert LineageEdge.objects.filter(kind="produced", target__ref=registered.ref).exists()
    assert LedgerEntry.objects.filter(event="model_version.created").count() == 1


def test_the_files_are_copied_under_their_digests(registered):
    skops = directory_of(registered) / "model.skops"
    assert content_store.read(file_digest(skops)) == skops.read_bytes()


def test_a_pickled_model_is_taken_in_but_may_not_be_loaded(
    mlflow_server, data_scientist, small_model, tmp_path
):
    import mlflow.sklearn

    mlflow.sklearn.save_model(
        small_model.estimator,
        str(tmp_path / "model"),
        serialization_format="pickle",
        pip_requirements=["scikit-learn"],
    )
    client = mlflow_server.client(data_scientist)
    run = client.create_run(client.create_experiment(EXPERIMENT))
    model = client.create_logged_model(run.info.experiment_id, source_run_id=run.info.run_id)
    client.log_model_artifacts(model.model_id, str(tmp_path / "model"))
    client.create_registered_model(MODEL)
    client.create_model_version(MODEL, f"models:/{model.model_id}", model_id=model.model_id)
    version = ModelVersion.objects.get()
    assert "stored as pickle, which runs code" in version.format_problem
    assert resolve("model_version", version.ref).attributes["format_problem"]


def test_plain_files_without_mlmodel_have_a_reason_too(mlflow_server, data_scientist):
    client = mlflow_server.client(data_scientist)
    run = client.create_run(client.create_experiment(EXPERIMENT))
    client.log_text(run.info.run_id, pickle.dumps([1]).hex(), "model/model.pkl")
    client.create_registered_model(MODEL)
    source = f"{run.info.artifact_uri}/model"
    client.create_model_version(MODEL, source, run_id=run.info.run_id)
    version = ModelVersion.objects.get()
    assert version.format_problem.startswith("There is no MLmodel file")
    assert version.run.run_id == run.info.run_id


@pytest.mark.parametrize(
    "source", ["s3://bucket/model", "file:///etc", "/etc", "dbfs:/x", "models:/nothing/1"]
)
def test_files_from_elsewhere_are_refused(mlflow_server, registered, data_scientist, source):
    client = mlflow_server.client(data_scientist)
    with pytest.raises(RestException):
        client.create_model_version(MODEL, source)
    assert ModelVersion.objects.count() == 1
    assert len(client.search_model_versions(f"name='{MODEL}'")) == 1


def test_a_version_cannot_borrow_another_run(
    mlflow_server, registered, logged, data_scientist, small_model
):
    client = mlflow_server.client(data_scientist)
    better = client.create_run(logged.experiment_id)
    client.log_metric(better.info.run_id, "test_roc_auc", 0.99)
    with pytest.raises(RestException):
        client.create_model_version(
            MODEL, logged.model_uri, run_id=better.info.run_id, model_id=logged.model_id
        )
    assert ModelVersion.objects.count() == 1


def test_who_asked_for_the_job_launched_the_run(registered, data_scientist, ml_engineer):
    made = {"project": registered.model.project, "kind": "retrain"}
    Job.objects.create(
        **made, requested_by=ml_engineer, result={"model_version": registered.ref, "number": 1}
    )
    Job.objects.create(**made, requested_by=None, result={"model_version": registered.ref})
    facts = resolve("model_version", registered.ref)
    assert facts.authors["run"] == {data_scientist.pk, ml_engineer.pk}
    assert facts.authors["registration"] == {data_scientist.pk}


def test_facts_are_read_afresh(mlflow_server, registered, approved_scope, data_scientist):
    before = resolve("model_version", registered.ref)
    assert before.bindings["model_files"] == registered.files_digest
    assert before.bindings["scope"] == approved_scope.content_hash
    assert before.metrics == {"test_roc_auc": 0.78}
    assert before.attributes["seed"] == "7"
    assert before.authors["run"] == before.authors["registration"] == {data_scientist.pk}
    assert before.unmapped == ()
    with (directory_of(registered) / "model.skops").open("ab") as file:
        file.write(b"\0")
    client = mlflow_server.client(data_scientist)
    client.log_metric(registered.run.run_id, "test_roc_auc", 0.99)
    after = resolve("model_version", registered.ref)
    moved = {part for part in after.bindings if after.bindings[part] != before.bindings[part]}
    assert moved == {"model_files", "run"}
    registered.run.refresh_from_db()
    assert registered.run.metrics == {"test_roc_auc": 0.99}
