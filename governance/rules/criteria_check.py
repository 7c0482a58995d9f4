"""The check `criteria_met`: one result per criterion that the approved scope locked for a gate."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from governance.rules.checks import CheckContext, CheckOutcome, ScopeFact, Source, missing
from governance.rules.staleness import compare_bindings
from projects.rules import criteria
from projects.rules.criteria import CriterionResult, CriterionSpec
from projects.rules.criterion_facts import CriterionFacts, Numbers
from projects.rules.loosening import baselines_of

#: Kind of the evidence by which somebody vouches for a criterion that no number tells: its data
#: holds `criterion` (the key) and `holds` (true or false) or `value` (a number).
ATTESTATION = "attestation"


def criteria_met(params: Mapping[str, Any], context: CheckContext) -> Sequence[CheckOutcome]:
    """Judge the metrics of the run against the criteria of the approved scope."""
    gate = params.get("gate", context.gate)
    if context.scope is None:
        return [missing("There is no approved scope, so there are no criteria to judge by.")]
    content = context.scope.content
    chosen = [row for row in content.get("criteria") or () if gate in (row.get("gates") or ())]
    if not chosen:
        return [missing(f"The approved scope locks no criterion for the gate {gate}.")]
    facts = facts_from(context, baselines_of(content))
    judged = [_judge(row, context, facts) for row in chosen]
    return [*_locked_late(context.scope, context), *judged, *_nothing_decides(judged, gate)]


def facts_from(context: CheckContext, baselines: Mapping[str, Numbers]) -> CriterionFacts:
    """Return what criteria may look at, from what is known of the subject."""
    asked = context.attributes.get("criterion_facts") or {}
    monitoring = asked.get("monitoring") or {}
    return CriterionFacts(
        metrics=context.metrics,
        baselines=baselines,
        champion=context.champion_metrics,
        params=asked.get("params") or {},
        tags=asked.get("tags") or {},
        artifacts=asked.get("artifacts") or {},
        dataset=asked.get("dataset") or {},
        monitoring=monitoring.get("numbers") or {},
        attestations={key: value for key, (value, _) in _attestations(context).items()},
        seed_runs=asked.get("seed_runs") or (),
        run_id=str(context.attributes.get("run_id") or ""),
        dataset_refs=frozenset(context.attributes.get("dataset_refs") or ()),
        dataset_digest=str(asked.get("dataset_digest") or ""),
        test_uses=asked.get("test_uses"),
        stale=_stale(context, monitoring),
        today=context.now.date(),
        sprints_ended=context.sprints_ended,
    )


def _attestations(context: CheckContext) -> dict[str, tuple[object, datetime]]:
    """Return the newest attestation of each criterion: its number, or whether it holds."""
    found: dict[str, tuple[object, datetime]] = {}
    for one in sorted(context.evidence, key=lambda evidence: evidence.produced_at):
        if one.kind == ATTESTATION and one.data.get("criterion"):
            value = one.data.get("value", one.data.get("holds"))
            found[str(one.data["criterion"])] = (value, one.produced_at)
    return found


#: Which bound part each source is read from; once it moved, what was read is old.
_READ_FROM = {
    "metric": ("run", "dataset"),
    "param": ("run",),
    "tag": ("run",),
    "artifact": ("model_files",),
    "dataset": ("dataset",),
}


def _stale(context: CheckContext, monitoring: Mapping[str, Any]) -> dict[str, str]:
    moved = {part.part.partition(":")[0] for part in compare_bindings(context.bound, _now(context))}
    found = {
        source: "what it was read from changed since the review bound it."
        for source, parts in _READ_FROM.items()
        if moved & set(parts)
    }
    if monitoring and (late := _late_report(monitoring, context.now)):
        found["monitoring"] = late
    return found


def _now(context: CheckContext) -> Mapping[str, str]:
    # What the review never bound has not moved.
    return {part: digest for part, digest in context.bindings.items() if part in context.bound}


def _late_report(monitoring: Mapping[str, Any], now: datetime) -> str:
    """Return why a report is too old: after two more of its windows there should be a newer one."""
    start = datetime.fromisoformat(str(monitoring["window_start"]))
    end = datetime.fromisoformat(str(monitoring["window_end"]))
    if now <= end + 2 * (end - start):
        return ""
    return f"the newest report ends on {end:%Y-%m-%d}."


def _nothing_decides(judged: Sequence[CheckOutcome], gate: str) -> list[CheckOutcome]:
    if any(one.is_blocking for one in judged):
        return []
    message = f"No criterion of the gate {gate} blocks now, and judging nothing is no pass."
    return [
        CheckOutcome(
            "missing", message, part="gate.deciding", title="At least one criterion decides"
        )
    ]


def _locked_late(scope: ScopeFact, context: CheckContext) -> list[CheckOutcome]:
    locked, started = scope.locked_at, context.attributes.get("run_started_at")
    if locked is None or not started:
        outcome, compared = "missing", {}
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
        compared = {"locked_at": locked.isoformat(), "run_started_at": begun.isoformat()}
    title = "The criteria were locked before the run started"
    sources = (scope.source, context.run)
    return [CheckOutcome(outcome, message, compared, sources, part="locked", title=title)]


def _judge(row: Mapping[str, Any], context: CheckContext, facts: CriterionFacts) -> CheckOutcome:
    criterion = criteria.spec_of(row)
    if criterion.source == ATTESTATION and (old := _old_attestation(criterion.key, context)):
        facts = replace(facts, stale={**facts.stale, ATTESTATION: old})
    result = criteria.judge(criterion, facts)
    message = result.sentence
    if not result.is_pass and not criteria.is_due(criterion, facts):
        due = row.get("by_date") or f"the end of sprint {row.get('by_sprint')}"
        message += f" It has to hold from {due} on."
    return CheckOutcome(
        result.state,
        message,
        _compared(criterion, result, facts),
        _sources(criterion, context, facts),
        part=str(row["key"]),
        title=str(row["title"]),
        is_blocking=result.is_blocking,
    )


def _old_attestation(key: str, context: CheckContext) -> str:
    started = context.attributes.get("run_started_at")
    _, produced = _attestations(context).get(key, (None, None))
    if produced is None or not started or produced >= datetime.fromisoformat(str(started)):
        return ""
    return f"it was attested on {produced:%Y-%m-%d}, before the run that is judged."


#: Where the number behind a criterion was read, by the criterion's own word for it.
_KEPT_BY_RUN = frozenset({"metric", "param", "tag"})


def _sources(
    criterion: CriterionSpec, context: CheckContext, facts: CriterionFacts
) -> tuple[Source, ...]:
    sources = [context.scope.source] if context.scope else []
    if criterion.source == ATTESTATION:
        said = [
            one
            for one in context.evidence
            if one.kind == ATTESTATION and one.data.get("criterion") == criterion.key
        ]
        newest = max(said, key=lambda one: one.produced_at, default=None)
        return (*sources, *([newest.source] if newest else []))
    sources.append(context.run if criterion.source in _KEPT_BY_RUN else context.subject)
    digest = facts.dataset_digest
    return (*sources, *(Source(ref, digest) for ref in sorted(facts.dataset_refs)))


def _compared(
    criterion: CriterionSpec, result: CriterionResult, facts: CriterionFacts
) -> dict[str, Any]:
    return {
        "metric": result.metric_key,
        "read_from": criterion.source,
        "slice": criterion.slice,
        "level": criterion.level,
        "value": result.value,
        "compared": result.compared,
        "operator": ">=" if criterion.greater_is_better else "<=",
        "threshold": result.limit,
        "run_id": facts.run_id,
        "dataset_digest": facts.dataset_digest,
        "evaluator": criteria.EVALUATOR,
    }
