"""Several workers at once: one takes the job, one applies the promotion."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from ledger.models import LedgerEntry
from pipeline.adapters import registry
from pipeline.models import Job
from pipeline.services import jobs, promoting
from projects.actors import system

pytestmark = pytest.mark.race
WORKERS = 6


def at_once(work):
    """Run `work(number)` in several threads that start together; return what they returned."""
    barrier, found, errors = Barrier(WORKERS), [], []

    def run(number):
        try:
            barrier.wait()
            found.append(work(number))
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return found


def test_one_worker_takes_the_job(racing_db, project):
    job = jobs.enqueue(jobs.NewJob(Job.Kind.RECONCILE, project), actor=system("schedule"))
    claims = at_once(lambda number: jobs.claim(job.pk))
    assert sum(claim is not None for claim in claims) == 1
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("running", 1)


def test_one_worker_applies_the_promotion(racing_db, world, monkeypatch):
    promotion = world.promotion(world.version())
    sets, aliases = [], {}

    def set_alias(name, alias, version):
        sets.append(version)
        aliases[name, alias] = version

    monkeypatch.setattr(registry, "get_alias", lambda name, alias: aliases.get((name, alias)))
    monkeypatch.setattr(registry, "set_alias", set_alias)
    applied = at_once(
        lambda number: promoting.apply_promotion(promotion.pk, worker=f"elsewhere:{number}")
    )
    promotion.refresh_from_db()
    assert (applied.count(True), sets, promotion.status) == (1, [1], "applied")
    assert LedgerEntry.objects.filter(event="promotion.applied").count() == 1
