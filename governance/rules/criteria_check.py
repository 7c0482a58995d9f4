"""The check `criteria_met`: one result per criterion that the approved scope locked for a gate."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.rules.checks import CheckContext, CheckOutcome, ScopeFact, missing
from projects.rules import criteria


def criteria_met(params: Mapping[str, Any], context: CheckContext) -> Sequence[CheckOutcome]:
    """Judge the metrics of the run against the criteria of the approved scope."""
    gate = params.get("gate", context.gate)
    if context.scope is None:
        return [missing("There is no approved scope, so there are no criteria to judge by.")]
    content = context.scope.content
    chosen = [row for row in content.get("criteria") or () if gate in (row.get("gates") or ())]
    if not chosen:
        return [missing(f"The approved scope locks no criterion for the gate {gate}.")]
    baselines = {row["name"]: row.get("metrics") or {} for row in content.get("baselines") or ()}
    return [
        *_locked_late(context.scope, context),
        *(_judge(row, context, baselines) for row in chosen),
    ]


def _locked_late(scope: ScopeFact, context: CheckContext) -> list[CheckOutcome]:
    locked, started = scope.locked_at, context.attributes.get("run_started_at")
    if locked is None or not started:
        outcome, detail = "missing", {}
        message = "When the criteria were locked, or when the run started, is unknown."
    else:
        begun = datetime.fromisoformat(str(started))
        if locked <= begun:
            return []
        outcome = "fail"
        message = (
            f"The criteria were locked at {locked:%Y-%m-%d %H:%M:%S} UTC, after the run had "
            f"started at {begun:%Y-%m-%d %H:%M:%S} UTC; train again under the locked criteria."
        )
        detail = {"locked_at": locked.isoformat(), "run_started_at": begun.isoformat()}
    title = "The criteria were locked before the run started"
    return [CheckOutcome(outcome, message, detail, part="locked", title=title)]


def _judge(
    row: Mapping[str, Any], context: CheckContext, baselines: Mapping[str, Mapping[str, float]]
) -> CheckOutcome:
    result = criteria.evaluate(criteria.spec_of(row), context.metrics, baselines)
    due = row.get("by_date")
    is_due = row["level"] != "kill" or not due or context.now.date().isoformat() >= str(due)
    message = result.sentence
    if not is_due and not result.is_pass:
        message += f" It has to hold from {due} on."
    return CheckOutcome(
        result.state,
        message,
        {
            "metric": result.metric_key,
            "level": row["level"],
            "value": result.value,
            "threshold": result.limit,
            "greater_is_better": row["greater_is_better"],
        },
        part=str(row["key"]),
        title=str(row["title"]),
        is_blocking=row["level"] != "should" and is_due,
    )
