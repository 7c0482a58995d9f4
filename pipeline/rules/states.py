"""Which status may follow which, for the rows of this app."""

from collections.abc import Mapping

JOB_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"running", "cancelled"}),
    # running -> running: a worker died, and another one takes the job over.
    "running": frozenset({"running", "done", "failed", "cancelled"}),
    "done": frozenset(),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset(),
}
ENDED_JOBS = frozenset({"done", "failed", "cancelled"})

DEPLOYMENT_TRANSITIONS: Mapping[str, frozenset[str]] = {
    # waiting -> waiting and serving -> waiting: another version stands promoted now.
    "waiting": frozenset({"waiting", "serving", "refused", "stopped"}),
    "serving": frozenset({"waiting", "refused", "stopped"}),
    "refused": frozenset({"waiting", "serving", "refused", "stopped"}),
    "stopped": frozenset(),
}
