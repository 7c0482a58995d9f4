"""Do the work behind checks: governance keeps the queue, this pulls from it, one job a run."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from governance.models import CheckRun, GateReview
from governance.services import check_runs, reviews
from governance.services.binding import SubjectNow, subject_of
from governance.services.check_runs import Answer
from pipeline.ml.problems import DataProblem
from pipeline.models import Job
from pipeline.services import jobs, reproducing, sandbox
from projects.actors import Actor, system
from projects.errors import DomainError, RuleViolated, StaleState

CHECKS = system("checks")
#: How often a running check says that it lives and asks whether it is still wanted, in seconds.
_BEAT = 1.0

Report = Callable[[int, str], None]
Worker = Callable[[CheckRun, SubjectNow, Report], Answer]


def enqueue_waiting_check_runs() -> int:
    """Give every unfinished run its job, and end those whose job or review ended without them."""
    unfinished = CheckRun.objects.filter(
        status__in=[CheckRun.Status.QUEUED, CheckRun.Status.RUNNING]
    )
    return sum(_follow(run) for run in unfinished.select_related("review__project"))


def _follow(run: CheckRun) -> int:
    """Queue a job for a run that has none; return how many were queued."""
    job = _job_of(run)
    try:
        if run.review.status != GateReview.Status.OPEN:
            check_runs.cancel_check_run(run, actor=CHECKS)
            return 0
        if job is None and run.status == CheckRun.Status.QUEUED:
            new = jobs.NewJob(Job.Kind.RUN_CHECK, run.review.project, run.ref)
            jobs.enqueue(new, actor=CHECKS)
            return 1
        if job is not None and job.status == Job.Status.CANCELLED:
            check_runs.cancel_check_run(run, actor=CHECKS)
        if job is not None and job.status == Job.Status.FAILED:
            check_runs.fail_check_run(run, job.message, actor=CHECKS)
    except StaleState:
        pass  # It ended by itself just now.
    return 0


def _job_of(run: CheckRun) -> Job | None:
    """Return the job of a run since it was last asked for."""
    found = Job.objects.filter(
        kind=Job.Kind.RUN_CHECK, subject_ref=run.ref, queued_at__gte=run.requested_at
    )
    return found.order_by("-pk").first()


def run_check(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Do the work of the run that the job names, store what it found, and judge the review again.

    Raises:
        RuleViolated: code `check_run_not_waiting`, or why the work cannot be done.
    """
    run = CheckRun.objects.select_related("review__policy_version", "review__project").get(
        pk=int(job.subject_ref.rpartition(":")[2])
    )
    if not check_runs.claim_check_run(run, worker=job.ref, actor=CHECKS):
        raise RuleViolated(
            f"The check is {run.status}; start it again on the page of the review.",
            code="check_run_not_waiting",
        )
    try:
        answer = _work(run, _reporter(job, run))
    except jobs.JobCancelled:
        _drop(run)
        raise
    except (DomainError, DataProblem, sandbox.ScriptFailed) as problem:
        check_runs.fail_check_run(run, _sentence(problem), actor=CHECKS)
        return {"check_run": run.ref, "outcome": "error"}
    check_runs.finish_check_run(run, answer, actor=CHECKS)
    _judge_again(run)
    return {"check_run": run.ref, "outcome": answer.outcome}


def _work(run: CheckRun, report: Report) -> Answer:
    report(2, "Reading the subject.")
    subject = subject_of(run.review)
    check_runs.require_bound(run, subject)
    return _WORKERS[run.kind](run, subject, report)


def _run_script(run: CheckRun, subject: SubjectNow, report: Report) -> Answer:
    script = check_runs.script_of(run)
    facts = check_runs.facts_for_script(run, subject)
    words = f"Running the script {script.name}, {script.timeout_seconds} seconds at most."
    report(10, words)
    last = [time.monotonic()]

    def tick() -> None:
        if time.monotonic() - last[0] >= _BEAT:
            report(10, words)
            last[0] = time.monotonic()

    said = sandbox.run_script(script.source, facts, seconds=script.timeout_seconds, tick=tick)
    message = said.message or f"The script {script.name} says {'yes' if said.passed else 'no'}."
    if said.unguarded:
        message += f" This machine could not close off its {', '.join(said.unguarded)}."
    return Answer("pass" if said.passed else "fail", message, said.values)


_WORKERS: Mapping[str, Worker] = {
    CheckRun.Kind.SCRIPT: _run_script,
    CheckRun.Kind.REPRODUCTION: reproducing.reproduce,
}


def _reporter(job: Job, run: CheckRun) -> Report:
    def report(percent: int, message: str) -> None:
        jobs.step(job, percent, message)
        if not check_runs.report_progress(run, percent, message):
            raise jobs.JobCancelled

    return report


def _drop(run: CheckRun) -> None:
    """Cancel the run unless it was the run itself that was cancelled."""
    run.refresh_from_db()
    if run.status == CheckRun.Status.RUNNING:
        check_runs.cancel_check_run(run, actor=CHECKS)


def _sentence(problem: DomainError | DataProblem | sandbox.ScriptFailed) -> str:
    return str(getattr(problem, "message", problem))


def _judge_again(run: CheckRun) -> None:
    """Let the requirement list show what was found; a review that is over keeps its results."""
    try:
        reviews.evaluate_review(run.review, actor=CHECKS)
    except DomainError:
        # Somebody signed or ended it in the same moment, which judged it again, or for good.
        return
