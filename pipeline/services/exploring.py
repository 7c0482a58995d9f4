"""The first look at a dataset: a report and its plots, recorded as evidence."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from governance.models import Evidence
from governance.services.evidence import Material, record_evidence
from ledger import services as ledger
from pipeline import access
from pipeline.ml.problems import DataProblem
from pipeline.models import DatasetVersion, Job
from pipeline.services import frames, jobs
from pipeline.services.data import read_dataset, unknown_at_prediction
from projects.actors import Actor

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.ml.eda import EdaReport

Report = Callable[[int, str], None]


def _quiet(percent: int, message: str) -> None:
    """Report to nobody."""


def enqueue_exploration(dataset: DatasetVersion, *, actor: Actor) -> Job:
    """Queue a first look at the dataset."""
    access.require(actor, "dataset.explore", dataset.project)
    new = jobs.NewJob(Job.Kind.PROFILE_DATASET, dataset.project, dataset.ref)
    return jobs.enqueue(new, actor=actor)


def run_exploration(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Explore the dataset that the job names."""
    dataset = DatasetVersion.objects.select_related("project").get(
        pk=int(job.subject_ref.rpartition(":")[2])
    )
    evidence = explore_dataset(
        dataset, actor=actor, report=lambda percent, text: jobs.step(job, percent, text)
    )
    return {"evidence": evidence.pk}


def explore_dataset(dataset: DatasetVersion, *, actor: Actor, report: Report = _quiet) -> Evidence:
    """Look at the dataset and record the report with its plots as evidence about it.

    Raises:
        DataProblem: what reading and exploring the rows refuse.
    """
    access.require(actor, "dataset.explore", dataset.project)
    report(5, f"Reading {dataset}.")
    rows, period = _in_time(read_dataset(dataset))
    report(30, f"Exploring {len(rows)} rows.")
    found = _explore(dataset, rows, period)
    evidence = _record_report(dataset, found, actor=actor)
    for number, picture in enumerate(found.pictures.values()):
        report(70 + 25 * number // len(found.pictures), f"Recording the plot {picture.title!r}.")
        _record_plot(dataset, picture, actor=actor)
    with transaction.atomic():
        ledger.append(
            "dataset.explored",
            subject=dataset.ref,
            actor=actor,
            data={"report": evidence.ref, "plots": len(found.pictures)},
        )
    return evidence


def _in_time(rows: "pd.DataFrame") -> "tuple[pd.DataFrame, str]":
    """Return the rows with their period, if there is anything to tell it by."""
    try:
        return frames.with_periods(rows), frames.PERIOD
    except DataProblem:
        return rows, ""


def _explore(dataset: DatasetVersion, rows: "pd.DataFrame", period: str) -> "EdaReport":
    from pipeline.ml.eda import Exploration, explore

    exploration = Exploration(
        target=dataset.target,
        positive=dataset.positive,
        period=period,
        known_leaks=tuple(unknown_at_prediction(dataset)),
    )
    return explore(rows, exploration)


def _record_report(dataset: DatasetVersion, found: "EdaReport", *, actor: Actor) -> Evidence:
    suspects = [row["column"] for row in found.tables["leaks"] if row["suspicious"]]
    leaks = [*unknown_at_prediction(dataset), *suspects]
    report = Material(
        project=dataset.project,
        subject_kind="dataset_version",
        subject_ref=dataset.ref,
        kind="eda_report",
        title=f"Exploratory analysis of {dataset}",
        data={**found.as_dict(), "leaks": list(dict.fromkeys(leaks))},
    )
    return record_evidence(report, actor=actor)


def _record_plot(dataset: DatasetVersion, picture: Any, *, actor: Actor) -> None:
    plot = Material(
        project=dataset.project,
        subject_kind="dataset_version",
        subject_ref=dataset.ref,
        kind="plot",
        title=picture.title,
        data={"description": picture.description, "table": picture.table},
        content=picture.svg,
        media_type="image/svg+xml",
    )
    record_evidence(plot, actor=actor)
