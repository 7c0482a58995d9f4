"""Runs carry the authenticated author, are tied to checked work, and stay within their project."""

import pytest
from mlflow.exceptions import MlflowException, RestException

from ledger.models import LedgerEntry
from pipeline.models import Experiment, Run
from tests.factories import ProjectFactory, SprintFactory, WorkItemFactory
from tests.pipeline.gateway.conftest import EXPERIMENT

pytestmark = pytest.mark.django_db(transaction=True)


def refused(attempt) -> RestException:
    with pytest.raises(RestException) as refusal:
        attempt()
    return refusal.value


def test_a_run_belongs_to_whoever_is_authenticated(mlflow_server, data_scientist):
    client = mlflow_server.client(data_scientist)
    experiment_id = client.create_experiment(EXPERIMENT)
    run = client.create_run(experiment_id, tags={"mlflow.user": "somebody-else"})
    client.log_metric(run.info.run_id, "test_roc_auc", 0.7)
    client.set_terminated(run.info.run_id)
    row = Run.objects.get(run_id=run.info.run_id)
    assert (row.launched_by, row.launched_as) == (data_scientist, f"user:{data_scientist.pk}")
    assert (row.status, row.metrics) == ("FINISHED", {"test_roc_auc": 0.7})
    assert Experiment.objects.get().created_by == data_scientist
    events = list(LedgerEntry.objects.filter(subject=row.ref).values_list("event", flat=True))
    assert events == ["run.created", "run.finished"]


def test_a_run_is_tied_to_its_sprint_item_and_board(mlflow_server, project, data_scientist):
    sprint = SprintFactory(project=project, status="active")
    item = WorkItemFactory(project=project, sprint=sprint)
    client = mlflow_server.client(data_scientist)
    experiment_id = client.create_experiment(EXPERIMENT)
    run = client.create_run(experiment_id, tags={"countersign.work_item": item.ref})
    row = Run.objects.get(run_id=run.info.run_id)
    item.refresh_from_db()
    assert (row.sprint, row.work_item, item.run_ids) == (sprint, item, [row.run_id])


def test_a_tie_may_be_named_after_the_start(mlflow_server, project, data_scientist):
    sprint = SprintFactory(project=project, status="active")
    client = mlflow_server.client(data_scientist)
    run = client.create_run(client.create_experiment(EXPERIMENT))
    client.set_tag(run.info.run_id, "countersign.sprint", sprint.ref)
    assert Run.objects.get().sprint == sprint


@pytest.mark.parametrize("status", ["planned", "closed", "cancelled"])
def test_a_sprint_that_is_not_active_takes_no_runs(mlflow_server, project, data_scientist, status):
    sprint = SprintFactory(project=project, status=status)
    client = mlflow_server.client(data_scientist)
    experiment_id = client.create_experiment(EXPERIMENT)
    error = refused(
        lambda: client.create_run(experiment_id, tags={"countersign.sprint": sprint.ref})
    )
    assert (error.error_code, error.json["code"]) == ("PERMISSION_DENIED", "sprint_not_active")
    assert not Run.objects.exists()
    assert client.search_runs([experiment_id]) == []


@pytest.mark.parametrize("value", ["sprint:{other}", "sprint:999999", "work_item:1", "x", "-1"])
def test_a_tie_to_anything_but_the_projects_own_is_refused(mlflow_server, data_scientist, value):
    other = SprintFactory(project=ProjectFactory(slug="churn"), status="active")
    client = mlflow_server.client(data_scientist)
    experiment_id = client.create_experiment(EXPERIMENT)
    tags = {"countersign.sprint": value.format(other=other.pk)}
    error = refused(lambda: client.create_run(experiment_id, tags=tags))
    assert (error.error_code, error.json["code"]) == ("INVALID_PARAMETER_VALUE", "unknown_tie")
    assert not Run.objects.exists()


@pytest.mark.parametrize("key", ["countersign.approved", "Countersign.sprint", " countersign.x"])
def test_reserved_tags_of_a_run_are_refused(mlflow_server, data_scientist, key):
    client = mlflow_server.client(data_scientist)
    run = client.create_run(client.create_experiment(EXPERIMENT))
    with pytest.raises(MlflowException):
        client.set_tag(run.info.run_id, key, "1")
    with pytest.raises(MlflowException):
        client.create_run(run.info.experiment_id, tags={key: "1"})
    assert key not in client.get_run(run.info.run_id).data.tags
    assert Run.objects.count() == 1


def test_a_stranger_sees_nothing(mlflow_server, logged, registered, outsider):
    client = mlflow_server.client(outsider)
    assert client.search_experiments() == []
    assert client.search_runs([logged.experiment_id]) == []
    assert client.search_registered_models() == []
    assert client.search_model_versions() == []
    assert client.get_experiment_by_name(EXPERIMENT) is None
    for attempt in (
        lambda: client.get_experiment(logged.experiment_id),
        lambda: client.get_run(logged.run_id),
        lambda: client.get_metric_history(logged.run_id, "test_roc_auc"),
        lambda: client.list_artifacts(logged.run_id),
        lambda: client.get_logged_model(logged.model_id),
        lambda: client.get_model_version(registered.model.name, "1"),
        lambda: client.log_metric(logged.run_id, "test_roc_auc", 1.0),
    ):
        assert refused(attempt).error_code == "RESOURCE_DOES_NOT_EXIST"


def test_an_administrator_has_no_role_either(mlflow_server, logged, superuser):
    assert mlflow_server.client(superuser).search_experiments() == []


@pytest.mark.parametrize("role", ["auditor", "validator", "business_owner", "risk_officer"])
def test_roles_that_only_read_start_no_runs(mlflow_server, logged, request, role):
    client = mlflow_server.client(request.getfixturevalue(role))
    assert client.get_run(logged.run_id).data.metrics == {"test_roc_auc": 0.78}
    error = refused(lambda: client.create_run(logged.experiment_id))
    assert (error.error_code, error.json["code"]) == ("PERMISSION_DENIED", "role_missing")
    assert Run.objects.count() == 1


def test_only_the_launcher_writes_into_a_run(mlflow_server, data_scientist, ml_engineer):
    own = mlflow_server.client(data_scientist)
    run_id = own.create_run(own.create_experiment(EXPERIMENT)).info.run_id
    other = mlflow_server.client(ml_engineer)
    for attempt in (
        lambda: other.log_metric(run_id, "test_roc_auc", 0.99),
        lambda: other.log_param(run_id, "C", 1),
        lambda: other.set_terminated(run_id),
        lambda: other.log_text(run_id, "forged", "report.txt"),
        lambda: other.create_logged_model(
            Run.objects.get().experiment.experiment_id, source_run_id=run_id
        ),
    ):
        with pytest.raises((MlflowException, OSError)) as refusal:
            attempt()
        assert "launched by someone else" in str(refusal.value) or "403" in str(refusal.value)
    assert other.get_run(run_id).data.metrics == {}


@pytest.mark.parametrize("name", ["baseline", "churn/baseline", "term-deposit-calls/", "/x"])
def test_an_experiment_must_name_its_project(mlflow_server, data_scientist, name):
    ProjectFactory(slug="churn")
    client = mlflow_server.client(data_scientist)
    error = refused(lambda: client.create_experiment(name))
    assert error.json["code"] == "experiment_without_project"
    assert "term-deposit-calls/baseline" in str(error)
    assert not Experiment.objects.exists()


def test_the_default_experiment_takes_no_runs(mlflow_server, data_scientist):
    client = mlflow_server.client(data_scientist)
    error = refused(lambda: client.create_run("0"))
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert not Run.objects.exists()


def test_files_cannot_be_sent_elsewhere(mlflow_server, data_scientist, tmp_path):
    client = mlflow_server.client(data_scientist)
    error = refused(lambda: client.create_experiment(EXPERIMENT, f"file://{tmp_path}"))
    assert error.error_code == "INVALID_PARAMETER_VALUE"
    assert not Experiment.objects.exists()


def test_a_run_behind_a_version_is_kept(mlflow_server, registered, logged, data_scientist):
    client = mlflow_server.client(data_scientist)
    assert refused(lambda: client.delete_run(logged.run_id)).json["code"] == "run_is_evidence"
    error = refused(lambda: client.delete_experiment(logged.experiment_id))
    assert error.json["code"] == "run_is_evidence"
    assert client.get_run(logged.run_id).info.lifecycle_stage == "active"


def test_an_experiment_keeps_its_project_when_renamed(mlflow_server, logged, data_scientist):
    client = mlflow_server.client(data_scientist)
    client.rename_experiment(logged.experiment_id, f"{EXPERIMENT}-2026")
    assert Experiment.objects.get().name == f"{EXPERIMENT}-2026"
    assert refused(lambda: client.rename_experiment(logged.experiment_id, "elsewhere"))
    assert Experiment.objects.get().name == f"{EXPERIMENT}-2026"


def test_a_failing_governance_denies_at_once(mlflow_server, data_scientist, monkeypatch):
    from pipeline.services import mirror

    def fail(*_args, **_kwargs):
        raise RuntimeError("the database is on fire")

    client = mlflow_server.client(data_scientist)
    experiment_id = client.create_experiment(EXPERIMENT)
    monkeypatch.setattr(mirror, "mirror_run_created", fail)
    error = refused(lambda: client.create_run(experiment_id))
    assert error.json["code"] == "governance_unavailable"
    assert "fire" not in str(error)
    assert client.search_runs([experiment_id]) == []
