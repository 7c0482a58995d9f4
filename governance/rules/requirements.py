"""The named checks that a policy's requirements refer to, and how a requirement is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from governance.rules import criteria_check, separation
from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    EvidenceFact,
    failed,
    missing,
    passed,
)
from governance.rules.policy import RequirementRule, Vocabulary

Params = Mapping[str, Any]
Check = Callable[[Params, CheckContext], CheckOutcome | Sequence[CheckOutcome]]
SEVERITIES = ("low", "medium", "high", "critical")
#: Outcomes that let a gate pass. A result that is absent never does.
HOLDING = frozenset({"pass", "waived"})
DATASHEET_SECTIONS = (
    "motivation",
    "composition",
    "collection",
    "preprocessing",
    "uses",
    "distribution",
    "maintenance",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One result of one requirement, ready to be stored."""

    key: str
    title: str
    check: str
    outcome: str
    message: str
    is_blocking: bool
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return self.outcome in HOLDING or not self.is_blocking


def judge_requirement(rule: RequirementRule, context: CheckContext) -> list[Judged]:
    """Judge one requirement; a check that breaks yields `error`, and nothing yields `missing`."""
    try:
        answer = CHECKS[rule.check].run(rule.params, context)
    except Exception as error:  # noqa: BLE001 - a broken check must block, not escape
        answer = CheckOutcome(
            "error",
            f"The check {rule.check} broke: {type(error).__name__}: {error}. "
            "This blocks the gate until it is repaired.",
        )
    outcomes = [answer] if isinstance(answer, CheckOutcome) else list(answer)
    if not outcomes:
        outcomes = [missing("There was nothing to judge, and nothing is never enough.")]
    return [_judged(rule, outcome) for outcome in outcomes]


def judge_identities(context: CheckContext) -> list[Judged]:
    """Judge the condition that holds at every gate: whoever did the work is a known person."""
    blocker = separation.unmapped_blocker(context.unmapped)
    if not blocker:
        return []
    title = "Everybody who did the work is known"
    detail = {"unmapped": list(context.unmapped)}
    return [
        Judged(
            "identities",
            title,
            "identities_mapped",
            "fail",
            blocker,
            is_blocking=True,
            detail=detail,
        )
    ]


def apply_waivers(judged: Sequence[Judged], waived: Mapping[str, str]) -> list[Judged]:
    """Turn every result that does not hold and has a live waiver into `waived`."""
    return [
        one if one.holds or one.key not in waived else _waived(one, waived[one.key])
        for one in judged
    ]


def _waived(one: Judged, waiver: str) -> Judged:
    return Judged(
        one.key,
        one.title,
        one.check,
        "waived",
        f"Waived ({waiver}). Without the waiver: {one.message}",
        one.is_blocking,
        {**one.detail, "waiver": waiver, "outcome_without": one.outcome},
    )


def _judged(rule: RequirementRule, outcome: CheckOutcome) -> Judged:
    key = f"{rule.key}.{outcome.part}" if outcome.part else rule.key
    return Judged(
        key=key[:100],
        title=(outcome.title or rule.title)[:300],
        check=rule.check,
        outcome=outcome.outcome,
        message=outcome.message,
        is_blocking=rule.blocking and outcome.is_blocking,
        detail=outcome.detail,
    )


def _scope_ready(params: Params, context: CheckContext) -> CheckOutcome:
    score, threshold = (
        context.attributes.get("readiness_score"),
        context.attributes.get("threshold"),
    )
    if score is None or threshold is None:
        return missing("The scope was not assessed.")
    blockers = list(context.attributes.get("blockers") or ())
    if blockers:
        return failed(" ".join(blockers), blockers=blockers, value=score, threshold=threshold)
    if deviations := list(context.attributes.get("deviations") or ()):
        return failed(" ".join(deviations), deviations=deviations)
    if score < threshold:
        return failed(
            f"The readiness score is {score}; this tier needs {threshold}.",
            value=score,
            threshold=threshold,
        )
    return passed(
        f"The readiness score is {score} of at least {threshold}, and nothing blocks.",
        value=score,
        threshold=threshold,
    )


def _run_finished(params: Params, context: CheckContext) -> CheckOutcome:
    status = context.attributes.get("run_status")
    if not status:
        return missing("The model version names no training run.")
    if status != "FINISHED":
        return failed(f"The training run is {status}, not FINISHED.", value=status)
    return passed("The training run finished.", value=status)


def _commit_recorded(params: Params, context: CheckContext) -> CheckOutcome:
    commit = context.attributes.get("commit")
    if not commit:
        return missing("The run records no commit of the code.")
    if context.attributes.get("commit_dirty") and not params.get("allow_dirty", False):
        return failed(
            f"The code was changed after commit {commit[:12]} without being committed.",
            commit=commit,
        )
    return passed(f"The run records commit {commit[:12]}.", commit=commit)


def _signature_present(params: Params, context: CheckContext) -> CheckOutcome:
    if context.attributes.get("signature"):
        return passed("The model declares its inputs and outputs.")
    return missing("The model declares no signature; log it with an input example.")


def _dataset_logged(params: Params, context: CheckContext) -> CheckOutcome:
    refs = list(context.attributes.get("dataset_refs") or ())
    if not refs:
        return missing("The run logs no registered dataset version.")
    return passed(f"The run logs {len(refs)} registered dataset version(s).", datasets=refs)


def _dataset_approved(params: Params, context: CheckContext) -> CheckOutcome:
    if not context.datasets:
        return missing("The run logs no registered dataset version.")
    refused = [dataset for dataset in context.datasets if not dataset.is_approved]
    if refused:
        return failed(
            " ".join(f"{dataset.label}: {dataset.reason}" for dataset in refused),
            datasets=[dataset.ref for dataset in refused],
        )
    names = ", ".join(dataset.label for dataset in context.datasets)
    return passed(f"The data gate stands approved for {names}.")


def _datasheet_complete(params: Params, context: CheckContext) -> CheckOutcome:
    sheet = context.attributes.get("datasheet") or {}
    sections = list(params.get("sections") or DATASHEET_SECTIONS)
    absent = [name for name in sections if not _filled(sheet.get(name))]
    if not _filled(sheet.get("columns")):
        absent.append("columns")
    if absent:
        return missing(f"The datasheet lacks: {', '.join(absent)}.", sections=absent)
    return passed(f"The datasheet has all {len(sections)} sections and its columns.")


def _filled(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _leaks_excluded(params: Params, context: CheckContext) -> CheckOutcome:
    if "leaks" not in context.attributes:
        return missing("Nobody said which columns are known when a prediction is made.")
    leaks = [str(name) for name in context.attributes["leaks"] or ()]
    if context.scope is None:
        return missing("Without an approved scope nobody said which columns are used.")
    notes = {str(note["column"]): note for note in context.scope.content.get("feature_notes") or ()}
    used = [name for name in leaks if notes.get(name, {}).get("is_used")]
    unmarked = sorted(
        name
        for name, note in notes.items()
        if not note.get("is_known_at_prediction") and name not in leaks
    )
    if used:
        return failed(
            f"The scope uses {', '.join(used)}, unknown when a prediction is made.", columns=used
        )
    if unmarked:
        return failed(
            f"The scope says that {', '.join(unmarked)} is unknown when a prediction is made; "
            "the datasheet does not mark it.",
            columns=unmarked,
        )
    if not leaks:
        return passed("Every column is known when a prediction is made.", columns=[])
    return passed(
        f"Marked as unknown at prediction and left out: {', '.join(leaks)}.", columns=leaks
    )


def _files_unchanged(params: Params, context: CheckContext) -> CheckOutcome:
    bound, now = context.bound.get("model_files"), context.bindings.get("model_files")
    if not bound or not now:
        return missing("The model version's files have no digest.")
    if bound != now:
        return CheckOutcome(
            "mismatch",
            f"The files were {bound[:12]} when the review opened and are {now[:12]} now.",
            {"bound": bound, "now": now},
        )
    return passed(f"The files still have the digest {now[:12]}.", digest=now)


def _format_safe(params: Params, context: CheckContext) -> CheckOutcome:
    problem = context.attributes.get("format_problem")
    if problem is None:
        return missing("Nobody examined the format of the files.")
    return (
        failed(str(problem)) if problem else passed("The files load without running foreign code.")
    )


def _no_open_findings(params: Params, context: CheckContext) -> CheckOutcome:
    least = SEVERITIES.index(params.get("severity", "high"))
    grave = [one for one in context.findings if SEVERITIES.index(one.severity) >= least]
    if grave:
        titles = "; ".join(f"{one.title} ({one.severity}, {one.status})" for one in grave)
        return failed(f"Not yet verified and closed: {titles}.", count=len(grave))
    return passed(f"No finding of severity {SEVERITIES[least]} or graver is open.", count=0)


def _evidence_present(params: Params, context: CheckContext) -> CheckOutcome:
    kinds = [params["kind"]] if "kind" in params else list(params["any_of"])
    words = " or ".join(str(kind).replace("_", " ") for kind in kinds)
    found = [one for one in context.evidence if one.kind in kinds]
    if not found:
        return missing(f"There is no {words}.", kinds=kinds)
    newest = max(found, key=lambda one: one.produced_at)
    return _fresh_enough(newest, params.get("max_age_days"), context.now)


def _fresh_enough(one: EvidenceFact, max_age_days: int | None, now: datetime) -> CheckOutcome:
    detail = {"kind": one.kind, "produced_at": one.produced_at.isoformat()}
    age = now - one.produced_at
    if max_age_days is not None and age > timedelta(days=max_age_days):
        return CheckOutcome(
            "stale",
            f"{one.title} is {age.days} days old; it may be {max_age_days} at most.",
            {**detail, "age_days": age.days, "max_age_days": max_age_days},
        )
    return passed(f"{one.title} is on record.", **detail)


def _champion_compared(params: Params, context: CheckContext) -> CheckOutcome:
    if not context.champion:
        return passed("There is no champion to compare with yet.")
    found = [one for one in context.evidence if one.kind == "champion_comparison"]
    if not found:
        return missing(f"It was not compared with the champion, {context.champion}.")
    newest = max(found, key=lambda one: one.produced_at)
    against = newest.data.get("champion_version")
    if against is not None and against != context.champion_version:
        return CheckOutcome(
            "stale", f"It was compared with v{against}; the champion is {context.champion} now."
        )
    return passed(f"It was compared with the champion, {context.champion}.")


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check and the parameters it understands."""

    run: Check
    params: frozenset[str] = frozenset()


CHECKS: Mapping[str, NamedCheck] = {
    "scope_ready": NamedCheck(_scope_ready),
    "criteria_met": NamedCheck(criteria_check.criteria_met, frozenset({"gate"})),
    "run_finished": NamedCheck(_run_finished),
    "commit_recorded": NamedCheck(_commit_recorded, frozenset({"allow_dirty"})),
    "signature_present": NamedCheck(_signature_present),
    "dataset_logged": NamedCheck(_dataset_logged),
    "dataset_approved": NamedCheck(_dataset_approved),
    "datasheet_complete": NamedCheck(_datasheet_complete, frozenset({"sections"})),
    "leaks_excluded": NamedCheck(_leaks_excluded),
    "files_unchanged": NamedCheck(_files_unchanged),
    "format_safe": NamedCheck(_format_safe),
    "no_open_findings": NamedCheck(_no_open_findings, frozenset({"severity"})),
    "evidence_present": NamedCheck(
        _evidence_present, frozenset({"kind", "any_of", "max_age_days"})
    ),
    "champion_compared": NamedCheck(_champion_compared),
    "policy_parses": NamedCheck(
        lambda params, context: (
            passed("The text is a policy that can be used.")
            if context.attributes.get("parses")
            else failed("The text is no policy that can be used.")
        )
    ),
}

VOCABULARY = Vocabulary(
    checks={name: check.params for name, check in CHECKS.items()},
    separation=frozenset(separation.SWITCHABLE),
)
