"""Rules about objectives, baselines, benefit and the cost of running it."""

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    Row,
    amount,
    is_present,
    listed,
    number,
    rows,
    text,
)

OWN_BASELINES = frozenset({"current_process", "heuristic", "simple_model"})


def _of_kind(content: Content, kind: str) -> list[Row]:
    return [row for row in rows(content, "objectives") if text(row, "kind") == kind]


@rule("objective_business_missing", "objectives")
def _business(content: Content, _: Circumstances) -> Said:
    if not _of_kind(content, "business"):
        yield "Name at least one business objective."


@rule("objective_ml_missing", "objectives")
def _ml(content: Content, _: Circumstances) -> Said:
    if not _of_kind(content, "ml"):
        yield "Name at least one ML objective."


@rule("objective_economic_missing", "objectives", need="economic_objective")
def _economic(content: Content, around: Circumstances) -> Said:
    if not _of_kind(content, "economic"):
        yield f"Name an economic objective; the {around.tier} tier asks for one."


@rule("objective_baseline_unknown", "objectives")
def _baseline_value(content: Content, _: Circumstances) -> Said:
    unknown = [
        row
        for row in rows(content, "objectives")
        if number(row, "baseline_value") is None and not text(row, "baseline_task")
    ]
    if unknown:
        yield (
            "State today's value of every objective, or the task that finds it; missing for "
            f"{listed(text(row, 'statement') for row in unknown)}."
        )


def _unmeasured(content: Content, kind: str) -> Said:
    for row in _of_kind(content, kind):
        if number(row, "target_value") is None or not (text(row, "metric") and text(row, "method")):
            yield f"Give “{text(row, 'statement')}” a metric, a target and a way to measure it."


@rule("objective_business_unmeasured", "objectives")
def _business_unmeasured(content: Content, _: Circumstances) -> Said:
    return _unmeasured(content, "business")


@rule("objective_ml_unmeasured", "objectives")
def _ml_unmeasured(content: Content, _: Circumstances) -> Said:
    return _unmeasured(content, "ml")


@rule("objective_economic_unmeasured", "objectives", need="economic_objective")
def _economic_unmeasured(content: Content, _: Circumstances) -> Said:
    return _unmeasured(content, "economic")


@rule("baseline_own_missing", "baselines")
def _own_baseline(content: Content, _: Circumstances) -> Said:
    if not any(text(row, "kind") in OWN_BASELINES for row in rows(content, "baselines")):
        yield "Record a baseline of your own: today's process, a rule of thumb or a simple model."


@rule("baseline_unmeasured", "baselines")
def _measured_baseline(content: Content, _: Circumstances) -> Said:
    own = [row for row in rows(content, "baselines") if text(row, "kind") in OWN_BASELINES]
    if own and not any(row.get("metrics") for row in own):
        yield "Measure a baseline of your own: give it at least one metric."


@rule("benefit_order", "annual_benefit")
def _benefit_order(content: Content, _: Circumstances) -> Said:
    names = ("annual_benefit_low", "annual_benefit", "annual_benefit_high")
    values = [value for name in names if (value := number(content, name)) is not None]
    if values != sorted(values):
        yield "Low, likely and high benefit of a year: they must rise."


@rule("running_cost_unexplained", "annual_run_cost", need="explained_running_cost")
def _running_cost(content: Content, _: Circumstances) -> Said:
    names = ("annual_run_cost", "annual_maintenance_cost")
    free = [name for name in names if is_present(content, name) and not amount(content, name)]
    if free and not text(content, "cost_note"):
        what = listed(name.replace("_", " ") for name in free)
        yield f"Say in the cost note why this is zero: {what}."
