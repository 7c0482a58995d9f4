"""Rules about criteria, and about constraints that have to become criteria."""

from collections import Counter

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    Row,
    amount,
    listed,
    number,
    rows,
    text,
)

CONDITIONS = (
    "threshold",
    "min_absolute_change",
    "min_relative_change",
    "max_absolute_drop",
    "max_relative_drop",
)
_CHANGES = CONDITIONS[1:]
#: A criterion may also be measured from whatever is in production when it is judged.
CHAMPION = "champion"
#: Or from another metric of the same run, as the gap between a slice and the whole is.
SAME_RUN = "same_run:"
#: Kill criteria are judged when a sprint closes; these are judged at gates alone.
_JUDGED_AT_GATES = frozenset({"must", "guardrail"})


def _keys(found: list[Row]) -> str:
    return listed(text(row, "key") for row in found)


def _of_level(content: Content, level: str) -> list[Row]:
    return [row for row in rows(content, "criteria") if text(row, "level") == level]


@rule("criterion_must_missing", "criteria")
def _must(content: Content, _: Circumstances) -> Said:
    if not _of_level(content, "must"):
        yield "Add a must criterion: a number the model has to reach."


@rule("criterion_guardrail_missing", "criteria")
def _guardrail(content: Content, _: Circumstances) -> Said:
    if not _of_level(content, "guardrail"):
        yield "Add a guardrail: something that must not get worse."


@rule("criterion_kill_missing", "criteria")
def _kill(content: Content, _: Circumstances) -> Said:
    if not _of_level(content, "kill"):
        yield "Add a kill criterion: what has to be true by a date, or the project stops."


@rule("criterion_key_twice", "criteria")
def _twice(content: Content, _: Circumstances) -> Said:
    counts = Counter(text(row, "key") for row in rows(content, "criteria"))
    if twice := [key for key, count in counts.items() if count > 1]:
        yield f"Every criterion needs a key of its own; used twice: {listed(twice)}."


@rule("criterion_without_condition", "criteria")
def _condition(content: Content, _: Circumstances) -> Said:
    bare = [
        row
        for row in rows(content, "criteria")
        if all(number(row, name) is None for name in CONDITIONS)
    ]
    if bare:
        yield f"Give a threshold, a minimum change or a maximum drop to {_keys(bare)}."


@rule("criterion_without_gate", "criteria")
def _gate(content: Content, _: Circumstances) -> Said:
    for row in rows(content, "criteria"):
        if text(row, "level") in _JUDGED_AT_GATES and not row.get("gates"):
            yield (
                f"Name the gate that judges the criterion {text(row, 'key')}; no gate would read "
                "it."
            )


@rule("criterion_without_role", "criteria")
def _role(content: Content, _: Circumstances) -> Said:
    # A content without the field at all gets the model's default.
    if bare := [row for row in rows(content, "criteria") if row.get("dataset_role") == ""]:
        yield f"Say on which data it is measured: {_keys(bare)}."


@rule("criterion_kill_undated", "criteria")
def _date(content: Content, _: Circumstances) -> Said:
    undated = [
        row
        for row in _of_level(content, "kill")
        if not text(row, "by_date") and number(row, "by_sprint") is None
    ]
    if undated:
        yield f"A kill criterion needs the date or the sprint by which it holds: {_keys(undated)}."


@rule("criterion_baseline_unknown", "criteria")
def _baseline(content: Content, _: Circumstances) -> Said:
    known = {text(row, "name"): row.get("metrics") or {} for row in rows(content, "baselines")}
    for row in rows(content, "criteria"):
        if not _is_measurable(row, known):
            yield (
                f"The criterion {text(row, 'key')} is measured from the baseline "
                f"{text(row, 'baseline') or '(none named)'}, which has no "
                f"{text(row, 'metric_key')}."
            )


def _is_measurable(criterion: Row, baselines: Content) -> bool:
    if all(number(criterion, name) is None for name in _CHANGES):
        return True
    name = text(criterion, "baseline")
    if name == CHAMPION or name.startswith(SAME_RUN):
        return True
    return text(criterion, "metric_key") in baselines.get(name, {})


@rule("criterion_unreasoned", "criteria")
def _reason(content: Content, _: Circumstances) -> Said:
    if bare := [row for row in rows(content, "criteria") if not text(row, "rationale")]:
        yield f"Say why the criterion stands where it stands: {_keys(bare)}."


@rule("criterion_slices_missing", "criteria", need="slice_criteria")
def _slices(content: Content, around: Circumstances) -> Said:
    if not any(text(row, "slice") for row in rows(content, "criteria")):
        yield f"Let a criterion look at a slice of the data; the {around.tier} tier asks for it."


@rule("criterion_confidence_missing", "criteria", need="confidence_criteria")
def _confidence(content: Content, around: Circumstances) -> Said:
    sure = [
        row
        for row in _of_level(content, "must")
        if text(row, "confidence_key") or amount(row, "min_runs") > 1
    ]
    if not sure:
        yield (
            "Compare a confidence bound or several seeds in a must criterion; the "
            f"{around.tier} tier asks for it."
        )


@rule("constraint_without_guardrail", "constraints")
def _constraints(content: Content, _: Circumstances) -> Said:
    guardrails = {text(row, "key") for row in _of_level(content, "guardrail")}
    loose = [
        row
        for row in rows(content, "constraints")
        if row.get("is_hard")
        and number(row, "limit") is not None
        and text(row, "criterion_key") not in guardrails
    ]
    if loose:
        yield (
            "A hard constraint with a number is checked by a guardrail; name the guardrail of "
            f"{listed(text(row, 'statement') for row in loose)}."
        )
