"""What upper layers tell this one about a project: runs, gates, deployments, as plain values.

Projects imports neither governance nor pipeline. Whoever knows such facts names itself in a
setting (`RUN_SOURCE`, `GATE_SOURCE`, `DEPLOYMENT_SOURCE`), and pages and charts read them here.
`RUN_REFRESHER`, `RUN_TIER` and `RUN_UNTIER` name who reads a run anew and who marks it.
`PORTFOLIO_SOURCES` answers for many projects at once, in as many queries as for one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from projects.models import Project, ScopingDocument, WorkItem


@dataclass(frozen=True, slots=True)
class RunFact:
    """A training run as the project's pages and charts see it.

    `metrics` holds finite numbers only. `is_eligible` says whether the run may count as evidence:
    finished, and on data that passed its gate. `compute_seconds` is its wall time; `commit` the
    code it says it was made with; `dataset` the registered version it ran on, such as
    `dataset_version:1`. Runs with the same `alike` differ in their `seed` alone.
    """

    run_id: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    metrics: Mapping[str, float]
    work_item: int | None
    sprint: int | None
    launched_by: str
    is_eligible: bool
    compute_seconds: float
    url: str
    commit: str = ""
    dataset: str = ""
    alike: str = ""
    seed: str = ""


@dataclass(frozen=True, slots=True)
class GateFact:
    """One passage through a gate: when it was asked for and decided, and who is waited for.

    `decisions` holds each sign-off's role and time; `waits_for` the roles still missing, with the
    names of those who could sign.
    """

    review: int
    gate: str
    subject_kind: str
    subject_ref: str
    subject_label: str
    status: str
    requested_at: datetime
    decided_at: datetime | None
    due_on: date | None
    expires_at: datetime | None
    url: str
    waits_for: Mapping[str, Sequence[str]] = field(default_factory=dict)
    decisions: Sequence[tuple[str, datetime]] = ()


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """What serves, and whether it is well: `health` is healthy, breach, refused or waiting."""

    name: str
    environment: str
    status: str
    health: str
    reason: str
    model_ref: str
    url: str


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A defect that is not closed."""

    title: str
    severity: str
    due_on: date | None
    url: str


@dataclass(frozen=True, slots=True)
class SurvivalFact:
    """Whether one role's sign-off of the approved scope outlives a new version, and why."""

    role: str
    person: str
    survives: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SignerFact:
    """A role that a gate asks for and that nobody independent holds, and what to do about it."""

    gate: str
    title: str
    role: str
    sentence: str


def signers_lacking(document: ScopingDocument) -> list[SignerFact]:
    """Return, gate by gate, the roles in which nobody independent could sign as things stand."""
    return cast("list[SignerFact]", _source(settings.SIGNER_SOURCE)(document))


def survivals_of(document: ScopingDocument) -> list[SurvivalFact]:
    """Return what becomes of the approved scope's sign-offs under this version, role by role."""
    source = import_string(settings.SURVIVAL_SOURCE)
    return cast("list[SurvivalFact]", source(document))


def runs_of(project: Project) -> list[RunFact]:
    """Return the project's training runs, oldest first."""
    return cast("list[RunFact]", _ask(settings.RUN_SOURCE, project))


def gates_of(project: Project) -> list[GateFact]:
    """Return the project's gate reviews, oldest first."""
    return cast("list[GateFact]", _ask(settings.GATE_SOURCE, project))


def findings_of(project: Project) -> list[FindingFact]:
    """Return the project's unresolved findings, gravest first."""
    return cast("list[FindingFact]", _ask(settings.FINDING_SOURCE, project))


def deployments_of(project: Project) -> list[DeploymentFact]:
    """Return the project's deployments by name."""
    return cast("list[DeploymentFact]", _ask(settings.DEPLOYMENT_SOURCE, project))


def refresh_runs(run_ids: Sequence[str]) -> None:
    """Have runs that are going on read anew, so that `runs_of` tells their metrics of now."""
    _source(settings.RUN_REFRESHER)(run_ids)


def tie_run(run_id: str, item: WorkItem) -> None:
    """Let a run name the item that it was linked to."""
    _source(settings.RUN_TIER)(run_id, item)


def untie_run(run_id: str, item: WorkItem) -> None:
    """Let a run that was taken off an item no longer name it."""
    _source(settings.RUN_UNTIER)(run_id, item)


def gates_of_all(projects: Sequence[Project]) -> dict[int, list[GateFact]]:
    """Return each project's gate reviews by its id, without whom they wait for."""
    return cast("dict[int, list[GateFact]]", _ask_for_all("gates", projects))


def findings_of_all(projects: Sequence[Project]) -> dict[int, list[FindingFact]]:
    """Return each project's unresolved findings by its id, gravest first."""
    return cast("dict[int, list[FindingFact]]", _ask_for_all("findings", projects))


def deployments_of_all(projects: Sequence[Project]) -> dict[int, list[DeploymentFact]]:
    """Return each project's deployments by its id."""
    return cast("dict[int, list[DeploymentFact]]", _ask_for_all("deployments", projects))


def live_waivers_of_all(projects: Sequence[Project]) -> dict[int, int]:
    """Return how many waivers hold today, by the project's id."""
    return cast("dict[int, int]", _ask_for_all("waivers", projects))


def _ask_for_all(what: str, projects: Sequence[Project]) -> object:
    return _source(settings.PORTFOLIO_SOURCES[what])(projects)


def _ask(path: str, project: Project) -> object:
    return _source(path)(project)


def _source(path: str) -> Callable[..., object]:
    return cast("Callable[..., object]", import_string(path))
