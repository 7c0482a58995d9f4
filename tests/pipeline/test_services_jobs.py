"""Background work: one claim, honest progress, cancel, retry, and what becomes of errors."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from ledger.models import LedgerEntry
from pipeline.ml.problems import DataProblem
from pipeline.models import Job
from pipeline.rules.states import DEPLOYMENT_TRANSITIONS, JOB_TRANSITIONS
from pipeline.services import jobs
from projects.actors import system
from projects.errors import InvalidTransition, NotPermitted, RuleViolated

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(project, data_scientist, actor):
    new = jobs.NewJob(Job.Kind.PROFILE_DATASET, project, "dataset_version:1")
    return jobs.enqueue(new, actor=actor(data_scientist))


@pytest.fixture
def runs_as(monkeypatch):
    """Make the job's kind do something else for one test."""

    def install(runner):
        monkeypatch.setattr(jobs, "_runner", lambda job: runner)

    return install


def test_every_status_has_its_row_in_the_transition_table():
    assert set(JOB_TRANSITIONS) == set(Job.Status.values)
    from pipeline.models import Deployment

    assert set(DEPLOYMENT_TRANSITIONS) == set(Deployment.Status.values)


def test_every_kind_of_job_names_a_runner_that_exists():
    assert set(jobs.RUNNERS) == set(Job.Kind.values)
    for path in jobs.RUNNERS.values():
        assert callable(import_string(path)), path


def test_enqueue_stores_the_row_and_the_message_together(job):
    assert job.status == "queued"
    task = OrmQ.objects.get().task
    assert task["func"] == "pipeline.tasks.run_job"
    assert task["args"] == (job.pk,)
    assert LedgerEntry.objects.filter(event="job.queued", subject=job.ref).count() == 1


def test_with_redis_the_message_leaves_after_the_commit(
    project, settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.REDIS_URL = "redis://127.0.0.1:6379/9"
    sent = []
    monkeypatch.setattr("django_q.tasks.async_task", lambda *a, **k: sent.append(a))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue(jobs.NewJob(Job.Kind.RECONCILE, project), actor=system("schedule"))
        assert sent == []
    assert sent[0][0] == "pipeline.tasks.run_job"


def test_a_job_runs_once_however_often_it_is_delivered(job, runs_as):
    ran = []
    runs_as(lambda job, actor: ran.append(actor.ref) or {"answer": 42})
    jobs.run_job(job.pk)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.progress, job.result) == ("done", 100, {"answer": 42})
    assert ran == [f"user:{job.requested_by_id}"]


def test_a_system_part_stays_itself_in_its_job(project, runs_as):
    seen = []
    runs_as(lambda job, actor: seen.append(actor) or {})
    job = jobs.enqueue(jobs.NewJob(Job.Kind.RETRAIN, project), actor=system("monitoring"))
    jobs.run_job(job.pk)
    assert seen[0].is_system
    assert seen[0].name == "monitoring"


def test_a_refusal_fails_the_job_with_its_own_sentence(job, runs_as):
    def refuse(job, actor):
        raise RuleViolated("Not like this.", code="wrong_way", reasons=["because"])

    runs_as(refuse)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.message) == ("failed", "Not like this.")
    assert job.result == {"code": "wrong_way", "reasons": ["because"]}


def test_a_data_problem_fails_the_job_with_its_own_sentence(job, runs_as):
    def refuse(job, actor):
        raise DataProblem("no_rows", "There are no rows.")

    runs_as(refuse)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.message, job.result["code"]) == (
        "failed",
        "There are no rows.",
        "no_rows",
    )


def test_an_unexpected_error_is_logged_and_not_shown(job, runs_as, caplog):
    def break_down(job, actor):
        raise ZeroDivisionError("secret detail")

    runs_as(break_down)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.message) == ("failed", jobs.GENERIC_FAILURE)
    assert "secret detail" in caplog.text


def test_a_waiting_job_is_cancelled_at_once(job, data_scientist, actor):
    jobs.cancel_job(job, actor=actor(data_scientist))
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("cancelled", 0)


def test_a_running_job_is_cancelled_at_its_next_step(job, runs_as, data_scientist, actor):
    reached = []

    def work(job, worker):
        jobs.step(job, 10, "Half of it.")
        jobs.cancel_job(Job.objects.get(pk=job.pk), actor=actor(data_scientist))
        jobs.step(job, 50, "The rest.")
        reached.append("end")

    runs_as(work)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.progress, reached) == ("cancelled", 50, [])


def test_a_failed_job_can_be_tried_again(job, runs_as, data_scientist, actor):
    def fail(job, worker):
        raise RuleViolated("Not yet.")

    runs_as(fail)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    jobs.retry_job(job, actor=actor(data_scientist))
    assert (job.status, OrmQ.objects.count()) == ("queued", 2)
    runs_as(lambda job, worker: {})
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 2)


def test_a_job_that_is_done_is_not_tried_again(job, runs_as, data_scientist, actor):
    runs_as(lambda job, worker: {})
    jobs.run_job(job.pk)
    job.refresh_from_db()
    with pytest.raises(InvalidTransition):
        jobs.retry_job(job, actor=actor(data_scientist))
    assert OrmQ.objects.count() == 1


def test_an_auditor_cancels_nothing(job, auditor, actor):
    with pytest.raises(NotPermitted) as refusal:
        jobs.cancel_job(job, actor=actor(auditor))
    job.refresh_from_db()
    assert (refusal.value.code, job.status) == ("role_missing", "queued")


def test_the_job_of_a_dead_worker_is_claimed_again_after_its_lease(job):
    first = jobs.claim(job.pk)
    assert first is not None
    assert jobs.claim(job.pk) is None
    _let_lease_run_out(job)
    second = jobs.claim(job.pk)
    assert second is not None
    assert second.attempts == 2


def test_a_worker_that_lost_its_job_can_neither_report_nor_finish(job):
    first = jobs.claim(job.pk)
    _let_lease_run_out(job)
    second = jobs.claim(job.pk)
    with pytest.raises(jobs.JobLost):
        jobs.step(first, 90, "Still here.")
    jobs._finish(first, Job.Status.DONE, "Done.")
    second.refresh_from_db()
    assert (second.status, second.progress) == ("running", 0)


def test_jobs_of_dead_workers_are_queued_again(job):
    jobs.claim(job.pk)
    assert jobs.requeue_lost_jobs() == 0
    _let_lease_run_out(job)
    assert jobs.requeue_lost_jobs() == 1
    assert OrmQ.objects.count() == 2


def _let_lease_run_out(job):
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
