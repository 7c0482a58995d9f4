"""Periodic tasks, registered by name so that registering twice changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task and how often it runs; the first run comes one period after registration."""

    task: str
    minutes: int


SCHEDULES: Mapping[str, Periodic] = {
    # The poller applies promotions within a second; this one covers a poller that died.
    "apply waiting promotions": Periodic("pipeline.tasks.apply_waiting_promotions", 1),
    "enqueue waiting checks": Periodic("pipeline.tasks.enqueue_waiting_checks", 1),
    "requeue lost jobs": Periodic("pipeline.tasks.requeue_lost_jobs", 1),
    "reconcile the registry": Periodic("pipeline.tasks.reconcile_registry", 15),
    "run due monitors": Periodic("pipeline.tasks.run_due_monitors", 24 * 60),
    "run due retraining": Periodic("pipeline.tasks.run_due_retraining", 24 * 60),
    "expire time boxes": Periodic("pipeline.tasks.expire_time_boxes", 5),
    "sweep reviews": Periodic("pipeline.tasks.sweep_reviews", 15),
    "expire approvals": Periodic("pipeline.tasks.expire_due", 5),
    "send notices": Periodic("pipeline.tasks.send_notices", 5),
}


def register_schedules() -> int:
    """Write the schedule rows; return how many were new."""
    from django_q.models import Schedule

    created = 0
    for name, periodic in SCHEDULES.items():
        fixed = {
            "func": periodic.task,
            "schedule_type": Schedule.MINUTES,
            "minutes": periodic.minutes,
            "repeats": -1,
        }
        first = timezone.now() + timedelta(minutes=periodic.minutes)
        _, is_new = Schedule.objects.update_or_create(
            name=name, defaults=fixed, create_defaults={**fixed, "next_run": first}
        )
        created += is_new
    return created
