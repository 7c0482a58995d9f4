"""What a review's page says about its subject, by kind, and where the subject lives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from governance.models import GateReview
from projects.models import ScopingDocument
from projects.services import scoping


@dataclass(frozen=True)
class Fact:
    """A named address, and what exactly lies there."""

    label: str
    url: str
    title: str = ""


#: Parts that lead to the subject itself and to what it was made from.
SUBJECT_PARTS = ("lineage", "version", "run", "dataset", "sprint", "scope", "policy")


def facts_of(review: GateReview) -> dict[str, list[Fact]]:
    """Return where the things that a review is about can be looked at, by part."""
    return _FACTS[review.subject_kind](review)


def subject_panel(review: GateReview) -> Mapping[str, Any]:
    """Return what the page shows of the subject itself, for its template."""
    if review.subject_kind == GateReview.SubjectKind.SCOPING_DOCUMENT:
        return _scope_panel(review)
    return {
        "facts": _plain_facts(attributes_of(review)),
        "columns": _columns(attributes_of(review)),
        "looser": attributes_of(review).get("looser") or [],
        "stricter": attributes_of(review).get("stricter") or [],
        "metrics": sorted(review.facts.get("metrics", {}).items()),
    }


def attributes_of(review: GateReview) -> Mapping[str, Any]:
    """Return the facts that were copied in when the review opened."""
    attributes = review.facts.get("attributes", review.facts)
    return attributes if isinstance(attributes, Mapping) else {}


def _number_of(ref: str) -> str:
    return ref.rpartition(":")[2]


def _admin(model: str, label: str, pk: str) -> list[Fact]:
    try:
        return [Fact(label, reverse(f"admin:{model}_change", args=[pk]))]
    except NoReverseMatch:
        return []


def _scope_facts(review: GateReview) -> dict[str, list[Fact]]:
    address = reverse("projects:scope", args=[_number_of(review.subject_ref)])
    return {"scope": [Fact("Scoping document, readiness and gauges", address)]}


def _dataset_facts(review: GateReview) -> dict[str, list[Fact]]:
    pk = _number_of(review.subject_ref)
    return {"dataset": _admin("pipeline_datasetversion", "Dataset version", pk)}


def _policy_facts(review: GateReview) -> dict[str, list[Fact]]:
    pk = _number_of(review.subject_ref)
    page = Fact("Text, differences and problems", reverse("governance:policy-version", args=[pk]))
    replayed = Fact("Replay over past reviews", reverse("governance:replay", args=[pk]))
    return {"policy": [page, replayed]}


def _sprint_facts(review: GateReview) -> dict[str, list[Fact]]:
    pk = _number_of(review.subject_ref)
    came_to = Fact("What the sprint came to", reverse("projects:closing", args=[pk]))
    report = Fact("Report of the sprint", reverse("projects:sprint-report", args=[pk]))
    facts = {"sprint": [came_to, report]}
    scope = scoping.approved_scope(review.project)
    if scope is not None:
        address = reverse("projects:matrix", args=[scope.pk])
        facts["scope"] = [Fact("Decision matrix", address)]
    return facts


def _model_facts(review: GateReview) -> dict[str, list[Fact]]:
    attributes = attributes_of(review)
    facts: dict[str, list[Fact]] = {"dataset": []}
    name, number = review.model_name, review.model_version
    if name and number:
        page = reverse("governance:lineage", args=[name, number])
        address = f"/mlflow/#/models/{quote(name, safe='')}/versions/{number}"
        facts["lineage"] = [Fact("Lineage", page)]
        facts["version"] = [Fact("Model version in MLflow", address)]
    if run_id := attributes.get("run_id"):
        address = f"/mlflow/#/runs/{quote(str(run_id), safe='')}"
        facts["run"] = [Fact("Run in MLflow", address)]
    for ref in attributes.get("dataset_refs") or []:
        pk = _number_of(str(ref))
        facts["dataset"] += _admin("pipeline_datasetversion", f"Dataset version {pk}", pk)
    scope = scoping.approved_scope(review.project)
    if scope is not None:
        address = reverse("projects:scope", args=[scope.pk])
        facts["scope"] = [Fact(f"Approved scope v{scope.version}", address)]
    return facts


_FACTS: Mapping[str, Callable[[GateReview], dict[str, list[Fact]]]] = {
    GateReview.SubjectKind.SCOPING_DOCUMENT: _scope_facts,
    GateReview.SubjectKind.DATASET_VERSION: _dataset_facts,
    GateReview.SubjectKind.SPRINT: _sprint_facts,
    GateReview.SubjectKind.MODEL_VERSION: _model_facts,
    GateReview.SubjectKind.POLICY_VERSION: _policy_facts,
}


def _scope_panel(review: GateReview) -> Mapping[str, Any]:
    document = ScopingDocument.objects.filter(pk=_number_of(review.subject_ref)).first()
    if document is None:
        return {}
    return {
        "scope": document,
        "readiness": scoping.assess(document),
        "criteria": document.criteria.all(),
        "approaches": document.approaches.all(),
        "baselines": document.baselines.all(),
        "risks": document.risks.select_related("owner"),
    }


#: Facts whose values say something to a reader, in the order in which they are shown.
_SHOWN: Sequence[tuple[str, str]] = (
    ("model_name", "Registered model"),
    ("model_number", "Version"),
    ("run_id", "Run"),
    ("run_status", "Run state"),
    ("run_started_at", "Run started"),
    ("commit", "Commit"),
    ("commit_dirty", "Uncommitted changes"),
    ("seed", "Seed"),
    ("signature", "Has a signature"),
    ("format_problem", "Problem with the format"),
    ("work_item_ref", "Work item"),
    ("sprint_ref", "Sprint"),
    ("target", "Target column"),
    ("row_count", "Rows"),
    ("leaks", "Unknown at prediction time"),
    ("note", "What changes, and why"),
    ("replaces", "Would replace"),
    ("problems", "Wrong with the text"),
    ("sprint_goal", "Goal of the sprint"),
    ("sprint_days", "From and to"),
    ("approaches", "Approaches tried"),
    ("baseline_run", "The baseline was run"),
    ("open_time_boxes", "Time boxes still open"),
    ("decision_matrix", "Approaches scored"),
    ("decision", "Decided"),
)


def _plain_facts(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts worth reading, as words."""
    found = [(label, _words(attributes.get(key))) for key, label in _SHOWN]
    facts = [(label, words) for label, words in found if words]
    datasheet = attributes.get("datasheet")
    if isinstance(datasheet, Mapping):
        facts += [
            (str(key).replace("_", " ").capitalize(), _words(value))
            for key, value in datasheet.items()
            if key != "columns" and _words(value)
        ]
    return facts


def _columns(attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what the datasheet says of each column, one row a column."""
    datasheet = attributes.get("datasheet")
    notes = datasheet.get("columns") if isinstance(datasheet, Mapping) else None
    if not isinstance(notes, Mapping):
        return []
    return [
        {
            "name": str(name),
            "meaning": _words(note.get("meaning")),
            "known": "yes" if note.get("is_known_at_prediction") else "no",
        }
        for name, note in notes.items()
        if isinstance(note, Mapping)
    ]


#: From here on digits are grouped; a year stays as it is.
_LONG = 10_000


def _words(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        names = [str(item.get("name", item)) if isinstance(item, Mapping) else str(item)
                 for item in value]  # fmt: skip
        return ", ".join(names)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(part)}" for key, part in value.items())
    return f"{value:,}" if isinstance(value, int) and value >= _LONG else str(value)
