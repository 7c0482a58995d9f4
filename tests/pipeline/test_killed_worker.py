"""A worker killed with SIGKILL while it moves an alias; another one finishes, once."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from governance.models import GateReview, Promotion
from ledger.models import LedgerEntry
from pipeline.adapters import registry
from pipeline.services import promoting
from tests.pipeline.gateway.conftest import *  # noqa: F403 - fixtures of a live gateway

pytestmark = [pytest.mark.race, pytest.mark.slow]

WORKER = """
import django
django.setup()
from django.conf import settings
settings.TESTING = True
from pipeline.services import promoting
promoting.apply_waiting_promotions()
promoting.retire_waiting_promotions()
"""


@pytest.fixture
def waiting(under_review):
    """A promotion as it is when its gate has just been passed."""
    GateReview.objects.filter(pk=under_review.review_id).update(
        status="approved", decided_at=timezone.now()
    )
    Promotion.objects.filter(pk=under_review.pk).update(
        status="approved", approved_at=timezone.now()
    )
    under_review.refresh_from_db()
    return under_review


def run_worker_until_killed(failpoint):
    """Run a real worker process on the test's databases; it dies at the failpoint."""
    engine = connection.settings_dict["ENGINE"]
    name = connection.settings_dict["NAME"]
    address = (
        f"sqlite:///{name}"
        if engine.endswith("sqlite3")
        else "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": address,
        "MLFLOW_DATABASE_URI": settings.MLFLOW_DATABASE_URI,
        "ARTIFACT_ROOT": str(settings.ARTIFACT_ROOT),
        "CONTENT_STORE": str(settings.CONTENT_STORE),
        "COUNTERSIGN_FAILPOINT": failpoint,
    }
    return subprocess.run(
        [sys.executable, "-c", WORKER],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(("failpoint", "sets_left"), [("before_alias", 1), ("after_alias", 0)])
def test_a_killed_worker_leaves_a_row_that_another_one_finishes_once(
    waiting, monkeypatch, failpoint, sets_left
):
    dead = run_worker_until_killed(failpoint)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("applying", 1)

    sets = []
    real = registry.set_alias
    monkeypatch.setattr(registry, "set_alias", lambda *a: sets.append(a) or real(*a))
    assert promoting.apply_waiting_promotions() == 1
    assert promoting.apply_waiting_promotions() == 0

    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("applied", 2)
    assert len(sets) == sets_left
    assert registry.aliases(waiting.model_name) == {"champion": waiting.model_version}
    assert LedgerEntry.objects.filter(event="promotion.applied").count() == 1


@pytest.fixture
def retiring(waiting):
    """The same promotion, applied, once its retirement was approved."""
    assert promoting.apply_waiting_promotions() == 1
    waiting.refresh_from_db()
    GateReview.objects.filter(pk=waiting.review_id).update(gate="retirement")
    Promotion.objects.filter(pk=waiting.pk).update(
        status="retiring", retirement=waiting.review, claimed_by="", claimed_at=None
    )
    return waiting


@pytest.mark.parametrize(
    ("failpoint", "removals_left"), [("before_alias_goes", 1), ("after_alias_went", 0)]
)
def test_a_killed_worker_leaves_a_retirement_that_another_one_finishes_once(
    retiring, monkeypatch, failpoint, removals_left
):
    dead = run_worker_until_killed(failpoint)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    retiring.refresh_from_db()
    assert retiring.status == "retiring"

    removals = []
    real = registry.delete_alias
    monkeypatch.setattr(registry, "delete_alias", lambda *a: removals.append(a) or real(*a))
    assert promoting.retire_waiting_promotions() == 1
    assert promoting.retire_waiting_promotions() == 0

    retiring.refresh_from_db()
    assert (retiring.status, retiring.attempts) == ("retired", 3)
    assert len(removals) == removals_left
    assert registry.aliases(retiring.model_name) == {}
    assert LedgerEntry.objects.filter(event="promotion.retired").count() == 1


def test_without_the_test_switch_failpoints_do_nothing(monkeypatch):
    from pipeline.services.failpoints import failpoint

    monkeypatch.setenv("COUNTERSIGN_FAILPOINT", "before_alias")
    failpoint("before_alias")
