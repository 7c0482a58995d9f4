"""Where the facts behind a result can be looked at, from the references it stores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from governance.models import Evidence, GateReview, RequirementResult
from governance.views.subjects import Fact

#: How much of a digest tells two states apart for a reader.
_SHORT = 12


@dataclass(frozen=True)
class RequirementLine:
    """One result with where its facts live, what was compared, and by which version."""

    result: RequirementResult
    links: Sequence[Fact]
    compared: Sequence[tuple[str, str]]
    version: str


def lines_of(
    review: GateReview, results: Sequence[RequirementResult], evidence: Sequence[Evidence]
) -> list[RequirementLine]:
    """Return each result with links to the facts that it was read from."""
    places = _Places(review, results, evidence)
    return [
        RequirementLine(
            result,
            [link for source in _sources(result) if (link := places.link(source))],
            _words_of(result.detail.get("compared") or {}),
            str(result.detail.get("check_version") or ""),
        )
        for result in results
    ]


def _sources(result: RequirementResult) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = result.detail.get("source") or ()
    return found


def _words_of(compared: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was compared as words, without what was not known."""
    return [
        (key.replace("_", " "), _words(value))
        for key, value in compared.items()
        if value not in (None, "", [], {})
    ]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return str(value)


class _Places:
    """Finds the address of a reference; what needs the database is asked for once."""

    def __init__(
        self,
        review: GateReview,
        results: Sequence[RequirementResult],
        evidence: Sequence[Evidence],
    ) -> None:
        self.review = review
        self.evidence = {one.ref: one for one in evidence}
        named = {str(one["ref"]) for result in results for one in _sources(result)}
        others = {ref for ref in named if ref.startswith("model_version:")} - {review.subject_ref}
        rows = GateReview.objects.filter(subject_ref__in=others) if others else ()
        self.versions = {one.subject_ref: one for one in (*rows, review)}

    def link(self, source: Mapping[str, str]) -> Fact | None:
        """Return the link to a source, or None where nothing here shows it."""
        ref = str(source["ref"])
        kind, _, number = ref.partition(":")
        find = _ADDRESSES.get(kind)
        if find is None:
            return None
        try:
            label, address = find(self, number)
        except NoReverseMatch:
            return None
        digest = str(source.get("digest") or "")
        title = " ".join(
            part for part in (source.get("label") or ref, digest and f"({digest[:_SHORT]})") if part
        )
        return Fact(label, address, title)

    def version(self, number: str) -> tuple[str, str]:
        review = self.versions.get(f"model_version:{number}")
        if review is None:
            return "Lineage", reverse("governance:model-versions")
        name, version = review.model_name, review.model_version
        return (
            f"Version {version} in MLflow",
            f"/mlflow/#/models/{quote(name, safe='')}/versions/{version}",
        )

    def shown_evidence(self, number: str) -> tuple[str, str]:
        found = self.evidence.get(f"evidence:{number}")
        if found is not None and found.kind == "champion_comparison":
            return "Comparison", "#comparison"
        if found is not None and found.attachment:
            return "Evidence", reverse("governance:evidence-content", args=[number])
        return "Evidence", "#subject"


def _admin(model: str) -> Callable[[_Places, str], tuple[str, str]]:
    label = model.partition("_")[2]
    words = {"datasetversion": "Dataset version", "policyversion": "Policy version"}
    name = words.get(label, label.capitalize())
    return lambda places, number: (
        f"{name} {number}",
        reverse(f"admin:{model}_change", args=[number]),
    )


_ADDRESSES: Mapping[str, Callable[[_Places, str], tuple[str, str]]] = {
    "run": lambda places, number: ("Run in MLflow", f"/mlflow/#/runs/{quote(number, safe='')}"),
    "model_version": _Places.version,
    "evidence": _Places.shown_evidence,
    "dataset_version": _admin("pipeline_datasetversion"),
    "policy_version": _admin("governance_policyversion"),
    "monitor": _admin("pipeline_monitor"),
    "scoping_document": lambda places, number: (
        "Scope",
        reverse("projects:scope", args=[number]),
    ),
    "sprint": lambda places, number: (
        "Sprint report",
        reverse("projects:sprint-report", args=[number]),
    ),
    "finding": lambda places, number: (
        f"Finding {number}",
        reverse("governance:finding", args=[number]),
    ),
    "gate_review": lambda places, number: (
        f"Review {number}",
        reverse("governance:review", args=[number]),
    ),
    "condition": lambda places, number: (f"Condition {number}", "#sign-offs"),
    "waiver": lambda places, number: (f"Waiver {number}", "#requirements"),
    "check_run": lambda places, number: (f"Check run {number}", "#check-runs"),
}
