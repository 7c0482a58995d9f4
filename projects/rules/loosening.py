"""Whether a criterion became easier to pass, field by field.

Where two values cannot be compared (another metric, another slice, another data set), nobody can
show that the new one is as hard as the old one, so the change counts as loosened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from projects.rules.criteria import CHANGES, spec_of
from projects.rules.criterion_facts import SAME_RUN, Numbers

Row = Mapping[str, Any]
Baselines = Mapping[str, Numbers]

TIGHTENED, LOOSENED, NEUTRAL = "tightened", "loosened", "neutral"
#: Fields whose change says nothing about what passes.
WORDS = frozenset({"key", "title", "rationale"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One changed field of a criterion and what the change does to whoever has to pass it."""

    field: str
    before: Any
    after: Any
    verdict: str


def compare_criteria(
    before: Row,
    after: Row,
    *,
    baselines_before: Baselines | None = None,
    baselines_after: Baselines | None = None,
) -> list[FieldChange]:
    """Return every changed field of a criterion with its verdict.

    The baselines of both versions are asked too: a lowered baseline loosens the criteria that are
    measured from it; it is reported under the field `baseline_value`.
    """
    old, new = _full(before), _full(after)
    found = [
        FieldChange(name, old[name], new[name], _VERDICTS[name](old, new))
        for name in _VERDICTS
        if old[name] != new[name]
    ]
    moved = _moved_baseline(old, new, baselines_before or {}, baselines_after or {})
    return [*found, *([moved] if moved else [])]


def is_loosened(
    before: Row | None,
    after: Row | None,
    *,
    baselines_before: Baselines | None = None,
    baselines_after: Baselines | None = None,
) -> bool:
    """Return whether anything that the criterion stopped may pass now; removal always does."""
    if before is None:
        return False
    if after is None:
        return True
    changes = compare_criteria(
        before, after, baselines_before=baselines_before, baselines_after=baselines_after
    )
    return any(change.verdict == LOOSENED for change in changes)


def verdict_of(changes: list[FieldChange]) -> str:
    """Return what several changes of one criterion come to: one loosened field is enough."""
    verdicts = {change.verdict for change in changes}
    if LOOSENED in verdicts:
        return LOOSENED
    return TIGHTENED if TIGHTENED in verdicts else NEUTRAL


def baselines_of(content: Mapping[str, Any]) -> dict[str, Numbers]:
    """Return the baselines of a scope's content by name."""
    return {row["name"]: row.get("metrics") or {} for row in content.get("baselines") or ()}


Verdict = Callable[[Row, Row], str]


def _full(row: Row) -> dict[str, Any]:
    spec = spec_of(row)
    full = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
    full["gates"] = sorted(row.get("gates") or ())
    full["by_date"] = str(full["by_date"]) if full["by_date"] else None
    return {**full, **{name: row.get(name, "") for name in WORDS}}


def _never(old: Row, new: Row) -> str:
    return NEUTRAL


def _always(old: Row, new: Row) -> str:
    return LOOSENED


def _less_is_looser(name: str) -> Verdict:
    """Judge a condition that gets easier as its number falls, and easiest when it is gone."""

    def judge(old: Row, new: Row) -> str:
        before, after = old[name], new[name]
        if before is None:
            return TIGHTENED
        return LOOSENED if after is None or not after > before else TIGHTENED

    return judge


def _more_is_looser(name: str) -> Verdict:
    """Judge a condition that gets easier as its number grows, and easiest when it is gone."""

    def judge(old: Row, new: Row) -> str:
        before, after = old[name], new[name]
        if before is None:
            return TIGHTENED
        return LOOSENED if after is None or not after < before else TIGHTENED

    return judge


def _threshold(old: Row, new: Row) -> str:
    judge = _less_is_looser if old["greater_is_better"] else _more_is_looser
    return judge("threshold")(old, new)


def _added_is_tighter(name: str) -> Verdict:
    """Judge a demand that is a name: adding one tightens, dropping or exchanging it loosens."""

    def judge(old: Row, new: Row) -> str:
        return TIGHTENED if not old[name] else LOOSENED

    return judge


def _level(old: Row, new: Row) -> str:
    before, after = old["level"], new["level"]
    if before == "should":
        return TIGHTENED
    # Both block, and neither waits for a date.
    return NEUTRAL if {before, after} == {"must", "guardrail"} else LOOSENED


def _is_blocking(old: Row, new: Row) -> str:
    return LOOSENED if old["is_blocking"] else TIGHTENED


def _gates(old: Row, new: Row) -> str:
    return LOOSENED if set(old["gates"]) - set(new["gates"]) else TIGHTENED


#: What may follow without becoming easier: the best run is never below the mean or the last, and
#: none of them is below the worst. The mean and the last run cannot be compared.
_HARDER_AGGREGATES = {
    "best": {"mean", "last", "min"},
    "mean": {"min"},
    "last": {"min"},
    "min": set(),
}


def _aggregate(old: Row, new: Row) -> str:
    harder = _HARDER_AGGREGATES.get(old["aggregate"], set())
    return TIGHTENED if new["aggregate"] in harder else LOOSENED


def _baseline(old: Row, new: Row) -> str:
    used = any(row[change] is not None for row in (old, new) for change in CHANGES)
    return LOOSENED if used else NEUTRAL


_VERDICTS: Mapping[str, Verdict] = {
    "title": _never,
    "rationale": _never,
    "level": _level,
    "source": _always,
    "metric_key": _always,
    "greater_is_better": _always,
    "threshold": _threshold,
    "min_absolute_change": _less_is_looser("min_absolute_change"),
    "min_relative_change": _less_is_looser("min_relative_change"),
    "max_absolute_drop": _more_is_looser("max_absolute_drop"),
    "max_relative_drop": _more_is_looser("max_relative_drop"),
    "baseline": _baseline,
    "dataset_role": _always,
    "dataset_ref": _added_is_tighter("dataset_ref"),
    "slice": _always,
    "aggregate": _aggregate,
    "min_runs": _less_is_looser("min_runs"),
    "confidence_key": _added_is_tighter("confidence_key"),
    "test_use_limit": _more_is_looser("test_use_limit"),
    "gates": _gates,
    "is_blocking": _is_blocking,
    "by_date": _more_is_looser("by_date"),
    "by_sprint": _more_is_looser("by_sprint"),
}


def _moved_baseline(old: Row, new: Row, before: Baselines, after: Baselines) -> FieldChange | None:
    name = old["baseline"]
    is_measured = any(new[change] is not None for change in CHANGES)
    if name != new["baseline"] or not is_measured or name.startswith(SAME_RUN):
        return None
    was = before.get(name, {}).get(old["metric_key"])
    now = after.get(name, {}).get(old["metric_key"])
    if was == now:
        return None
    return FieldChange("baseline_value", was, now, _value_verdict(old, was, now))


def _value_verdict(old: Row, was: object, now: object) -> str:
    if now is None:
        return NEUTRAL  # a baseline that is gone passes nothing
    if not isinstance(was, int | float) or not isinstance(now, int | float):
        return LOOSENED
    # A share of at most one keeps the limit moving the same way as the baseline itself.
    return LOOSENED if (now < was) == old["greater_is_better"] else TIGHTENED
