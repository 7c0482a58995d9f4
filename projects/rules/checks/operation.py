"""Rules about serving, watching and overseeing it, and the organisation's own fields."""

from jsonschema import Draft202012Validator

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import Circumstances, Content, listed, number, rows, text

#: Modes in which somebody waits for the answer.
_WAITED_FOR = frozenset({"online", "stream"})
_PERFORMANCE = frozenset({"performance", "business"})
_DATA = frozenset({"data_quality", "drift"})
_DECIDING = frozenset({"decide_with_review", "decide"})


@rule("latency_unstated", "latency_limit_ms", judges_absence=True)
def _latency(content: Content, _: Circumstances) -> Said:
    waits = text(content, "deployment_mode") in _WAITED_FOR
    if waits and number(content, "latency_limit_ms") is None:
        yield "Somebody waits for the answer; state the longest time it may take."


@rule("latency_without_guardrail", "latency_limit_ms")
def _latency_guardrail(content: Content, _: Circumstances) -> Said:
    guarded = any(
        text(row, "level") == "guardrail" and "latency" in text(row, "metric_key").lower()
        for row in rows(content, "criteria")
    )
    if not guarded:
        yield "The longest latency is a number; add a guardrail on a latency metric that checks it."


@rule("monitoring_performance_missing", "monitoring_plan")
def _performance(content: Content, _: Circumstances) -> Said:
    if not {text(row, "signal") for row in rows(content, "monitoring_plan")} & _PERFORMANCE:
        yield "Watch the performance, or a business figure that stands for it."


@rule("monitoring_data_missing", "monitoring_plan")
def _data(content: Content, _: Circumstances) -> Said:
    if not {text(row, "signal") for row in rows(content, "monitoring_plan")} & _DATA:
        yield "Watch the data: its quality or its drift."


@rule("monitoring_unowned", "monitoring_plan")
def _unowned(content: Content, _: Circumstances) -> Said:
    loose = [
        row
        for row in rows(content, "monitoring_plan")
        if not (row.get("owner") and text(row, "action"))
    ]
    if loose:
        names = listed(f"{text(row, 'signal')} {text(row, 'metric')}".strip() for row in loose)
        yield f"Name for every signal who acts and what they do; missing for {names}."


@rule("oversight_missing", "oversight_person", judges_absence=True)
def _oversight(content: Content, _: Circumstances) -> Said:
    names = ("oversight_person", "oversight_override", "oversight_stop")
    missing = [name for name in names if not text(content, name)]
    if text(content, "autonomy") in _DECIDING and missing:
        what = listed(name.replace("_", " ") for name in missing)
        yield f"The model decides, so a person has to be able to step in; missing: {what}."


@rule("custom_field_invalid", "custom_fields", judges_absence=True)
def _custom(content: Content, around: Circumstances) -> Said:
    validator = Draft202012Validator(dict(around.policy.custom_fields))
    for error in validator.iter_errors(content.get("custom_fields") or {}):
        where = ".".join(map(str, error.absolute_path)) or "the fields of your organisation"
        yield f"{where}: {error.message}."
