"""Criteria of a scope as MLflow's `MetricThreshold` arguments, and drafts filled from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import ScopingDocument
from projects.rules.criteria import DATASET_ROLES, spec_of
from projects.rules.loosening import baselines_of
from projects.rules.metric_thresholds import (
    Exported,
    Wrong,
    criterion_row,
    export_thresholds,
    key_for,
    problems_of,
)
from projects.services import scoping


@dataclass(frozen=True, slots=True)
class ThresholdImport:
    """Thresholds by metric, and what MLflow does not say about criteria.

    `baseline` is the row that changes are measured from, `gates` those that new criteria are for.
    """

    thresholds: Mapping[str, Any]
    baseline: str = ""
    level: str = "must"
    gates: Sequence[str] = field(default_factory=list)


def thresholds_of(document: ScopingDocument) -> Exported:
    """Return the document's criteria as MLflow can judge them, with what it cannot say."""
    content = scoping.content_of(document)
    return export_thresholds(map(spec_of, content["criteria"]), baselines_of(content))


@transaction.atomic
def import_thresholds(
    document: ScopingDocument, given: ThresholdImport, *, actor: Actor
) -> ScopingDocument:
    """Write thresholds into a draft's criteria: one for each metric, an existing one if there is.

    An existing criterion on the same metric keeps its title, level and gates; its conditions
    become what was given, and its tolerated drops, which MLflow does not know, go.

    Raises:
        InvalidInput: code `invalid_metric_thresholds`, with every wrong argument.
        InvalidTransition: code `scope_not_draft`.
    """
    _require_readable(given)
    content = scoping.content_of(document)
    rows = [dict(row) for row in content["criteria"]]
    plain = {row["metric_key"]: row for row in rows if _is_plain(row)}
    for metric, arguments in given.thresholds.items():
        known = plain.get(metric)
        key = known["key"] if known else key_for(metric, [row["key"] for row in rows])
        wanted = criterion_row(metric, arguments, baseline=given.baseline, key=key)
        if known is not None:
            known.update(wanted)
        else:
            rows.append(_new_row(metric, wanted, given))
    content["criteria"] = rows
    return scoping.write_draft(document.project, actor=actor, content=content, document=document)


def _require_readable(given: ThresholdImport) -> None:
    wrong = [
        one
        for metric, arguments in given.thresholds.items()
        for one in problems_of(metric, arguments, has_baseline=bool(given.baseline))
    ]
    if not given.thresholds:
        wrong = [Wrong("thresholds", "Give at least one metric.")]
    if wrong:
        listed = " ".join(f"{one.field}: {one.message}" for one in wrong)
        raise InvalidInput(
            f"These are no arguments of MetricThreshold. {listed}",
            code="invalid_metric_thresholds",
            details={"errors": [{"field": one.field, "message": one.message} for one in wrong]},
        )


def _is_plain(row: Mapping[str, Any]) -> bool:
    """Return whether the criterion compares the plain value of one run, as MLflow does."""
    is_single = row["aggregate"] == "last" and row["min_runs"] == 1
    is_metric = row["source"] == "metric" and not row["slice"] and not row["confidence_key"]
    return is_metric and is_single and row["level"] != "kill"


def _new_row(metric: str, row: Mapping[str, Any], given: ThresholdImport) -> dict[str, Any]:
    role = metric.split("_", 1)[0]
    return {
        **row,
        "title": f"Threshold for {metric}"[:200],
        "level": given.level,
        "dataset_role": role if role in DATASET_ROLES else "test",
        "gates": list(given.gates),
    }
