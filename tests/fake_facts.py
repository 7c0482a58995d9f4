"""Runs and gates as a test says they are, in the place of what upper layers know."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from projects.facts import GateFact, RunFact
from projects.models import Project

RUNS: list[RunFact] = []
GATES: list[GateFact] = []


def runs_of(_project: Project) -> Sequence[RunFact]:
    return list(RUNS)


def gates_of(_project: Project) -> Sequence[GateFact]:
    return list(GATES)


def a_run(run_id: str, **fields: Any) -> RunFact:
    """Let the project have a run: finished, eligible and launched by sam unless told otherwise."""
    started = timezone.now() - timedelta(hours=1)
    known: dict[str, Any] = {
        "name": run_id,
        "status": "FINISHED",
        "started_at": started,
        "ended_at": started + timedelta(minutes=5),
        "metrics": {"validation_roc_auc": 0.8},
        "work_item": None,
        "sprint": None,
        "launched_by": "sam",
        "is_eligible": True,
        "compute_seconds": 300.0,
        "url": "",
        "commit": "0" * 40,
        **fields,
    }
    run = RunFact(run_id=run_id, **known)
    RUNS.append(run)
    return run


def a_gate(gate: str, subject_ref: str, **fields: Any) -> GateFact:
    """Let the project have passed a gate, unless told otherwise."""
    now = timezone.now()
    known: dict[str, Any] = {
        "subject_kind": subject_ref.partition(":")[0],
        "subject_label": subject_ref,
        "status": "approved",
        "requested_at": now,
        "decided_at": now,
        "due_on": None,
        "expires_at": None,
        "url": "",
        **fields,
    }
    fact = GateFact(review=len(GATES) + 1, gate=gate, subject_ref=subject_ref, **known)
    GATES.append(fact)
    return fact
