"""What the queue calls: ids in, one service call, no logic."""


def run_job(job_id: int) -> None:
    """Run one background job."""
    from pipeline.services import jobs

    jobs.run_job(job_id)


def requeue_lost_jobs() -> int:
    """Hand jobs of dead workers to the queue again."""
    from pipeline.services import jobs

    return jobs.requeue_lost_jobs()


def apply_waiting_promotions() -> int:
    """Carry out every approved promotion and retirement that nobody is at."""
    from pipeline.services import promoting

    return promoting.apply_waiting_promotions() + promoting.retire_waiting_promotions()


def enqueue_waiting_checks() -> int:
    """Queue a job for every check that was asked for and nobody works on."""
    from pipeline.services import check_work

    return check_work.enqueue_waiting_check_runs()


def run_due_monitors() -> int:
    """Queue a monitor job for every window that has ended."""
    from pipeline.services import monitoring

    return monitoring.enqueue_due_monitors()


def run_due_retraining() -> int:
    """Queue a retraining job for every policy whose time has come."""
    from pipeline.services import retraining

    return retraining.enqueue_due_retraining()


def reconcile_registry() -> int:
    """Compare MLflow's aliases and files with the decisions."""
    from pipeline.services import reconcile

    return reconcile.reconcile_on_schedule()


def expire_due() -> int:
    """End approvals, overrides and waivers whose time is over; warn of what is late."""
    from django.utils import timezone

    from governance.services import expiry
    from projects.actors import system

    return expiry.expire_due(timezone.now(), actor=system("governance")).total


def sweep_reviews() -> int:
    """Read again what open and approved reviews bind; return how many went stale."""
    from governance.services import sweeping
    from projects.actors import system

    return len(sweeping.sweep(actor=system("governance")).stale)


def expire_time_boxes() -> int:
    """End work items whose hard time box is over."""
    from django.utils import timezone

    from projects.actors import system
    from projects.services import time_boxes

    return time_boxes.expire_due(timezone.now(), actor=system("clock"))


def send_notices() -> int:
    """Send the notices about reviews that are due by e-mail."""
    from django.utils import timezone

    from governance.services import notice_emails

    return notice_emails.send_due(timezone.now()).sent
