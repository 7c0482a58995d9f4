"""What of a scope holds on another project: the thinking, not the people, dates and results."""

from collections.abc import Collection, Mapping
from typing import Any

Content = dict[str, Any]
Row = dict[str, Any]

#: Fields that hold a person, by list; the empty name stands for the document itself.
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "": ("ethics_reviewer",),
    "assumptions": ("owner",),
    "data_sources": ("owner",),
    "risks": ("owner",),
    "responsibilities": ("person",),
    "monitoring_plan": ("owner",),
    "open_questions": ("owner",),
}

#: What was found out, agreed or dated on the other project, with what it goes back to.
FORGOTTEN: Mapping[str, Mapping[str, Any]] = {
    "": {
        "ethics_outcome": "",
        "ethics_conditions": "",
        "ethics_reviewed_on": None,
        "dpia": "",
        "tier_override": "",
        "tier_override_reason": "",
        "experts_interviewed": 0,
        "demo_dataset": "",
    },
    "assumptions": {"is_verified": False, "spike": ""},
    "objectives": {"baseline_value": None, "baseline_task": ""},
    "criteria": {"by_date": None, "dataset_ref": ""},
    "baselines": {"metrics": {}, "run_id": "", "dataset_ref": ""},
    "prior_art": {"reproduced": "no", "our_value": "", "run_id": ""},
    "data_sources": {"access": "none", "dataset_ref": "", "quality_score": None},
    "risks": {"due": None, "accepted_because": "", "accepted_until": None},
    "milestones": {"planned_on": None},
    "open_questions": {"due": None, "answer": ""},
}
#: Lists that say nothing without the other project's people or trials.
DROPPED = ("decision_scores",)

#: A kill criterion needs a limit in time; without its date it is judged as early as can be.
_FIRST_SPRINT = 1


def portable(content: Mapping[str, Any], *, people: Collection[str]) -> Content:
    """Return the content for another project, on which `people` are by user name."""
    copy: Content = {
        name: [_row(name, row, people) for row in value] if _is_rows(value) else value
        for name, value in content.items()
        if name not in DROPPED
    }
    copy |= {name: value for name, value in FORGOTTEN[""].items() if name in copy}
    copy |= _known(copy, "", people)
    if "responsibilities" in copy:
        copy["responsibilities"] = [row for row in copy["responsibilities"] if row["person"]]
    return copy


def people_in(content: Mapping[str, Any]) -> frozenset[str]:
    """Return the user names of everybody whom the content names."""
    named = [content.get(key) for key in PEOPLE[""]]
    for name, keys in PEOPLE.items():
        rows = content.get(name) or ()
        if name and _is_rows(rows):
            named += [row.get(key) for row in rows for key in keys]
    return frozenset(str(person) for person in named if person)


def _row(name: str, row: Mapping[str, Any], people: Collection[str]) -> Row:
    copy = {**row, **{key: value for key, value in FORGOTTEN.get(name, {}).items() if key in row}}
    if name == "criteria" and copy.get("level") == "kill" and not copy.get("by_sprint"):
        copy["by_sprint"] = _FIRST_SPRINT
    return copy | _known(copy, name, people)


def _known(row: Mapping[str, Any], name: str, people: Collection[str]) -> Row:
    return {key: None for key in PEOPLE.get(name, ()) if row.get(key) not in people}


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)
