"""Criteria and facts for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from projects.rules.criterion_facts import CriterionFacts

finite = st.floats(-1e3, 1e3, allow_nan=False)
steps = st.floats(0, 1e2, allow_nan=False)
shares = st.floats(0, 1, allow_nan=False)
CONDITIONS = {
    "threshold": finite,
    "min_absolute_change": steps,
    "min_relative_change": shares,
    "max_absolute_drop": steps,
    "max_relative_drop": shares,
}


@st.composite
def rows(draw: Any, **fixed: Any) -> dict[str, Any]:
    """Return a criterion as a row of a scope's content, with at least one condition."""
    conditions = {name: draw(st.none() | values) for name, values in CONDITIONS.items()}
    if all(value is None for value in conditions.values()):
        conditions["threshold"] = draw(finite)
    row = {
        "key": "any",
        "title": "Any",
        "metric_key": "m",
        "greater_is_better": draw(st.booleans()),
        "baseline": draw(st.sampled_from(["b", "same_run:base"])),
        "level": draw(st.sampled_from(["must", "guardrail"])),
        "aggregate": draw(st.sampled_from(["last", "best", "mean", "min"])),
        "min_runs": draw(st.integers(1, 4)),
        "confidence_key": draw(st.sampled_from(["", "m_bound"])),
        "test_use_limit": draw(st.none() | st.integers(0, 5)),
        "dataset_ref": draw(st.sampled_from(["", "dataset_version:1"])),
        "gates": ["validation"],
        **conditions,
    }
    return {**row, **fixed}


@st.composite
def facts(draw: Any) -> CriterionFacts:
    """Return finite facts that lack nothing."""
    runs = [
        {"m": draw(finite), "m_bound": draw(finite), "base": draw(finite)}
        for _ in range(draw(st.integers(1, 5)))
    ]
    return CriterionFacts(
        metrics=runs[-1],
        seed_runs=runs,
        baselines={"b": {"m": draw(finite)}},
        test_uses=draw(st.integers(0, 6)),
        dataset_refs=draw(st.sampled_from([frozenset(), frozenset({"dataset_version:1"})])),
    )
