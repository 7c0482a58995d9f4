"""What governance refuses in the model registry, by whichever spelling and door it is tried."""

from itertools import product

import pytest
from django.utils import timezone
from mlflow.exceptions import RestException

from governance.models import DeniedAttempt, Environment, GateReview, Promotion
from pipeline.adapters import registry
from pipeline.models import Deployment, ModelVersion, RegisteredModel
from pipeline.services import promoting
from tests.factories import A_DAY
from tests.pipeline.gateway.conftest import MODEL

pytestmark = pytest.mark.django_db(transaction=True)


def refused(attempt) -> RestException:
    with pytest.raises(RestException) as refusal:
        attempt()
    return refusal.value


def test_an_alias_is_refused_with_what_is_unmet_and_where(mlflow_server, under_review, ml_engineer):
    client = mlflow_server.client(ml_engineer)
    error = refused(lambda: client.set_registered_model_alias(MODEL, "champion", "1"))
    assert error.error_code == "PERMISSION_DENIED"
    assert error.json["code"] == "promotion_not_approved"
    assert f"/reviews/{under_review.review_id}/" in str(error)
    assert error.json["review_url"].startswith("http://")
    assert registry.get_alias(MODEL, "champion") is None
    attempt = DeniedAttempt.objects.get()
    assert (attempt.actor, attempt.code) == (f"user:{ml_engineer.pk}", "promotion_not_approved")


SPELLINGS = list(
    product(
        ["api", "ajax-api"], ["1", "01"], ["champion", "Champion", "CHAMPION", "something-else"]
    )
)


def test_no_spelling_of_alias_version_or_route_gets_through(
    mlflow_server, under_review, data_scientist
):
    for route, version, alias in SPELLINGS:
        body = {"name": MODEL, "alias": alias, "version": version}
        answer = mlflow_server.call(
            data_scientist, "POST", f"/{route}/2.0/mlflow/registered-models/alias", json=body
        )
        assert answer.status_code in {400, 403}, (route, version, alias, answer.text)
        assert registry.aliases(MODEL) == {}, (route, version, alias)


def test_a_doubly_encoded_body_meets_the_same_check(mlflow_server, under_review, data_scientist):
    import json

    body = json.dumps(json.dumps({"name": MODEL, "alias": "champion", "version": "1"}))
    answer = mlflow_server.call(
        data_scientist,
        "POST",
        "/api/2.0/mlflow/registered-models/alias",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 403
    assert registry.aliases(MODEL) == {}


CHANGES = {
    "stage": lambda c: c.transition_model_version_stage(MODEL, "1", "Production"),
    "archive": lambda c: c.transition_model_version_stage(MODEL, "1", "archived"),
    "delete version": lambda c: c.delete_model_version(MODEL, "1"),
    "delete model": lambda c: c.delete_registered_model(MODEL),
    "rename": lambda c: c.rename_registered_model(MODEL, f"{MODEL}-2"),
    "version tag": lambda c: c.set_model_version_tag(MODEL, "1", "countersign.gate", "passed"),
    "spelled tag": lambda c: c.set_model_version_tag(MODEL, "1", "Countersign.Gate", "passed"),
    "model tag": lambda c: c.set_registered_model_tag(MODEL, "countersign.status", "ok"),
    "delete tag": lambda c: c.delete_model_version_tag(MODEL, "1", "countersign.gate"),
    "delete alias": lambda c: c.delete_registered_model_alias(MODEL, "champion"),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_each_governed_change_is_refused_and_kept(mlflow_server, under_review, data_scientist):
    client = mlflow_server.client(data_scientist)
    for tried, (name, change) in enumerate(CHANGES.items(), start=1):
        error = refused(lambda change=change: change(client))
        assert error.error_code == "PERMISSION_DENIED", name
        kept = DeniedAttempt.objects.filter(actor=f"user:{data_scientist.pk}").count()
        version = client.get_model_version(MODEL, "1")
        assert (kept, version.current_stage, version.tags) == (tried, "None", {}), name
        assert RegisteredModel.objects.get().name == MODEL, name


def test_a_mode_that_warns_lets_through_and_leaves_the_warning_on_the_version(
    mlflow_server, under_review, ml_engineer, validator
):
    Environment.objects.declare("production", mode="warn")
    error = refused(
        lambda: mlflow_server.client(validator).set_registered_model_alias(MODEL, "champion", "1")
    )
    assert error.json["code"] == "role_missing", "who builds nothing moves no alias in any mode"
    client = mlflow_server.client(ml_engineer)
    client.set_registered_model_alias(MODEL, "champion", "1")
    assert registry.aliases(MODEL) == {"champion": 1}
    warning = client.get_model_version(MODEL, "1").tags["countersign.warning"]
    assert "Let through by mode warn of production, unapproved." in warning


def test_a_retired_version_loses_its_alias_and_is_deleted_only_after_its_day(
    mlflow_server, under_review, data_scientist, served
):
    client = mlflow_server.client(data_scientist)
    assert registry.aliases(MODEL) == {"champion": 1}
    Promotion.objects.update(status="retiring", retain_until=timezone.localdate() + A_DAY)
    error = refused(lambda: client.delete_registered_model_alias(MODEL, "champion"))
    assert error.json["code"] == "promotion_not_approved"
    assert promoting.retire_waiting_promotions() == 1
    assert registry.aliases(MODEL) == {}
    served.refresh_from_db()
    assert (served.status, "was retired" in served.status_reason) == ("refused", True)

    error = refused(lambda: client.delete_model_version(MODEL, "1"))
    assert error.error_code == "PERMISSION_DENIED"
    assert f"kept until {timezone.localdate() + A_DAY}" in str(error)
    Promotion.objects.update(retain_until=timezone.localdate())
    client.delete_model_version(MODEL, "1")
    assert client.search_model_versions(f"name='{MODEL}'") == []


@pytest.fixture
def served(under_review):
    """The deployment of version 1, once a worker has applied its promotion."""
    GateReview.objects.update(status="approved", decided_at=timezone.now())
    Promotion.objects.update(status="approved", approved_at=timezone.now())
    assert promoting.apply_waiting_promotions() == 1
    version = ModelVersion.objects.get()
    Promotion.objects.update(claimed_by="", claimed_at=None)
    return Deployment.objects.create(
        slug="calls",
        project=under_review.project,
        model=version.model,
        environment=under_review.environment,
        version=version,
        promotion=under_review,
    )


def test_a_reserved_tag_inside_a_new_version_is_refused(
    mlflow_server, registered, logged, data_scientist
):
    client = mlflow_server.client(data_scientist)
    tags = {"countersign.approved": "yes"}
    error = refused(
        lambda: client.create_model_version(
            MODEL, logged.model_uri, tags=tags, model_id=logged.model_id
        )
    )
    assert error.json["code"] == "tag_reserved"
    assert ModelVersion.objects.count() == 1
    assert len(client.search_model_versions(f"name='{MODEL}'")) == 1


def test_ordinary_tags_and_descriptions_stay_free(mlflow_server, registered, data_scientist):
    client = mlflow_server.client(data_scientist)
    client.set_model_version_tag(MODEL, "1", "note", "tried on Monday")
    client.update_model_version(MODEL, "1", "Logistic regression")
    version = client.get_model_version(MODEL, "1")
    assert (version.tags["note"], version.description) == ("tried on Monday", "Logistic regression")


@pytest.mark.parametrize("role", ["auditor", "validator", "business_owner"])
def test_roles_that_only_read_change_nothing(mlflow_server, registered, request, role):
    client = mlflow_server.client(request.getfixturevalue(role))
    assert client.get_model_version(MODEL, "1").version == "1"
    error = refused(lambda: client.set_model_version_tag(MODEL, "1", "note", "mine"))
    assert error.json["code"] == "role_missing"


def test_a_model_name_of_no_project_is_refused(mlflow_server, superuser, data_scientist):
    from tests.factories import ProjectFactory, StakeholderFactory

    StakeholderFactory(project=ProjectFactory(slug="churn"), user=data_scientist)
    client = mlflow_server.client(data_scientist)
    error = refused(lambda: client.create_registered_model("fraud"))
    assert error.json["code"] == "model_without_project"
    assert not RegisteredModel.objects.exists()


def test_the_files_of_one_project_cannot_carry_the_name_of_another(
    mlflow_server, logged, data_scientist
):
    from tests.factories import ProjectFactory, StakeholderFactory

    other = ProjectFactory(slug="churn")
    StakeholderFactory(project=other, user=data_scientist, role="data_scientist")
    client = mlflow_server.client(data_scientist)
    client.create_registered_model("churn")
    error = refused(
        lambda: client.create_model_version("churn", logged.model_uri, model_id=logged.model_id)
    )
    assert error.json["code"] == "other_project"
    assert not ModelVersion.objects.exists()


def test_copying_a_version_into_another_governed_name_keeps_its_author(
    mlflow_server, registered, ml_engineer
):
    client = mlflow_server.client(ml_engineer)
    copied = client.copy_model_version(f"models:/{MODEL}/1", f"{MODEL}-copy")
    copy = ModelVersion.objects.get(model__name=copied.name)
    assert copy.files_digest == registered.files_digest
    assert copy.run == registered.run
    assert copy.registered_by == ml_engineer


def test_webhooks_are_not_offered(mlflow_server, data_scientist):
    body = {"name": "x", "url": "https://example.org", "events": []}
    answer = mlflow_server.call(data_scientist, "POST", "/api/2.0/mlflow/webhooks", json=body)
    assert answer.status_code in {400, 403}


@pytest.mark.slow
def test_bare_mlflow_would_have_allowed_it(tmp_path):
    """The control: the same calls on MLflow's own store move the alias and delete the version."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{tmp_path}/bare.sqlite3")
    store.create_registered_model(MODEL)
    store.create_model_version(MODEL, "mlflow-artifacts:/1/model")
    store.set_registered_model_alias(MODEL, "champion", "1")
    assert store.get_model_version_by_alias(MODEL, "champion").version == 1
    store.delete_model_version(MODEL, "1")
    store.rename_registered_model(MODEL, "renamed")
    assert store.get_registered_model("renamed").name == "renamed"
