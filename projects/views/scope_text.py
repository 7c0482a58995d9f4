"""A scoping document's content as sections to read: prose, facts and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One field with its label."""

    field: str
    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one child list."""

    field: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the document."""

    key: str
    title: str
    facts: tuple[Fact, ...]
    tables: tuple[Table, ...]


_SECTIONS: Sequence[tuple[str, str, Sequence[str], Sequence[str]]] = (
    (
        "problem",
        "Problem and use",
        (
            "problem_statement",
            "current_process",
            "decision_informed",
            "action_on_output",
            "intended_use",
            "out_of_scope_use",
        ),
        (),
    ),
    (
        "value",
        "Value and baselines",
        ("false_positive_cost", "false_negative_cost"),
        ("objectives", "baselines"),
    ),
    ("criteria", "Criteria", (), ("criteria",)),
    ("prior_art", "Prior art and approaches", (), ("prior_art", "approaches")),
    (
        "data",
        "Data",
        ("ml_task", "target", "is_time_ordered", "split_strategy"),
        ("data_sources", "feature_notes"),
    ),
    (
        "effort",
        "Feasibility and effort",
        ("why_ml", "simplest_alternative", "annual_run_cost", "annual_benefit"),
        ("estimates",),
    ),
    ("risks", "Risks", (), ("risks", "open_questions")),
    ("people", "People", ("experts_interviewed",), ()),
    (
        "operation",
        "Operation",
        ("deployment_mode", "fallback", "retraining_policy"),
        ("monitoring_plan",),
    ),
)

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "objectives": ("kind", "statement", "metric", "baseline_value", "target_value", "method"),
    "baselines": ("name", "kind", "metrics", "note"),
    "criteria": ("level", "title", "metric_key", "condition", "dataset_role", "rationale"),
    "prior_art": ("reference", "kind", "claim", "reproduced", "our_value", "difficulty_delta"),
    "approaches": ("rank", "name", "novelty", "time_box_days", "success_signal"),
    "data_sources": ("name", "owner", "access", "personal_data", "lawful_basis", "known_gaps"),
    "feature_notes": ("column", "is_known_at_prediction", "is_used", "note"),
    "estimates": ("phase", "optimistic_days", "likely_days", "pessimistic_days", "basis"),
    "open_questions": ("question", "owner", "due", "is_blocking", "answer"),
    "monitoring_plan": ("signal", "metric", "threshold", "frequency", "owner", "action"),
    "risks": ("title", "category", "probability", "impact", "mitigation", "owner"),
}


def sections_of(content: Content) -> list[Section]:
    """Return the document's sections in reading order."""
    return [
        Section(
            key,
            title,
            tuple(Fact(name, _label(name), content.get(name)) for name in facts),
            tuple(_table(name, content.get(name) or ()) for name in tables),
        )
        for key, title, facts, tables in _SECTIONS
    ]


def condition_of(criterion: Content) -> str:
    """Return a criterion's condition as a reader would say it."""
    better = criterion["greater_is_better"]
    parts = []
    if criterion.get("threshold") is not None:
        parts.append(f"{'at least' if better else 'at most'} {criterion['threshold']:g}")
    for name, words in (
        ("min_absolute_change", "better by {:g}"),
        ("min_relative_change", "better by {:.0%}"),
        ("max_absolute_drop", "worse by no more than {:g}"),
        ("max_relative_drop", "worse by no more than {:.0%}"),
    ):
        if criterion.get(name) is not None:
            parts.append(f"{words.format(criterion[name])} than {criterion.get('baseline')}")
    if criterion.get("by_date"):
        parts.append(f"by {criterion['by_date']}")
    return ", ".join(parts)


def _table(name: str, rows: Sequence[Content]) -> Table:
    columns = _COLUMNS[name]
    return Table(
        name,
        _label(name),
        tuple(_label(column) for column in columns),
        tuple(tuple(_cell(row, column) for column in columns) for row in rows),
    )


def _cell(row: Content, column: str) -> Any:
    return condition_of(row) if column == "condition" else row.get(column)


_LABELS = {"ml_task": "ML task", "why_ml": "Why ML", "metric_key": "Metric", "risks": "Risks"}


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())
