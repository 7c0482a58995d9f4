"""Background work: one row per job, claimed once, with progress, cancel and retry."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from ledger import services as ledger
from pipeline import access
from pipeline.ml.problems import DataProblem
from pipeline.models import Job
from pipeline.rules.states import JOB_TRANSITIONS
from projects.actors import Actor, person, system
from projects.errors import DomainError, InvalidTransition, StaleState
from projects.lifecycle import move
from projects.models import Project

logger = logging.getLogger(__name__)

#: A running job whose heartbeat is older than this belongs to a worker that died.
LEASE = timedelta(seconds=60)
BEAT_SECONDS = 10
GENERIC_FAILURE = (
    "The job stopped on an unexpected error. The log of the worker has the details; "
    "retry it, or tell whoever runs this service."
)

Runner = Callable[[Job, Actor], Mapping[str, Any]]

#: What does the work of each kind; by dotted path, since the runners enqueue jobs themselves.
RUNNERS: Mapping[str, str] = {
    Job.Kind.PROFILE_DATASET: "pipeline.services.exploring.run_exploration",
    Job.Kind.APPLY_PROMOTION: "pipeline.services.promoting.run_application",
    Job.Kind.MONITOR: "pipeline.services.monitoring.run_monitor_job",
    Job.Kind.RETRAIN: "pipeline.services.retraining.run_retraining",
    Job.Kind.RECONCILE: "pipeline.services.reconcile.run_reconciliation",
    Job.Kind.TRAINING: "pipeline.services.training.run_training",
    Job.Kind.RUN_CHECK: "pipeline.services.check_work.run_check",
}


class JobCancelled(Exception):
    """Someone asked for the running job to end; raised by `step`, caught by `run_job`."""


class JobLost(Exception):
    """Another worker has taken the job over; whatever this one still does must not count."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What shall be done, on what, for which project."""

    kind: str
    project: Project | None
    subject_ref: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def enqueue(job: NewJob, *, actor: Actor) -> Job:
    """Store the job and hand it to the queue; both happen or neither does.

    Callers check that the actor may do the work itself: the right differs by kind.
    """
    row = Job.objects.create(
        kind=job.kind,
        project=job.project,
        subject_ref=job.subject_ref,
        params=dict(job.params),
        requested_as=actor.ref,
        requested_by=actor.user,
        message="Waiting for a worker.",
    )
    ledger.append(
        "job.queued", subject=row.ref, actor=actor, data={"kind": row.kind, "of": row.subject_ref}
    )
    _dispatch(row)
    return row


def _dispatch(job: Job) -> None:
    """Put the job on the queue within the current transaction.

    The database broker's message is an INSERT of this very transaction; Redis knows nothing of
    it, so there the message leaves after the commit.
    """
    from django_q.tasks import async_task

    def send() -> None:
        async_task("pipeline.tasks.run_job", job.pk, task_name=f"{job.ref}#{job.attempts}")

    if settings.REDIS_URL:
        transaction.on_commit(send)
    else:
        send()


def run_job(job_id: int) -> None:
    """Claim and run a job; returns without a word when another worker has it or it has ended."""
    job = claim(job_id)
    if job is None:
        return
    try:
        with _heartbeat(job):
            result = _runner(job)(job, actor_of(job))
        _finish(job, Job.Status.DONE, "Done.", result=dict(result), progress=100)
    except JobCancelled:
        _finish(job, Job.Status.CANCELLED, "Cancelled.")
    except (JobLost, StaleState):
        logger.warning("Job %s was taken over by another worker.", job.pk)
    except (DomainError, DataProblem) as problem:
        _finish(job, Job.Status.FAILED, _sentence(problem), result=_reasons(problem))
    except Exception:
        logger.exception("Job %s (%s) failed.", job.pk, job.kind)
        _finish(job, Job.Status.FAILED, GENERIC_FAILURE)


def _runner(job: Job) -> Runner:
    runner: Runner = import_string(RUNNERS[job.kind])
    return runner


def actor_of(job: Job) -> Actor:
    """Return the actor on whose behalf the job runs: whoever asked for it."""
    if job.requested_by_id is not None:
        user = get_user_model().objects.get(pk=job.requested_by_id)
        return person(user, method="command")
    return system(job.requested_as.removeprefix("system:"))


def claim(job_id: int) -> Job | None:
    """Take the job if it waits or if its worker died; exactly one caller gets it."""
    now = timezone.now()
    free = Q(status=Job.Status.QUEUED) | Q(status=Job.Status.RUNNING, heartbeat_at__lt=now - LEASE)
    job = Job.objects.filter(free, pk=job_id).first()
    if job is None:
        return None
    try:
        with transaction.atomic():
            move(
                job,
                Job.Status.RUNNING,
                allowed=JOB_TRANSITIONS,
                started_at=now,
                heartbeat_at=now,
                attempts=job.attempts + 1,
                message="Started.",
            )
    except StaleState:
        return None
    return job


def step(job: Job, progress: int, message: str) -> None:
    """Report progress in percent; this is also the place where a cancel takes effect.

    Raises:
        JobCancelled: someone asked for the job to end.
        JobLost: another worker has claimed the job since.
    """
    mine = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, version_lock=job.version_lock)
    now = timezone.now()
    if not mine.update(progress=progress, message=message[:500], heartbeat_at=now):
        raise JobLost
    if mine.filter(is_cancel_requested=True).exists():
        raise JobCancelled


def note(job: Job, made: Mapping[str, Any]) -> None:
    """Keep what a running job has made so far, for whoever asks before it ends.

    Raises:
        JobLost: another worker has claimed the job since.
    """
    mine = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, version_lock=job.version_lock)
    if not mine.update(result=dict(made)):
        raise JobLost


@contextmanager
def _heartbeat(job: Job) -> Iterator[None]:
    """Keep the lease alive during steps that take longer than it."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            Job.objects.filter(pk=job.pk, version_lock=job.version_lock).update(
                heartbeat_at=timezone.now()
            )
        connection.close()

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat of {job.ref}")
    thread.start()
    try:
        yield
    finally:
        stop.set()


def _finish(job: Job, to: str, message: str, **changes: Any) -> None:
    try:
        with transaction.atomic():
            move(
                job,
                to,
                allowed=JOB_TRANSITIONS,
                message=message[:500],
                ended_at=timezone.now(),
                **changes,
            )
            ledger.append(
                f"job.{to}",
                subject=job.ref,
                actor=actor_of(job),
                data={"kind": job.kind, "attempts": job.attempts},
            )
    except (StaleState, InvalidTransition):
        logger.warning("Job %s ended as %s, but another worker has it.", job.pk, to)


def _sentence(problem: DomainError | DataProblem) -> str:
    return problem.message


def _reasons(problem: DomainError | DataProblem) -> dict[str, Any]:
    details = getattr(problem, "details", {})
    return {"code": problem.code, "reasons": list(details.get("reasons", []))}


@transaction.atomic
def cancel_job(job: Job, *, actor: Actor) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next step."""
    _require(actor, "job.cancel", job)
    event = "job.cancelled"
    if job.status == Job.Status.RUNNING:
        event = "job.cancel_requested"
        Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(is_cancel_requested=True)
        job.refresh_from_db()
    else:
        move(
            job,
            Job.Status.CANCELLED,
            allowed=JOB_TRANSITIONS,
            message="Cancelled before it started.",
            ended_at=timezone.now(),
        )
    ledger.append(event, subject=job.ref, actor=actor, data={"kind": job.kind})
    return job


@transaction.atomic
def retry_job(job: Job, *, actor: Actor) -> Job:
    """Queue a failed job once more."""
    _require(actor, "job.retry", job)
    move(
        job,
        Job.Status.QUEUED,
        allowed=JOB_TRANSITIONS,
        progress=0,
        message="Waiting for a worker.",
        is_cancel_requested=False,
        ended_at=None,
        queued_at=timezone.now(),
    )
    ledger.append("job.retried", subject=job.ref, actor=actor, data={"attempts": job.attempts})
    _dispatch(job)
    return job


def _require(actor: Actor, action: str, job: Job) -> None:
    if job.project is not None:
        access.require(actor, action, job.project)


def requeue_lost_jobs() -> int:
    """Hand jobs of dead workers to the queue again; the claim decides who really runs them."""
    lost = Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__lt=timezone.now() - LEASE)
    for job in lost:
        with transaction.atomic():
            _dispatch(job)
    return len(lost)


def last_job(kind: str, subject_ref: str) -> Job | None:
    """Return the newest job of one kind on one subject."""
    return Job.objects.filter(kind=kind, subject_ref=subject_ref).order_by("-pk").first()
