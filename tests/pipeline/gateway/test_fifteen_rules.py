"""Those of the fifteen rules that the ordinary MLflow client could go round: 9, 10, 14 and 15.

The promotion here is signed for real, over REST, and carried out by the real worker.
"""

from pathlib import Path

import pytest
import yaml
from mlflow.exceptions import MlflowException

from governance.models import DeniedAttempt, Promotion
from ledger.models import LedgerEntry
from pipeline.adapters import registry
from pipeline.models import Job
from pipeline.services import promoting
from tests.factories import PASSWORD, StakeholderFactory
from tests.governance.fifteen_rules.doors import Rest
from tests.pipeline.gateway.conftest import MODEL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few_requirements(settings, tmp_path: Path) -> None:
    """Let the gate ask for the same files and for signatures: the rest is tried elsewhere."""
    raw = yaml.safe_load((Path(settings.POLICY_DIR) / "standard.yaml").read_text())
    gate = raw["gates"]["validation"]
    gate["requirements"] = [one for one in gate["requirements"] if one["key"] == "files"]
    (tmp_path / "standard.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    settings.POLICY_DIR = tmp_path


@pytest.fixture
def signed(under_review, api, validator, business_owner) -> Promotion:
    """The promotion of version 1, approved and waiting for its worker."""
    door = Rest(api)
    assert door.sign(validator, under_review.review).is_done
    assert door.sign(business_owner, under_review.review, "business_owner").is_done
    under_review.refresh_from_db()
    assert under_review.status == "approved"
    return under_review


def set_alias(client) -> str:
    """Try to set the alias; return the words of the refusal."""
    with pytest.raises(MlflowException) as refusal:
        client.set_registered_model_alias(MODEL, "champion", "1")
    assert registry.get_alias(MODEL, "champion") is None
    return str(refusal.value)


def test_rule_9_an_administrator_sets_no_alias(mlflow_server, under_review, superuser, project):
    assert "not found" in set_alias(mlflow_server.client(superuser))
    StakeholderFactory(project=project, user=superuser, role="lead")
    words = set_alias(mlflow_server.client(superuser))
    assert "is not approved for production" in words
    assert "A sign-off as validator is missing." in words
    assert DeniedAttempt.objects.filter(actor=f"user:{superuser.pk}").exists()


def test_rule_10_neither_token_nor_password_sets_an_alias_for_who_may_sign(
    mlflow_server, under_review, validator, monkeypatch
):
    assert "is not approved" in set_alias(mlflow_server.client(validator))
    client = mlflow_server.client(validator)
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", validator.username)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    assert "is not approved" in set_alias(client)
    assert not under_review.review.sign_offs.exists()


def test_rule_14_the_worker_alone_sets_it_and_once(mlflow_server, signed, ml_engineer, monkeypatch):
    words = set_alias(mlflow_server.client(ml_engineer))
    assert "a worker sets the alias" in words
    sets, known = [], registry.set_alias
    monkeypatch.setattr(
        registry, "set_alias", lambda *about: (sets.append(about), known(*about))[1]
    )
    assert promoting.apply_promotion(signed.pk, worker="here:1")
    assert not promoting.apply_promotion(signed.pk, worker="here:2")
    assert promoting.apply_waiting_promotions() == 0
    assert (registry.get_alias(MODEL, "champion"), len(sets)) == (1, 1)
    assert LedgerEntry.objects.filter(event="promotion.applied").count() == 1


def test_rule_15_a_signer_who_had_a_hand_in_it_stops_worker_and_client(
    mlflow_server, signed, registered, validator, ml_engineer, project
):
    Job.objects.create(
        kind=Job.Kind.TRAINING,
        project=project,
        requested_by=validator,
        requested_as=f"user:{validator.pk}",
        result={"model_version": registered.ref},
    )
    assert not promoting.apply_promotion(signed.pk, worker="here:1")
    signed.refresh_from_db()
    assert signed.status == "suspended"
    words = set_alias(mlflow_server.client(ml_engineer))
    assert "A signer did part of the work: Vera: Who launched the training run" in words
