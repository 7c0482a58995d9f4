"""The training runs of work items, judged by the criteria of the agreed scope."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from projects import access, facts
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.facts import RunFact
from projects.models import Project, WorkItem
from projects.rules.criteria import CriterionResult, CriterionSpec, evaluate, spec_of
from projects.services import work_items
from projects.services.scoping import approved_scope

RUNNING = frozenset({"RUNNING", "SCHEDULED"})


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run with what each criterion says about its metrics."""

    run: RunFact
    results: tuple[CriterionResult, ...]

    @property
    def is_running(self) -> bool:
        return self.run.status in RUNNING

    @property
    def other_metrics(self) -> dict[str, float]:
        """Return the metrics that no criterion asks for."""
        judged = {result.metric_key for result in self.results}
        return {name: value for name, value in self.run.metrics.items() if name not in judged}


@dataclass(frozen=True, slots=True)
class ItemRuns:
    """What a card shows of its runs, newest first."""

    runs: tuple[JudgedRun, ...] = ()
    has_criteria: bool = False

    @property
    def is_live(self) -> bool:
        """Return whether a run may still change, so that looking again is worth it."""
        return any(one.is_running for one in self.runs)

    @property
    def newest(self) -> JudgedRun | None:
        return self.runs[0] if self.runs else None


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The agreed scope's criteria on metrics, and what they compare with."""

    criteria: tuple[CriterionSpec, ...] = ()
    baselines: Mapping[str, Mapping[str, float]] | None = None

    def judge(self, run: RunFact) -> JudgedRun:
        """Return the run with each criterion's word on it."""
        known = self.baselines or {}
        return JudgedRun(run, tuple(evaluate(one, run.metrics, known) for one in self.criteria))


def yardstick_of(project: Project) -> Yardstick:
    """Return what the approved scope asks of a run's metrics; nothing before one is approved."""
    scope = approved_scope(project)
    if scope is None:
        return Yardstick()
    content = scope.snapshot or {}
    asked = [row for row in content.get("criteria") or () if row.get("source") in {None, "metric"}]
    baselines = {row["name"]: row.get("metrics") or {} for row in content.get("baselines") or ()}
    return Yardstick(tuple(map(spec_of, asked)), baselines)


def runs_by_item(project: Project, items: Iterable[WorkItem]) -> dict[int, ItemRuns]:
    """Return the runs of each item; every project costs the same few queries."""
    measure = yardstick_of(project)
    item_of = {run_id: item.pk for item in items for run_id in item.run_ids}
    found: dict[int, list[JudgedRun]] = defaultdict(list)
    for run in reversed(facts.runs_of(project)):
        home = item_of.get(run.run_id) or run.work_item
        if home is not None:
            found[home].append(measure.judge(run))
    return {pk: ItemRuns(tuple(rows), bool(measure.criteria)) for pk, rows in found.items()}


def runs_of_item(item: WorkItem) -> ItemRuns:
    """Return one item's runs as they are now; what still runs is read anew first."""
    mine = runs_by_item(item.project, [item]).get(item.pk, ItemRuns())
    running = [one.run.run_id for one in mine.runs if one.is_running]
    if not running:
        return mine
    facts.refresh_runs(running)
    return runs_by_item(item.project, [item]).get(item.pk, ItemRuns())


def link_known_run(item: WorkItem, run_id: str, *, actor: Actor) -> WorkItem:
    """Tie one of the project's runs to the item, and let the run say so in MLflow.

    Raises:
        InvalidInput: code `unknown_run`; the project has no such run.
    """
    access.require(actor, "work_item.link_run", item.project)
    wanted = run_id.strip()
    known = {run.run_id for run in facts.runs_of(item.project)}
    if wanted and wanted not in known:
        raise InvalidInput(
            f"The project {item.project.name} has no run {wanted}. Give the id as MLflow's page "
            "of the run shows it.",
            code="unknown_run",
            details={"errors": {"run": ["There is no such run in this project."]}},
        )
    work_items.link_run(item, wanted, actor=actor)
    facts.tie_run(wanted, item)
    return item


def unlink_known_run(item: WorkItem, run_id: str, *, actor: Actor) -> WorkItem:
    """Take a run off the item again, and let MLflow's tags say so."""
    work_items.unlink_run(item, run_id, actor=actor)
    facts.untie_run(run_id, item)
    return item
