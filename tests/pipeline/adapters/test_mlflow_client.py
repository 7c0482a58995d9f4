"""The client side: a whole run in one call, and clear errors when it cannot be logged."""

import os
import time

import pytest

from pipeline.adapters import registry
from pipeline.adapters.mlflow_client import DatasetUse, MlflowGateway, RunToLog
from pipeline.gateway.service_tokens import token_for
from pipeline.models import ModelVersion, Run
from projects.actors import system
from projects.errors import InvalidInput, NotPermitted, Unavailable
from tests.factories import SprintFactory, session_actor
from tests.pipeline.gateway.conftest import EXPERIMENT, MODEL

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_is_logged_whole(mlflow_server, project, data_scientist, small_model):
    sprint = SprintFactory(project=project, status="active")
    gateway = MlflowGateway(mlflow_server.url, token_for(session_actor(data_scientist)))
    run = gateway.log_run(
        RunToLog(
            experiment=EXPERIMENT,
            name="whole",
            params={"C": 0.1},
            metrics={"test_roc_auc": 0.7},
            tags={"mlflow.source.git.commit": "c" * 40},
            ties={"sprint": sprint.ref, "work_item": ""},
            datasets=(DatasetUse("calls", "d" * 64, "dataset_version:1"),),
            files={"plots/roc.svg": b"<svg/>"},
            model=small_model,
        )
    )
    number = gateway.register_model(MODEL, run)
    row = Run.objects.get(run_id=run.run_id)
    assert (row.status, row.launched_by, row.sprint) == ("FINISHED", data_scientist, sprint)
    assert row.metrics == {"test_roc_auc": 0.7}
    assert ModelVersion.objects.get(number=number).format_problem == ""
    files = mlflow_server.client(data_scientist).list_artifacts(run.run_id, "plots")
    assert [file.path for file in files] == ["plots/roc.svg"]
    assert gateway.read_run(run.run_id)["params"] == {"C": "0.1"}


def test_a_run_that_fails_on_the_way_ends_as_failed(mlflow_server, data_scientist):
    gateway = mlflow_server.gateway(data_scientist)
    with pytest.raises(InvalidInput):
        gateway.log_run(RunToLog(experiment=EXPERIMENT, name="bad", params={"p" * 300: 1}))
    assert Run.objects.get().status == "FAILED"


def test_refusals_keep_their_code_and_sentence(mlflow_server, under_review, data_scientist):
    with pytest.raises(NotPermitted) as refusal:
        mlflow_server.gateway(data_scientist).set_alias(MODEL, "champion", 1)
    assert refusal.value.code == "promotion_not_approved"
    assert f"/reviews/{under_review.review_id}/" in refusal.value.message


def test_an_upload_that_is_refused_says_why(mlflow_server, logged, ml_engineer, tmp_path):
    (tmp_path / "x.txt").write_text("x")
    gateway = mlflow_server.gateway(ml_engineer)
    with pytest.raises(NotPermitted) as refusal, gateway.client() as client:
        client.log_artifact(logged.run_id, str(tmp_path / "x.txt"))
    assert "launched by someone else" in refusal.value.message


@pytest.mark.slow
def test_an_unreachable_server_is_reported_within_seconds():
    gateway = MlflowGateway("http://127.0.0.1:8159/mlflow", "token")
    started = time.monotonic()
    with pytest.raises(Unavailable) as refusal:
        gateway.ensure_experiment(EXPERIMENT)
    assert refusal.value.code == "mlflow_unreachable"
    assert time.monotonic() - started < 30


def test_a_wrong_token_is_no_outage(mlflow_server):
    with pytest.raises(NotPermitted) as refusal:
        MlflowGateway(mlflow_server.url, "wrong").ensure_experiment(EXPERIMENT)
    assert refusal.value.code == "unauthenticated"


def test_the_token_does_not_stay_in_the_environment(mlflow_server, data_scientist):
    mlflow_server.gateway(data_scientist).ensure_experiment("first", MODEL)
    assert "MLFLOW_TRACKING_TOKEN" not in os.environ


def test_a_part_of_the_system_logs_under_its_own_name(mlflow_server):
    gateway = MlflowGateway(mlflow_server.url, token_for(system("retraining")))
    run = gateway.log_run(RunToLog(experiment=f"{MODEL}/retraining", name="candidate"))
    row = Run.objects.get(run_id=run.run_id)
    assert (row.launched_as, row.launched_by) == ("system:retraining", None)


def test_the_registry_moves_an_alias_only_for_a_promotion_being_applied(under_review):
    from django.utils import timezone

    from governance.models import GateReview, Promotion

    with pytest.raises(NotPermitted) as refusal:
        registry.set_alias(MODEL, "champion", 1)
    assert refusal.value.code == "promotion_not_approved"
    assert registry.get_alias(MODEL, "champion") is None
    GateReview.objects.filter(pk=under_review.review_id).update(
        status="approved", decided_at=timezone.now()
    )
    Promotion.objects.filter(pk=under_review.pk).update(status="applying")
    registry.set_alias(MODEL, "champion", 1)
    assert registry.get_alias(MODEL, "champion") == 1
    assert registry.aliases(MODEL) == {"champion": 1}


def test_an_unknown_model_has_no_alias(mlflow_server):
    assert registry.get_alias("nothing", "champion") is None


def test_a_broken_database_is_unavailable(mlflow_server, registered, monkeypatch):
    import sqlalchemy

    from pipeline.gateway.stores import registry_store

    def fail(*_args, **_kwargs):
        raise sqlalchemy.exc.OperationalError("select", {}, Exception("disk I/O error"))

    monkeypatch.setattr(registry_store(), "get_model_version_by_alias", fail)
    with pytest.raises(Unavailable) as refusal:
        registry.get_alias(MODEL, "champion")
    assert refusal.value.code == "mlflow_unreachable"
