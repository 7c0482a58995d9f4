"""Changes that went past Countersign are found and told once."""

import pytest
from django.core.management import CommandError, call_command

from governance.models import Finding
from pipeline.adapters import registry
from pipeline.models import Job
from pipeline.services import jobs, reconcile
from pipeline.services.loading import model_directory
from pipeline.services.reconcile import RECONCILER
from projects.actors import system
from projects.errors import Unavailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def aliases(monkeypatch):
    found = {}
    monkeypatch.setattr(registry, "get_alias", lambda name, alias: found.get(alias))
    return found


@pytest.fixture
def applied(world):
    version = world.version()
    world.promotion(version, "applied")
    return version


def test_nothing_is_found_where_all_is_as_decided(applied, aliases, capsys):
    aliases["champion"] = 1
    assert reconcile.reconcile(actor=RECONCILER) == []
    call_command("reconcile")
    assert "hold what was decided" in capsys.readouterr().out
    assert not Finding.objects.exists()


@pytest.mark.parametrize(("found", "said"), [(2, "version 2"), (None, "no version")])
def test_an_alias_moved_past_us_opens_one_finding(applied, world, aliases, found, said):
    world.version(2)
    if found:
        aliases["champion"] = found
    for _ in range(2):
        differences = reconcile.reconcile(actor=RECONCILER)
        assert len(differences) == 1
    finding = Finding.objects.get()
    assert (finding.severity, finding.source) == ("critical", "system:reconciler")
    assert said in finding.description


def test_an_alias_that_nobody_decided_is_found(world, aliases):
    world.version()
    aliases["champion"] = 1
    (difference,) = reconcile.reconcile(actor=RECONCILER)
    assert "no version stands promoted" in difference.description


def test_a_suspended_promotion_keeps_its_alias(world, aliases):
    promotion = world.promotion(world.version(), "applied")
    type(promotion).objects.update(status="suspended")
    aliases["champion"] = 1
    assert reconcile.reconcile(actor=RECONCILER) == []


def test_an_alias_is_left_alone_while_a_promotion_is_applied(world, aliases):
    world.promotion(world.version(), "applying")
    aliases["champion"] = 1
    assert reconcile.reconcile(actor=RECONCILER) == []


def test_changed_files_of_a_promoted_version_are_found(applied, aliases):
    aliases["champion"] = 1
    (model_directory(applied) / "number.txt").write_text("changed")
    with pytest.raises(CommandError, match="1 difference"):
        call_command("reconcile")
    assert Finding.objects.get().subject_ref == applied.ref


def test_an_unreachable_mlflow_concludes_nothing(applied, monkeypatch):
    def unreachable(name, alias):
        raise Unavailable("MLflow's database does not answer.", code="mlflow_unreachable")

    monkeypatch.setattr(registry, "get_alias", unreachable)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("reconcile")
    assert not Finding.objects.exists()


def test_it_runs_as_a_job_too(applied, aliases, project):
    new = jobs.NewJob(Job.Kind.RECONCILE, project)
    job = jobs.enqueue(new, actor=system("reconciler"))
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, len(job.result["differences"])) == ("done", 1)
