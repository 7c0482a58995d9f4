"""The charts of a sprint and of a project, from rows and facts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property

from django.core.cache import cache
from django.utils import timezone

from projects import facts
from projects.errors import NotFound
from projects.models import Project, ScopingDocument, Sprint, SprintSnapshot
from projects.rules.charts import burn, delivery, economics, gates, learning
from projects.rules.charts.base import Chart, ItemInfo, SprintInfo, thinned
from projects.rules.charts.delivery import ClosedSprint
from projects.rules.charts.learning import ScopeVersion
from projects.rules.sprint_series import SprintSeries
from projects.rules.work_history import History
from projects.rules.working_days import day_of
from projects.services.histories import (
    changes_of,
    items_of,
    series_of,
    snapshots_of,
    sprints_by_start,
)

SPRINT_CHARTS = ("burn-down", "burn-up", *burn.BURN_DOWNS)
BEFORE = timedelta(days=1)
_KEPT_SECONDS = 60 * 60


class ProjectCharts:
    """A project's charts; what several of them read is read once, and only if it is asked for."""

    def __init__(self, project: Project, now: datetime | None = None) -> None:
        self.project = project
        self.now = now or timezone.now()
        self.zone = timezone.get_default_timezone()

    def all(self) -> list[Chart]:
        return [self.chart(name) for name in PROJECT_CHARTS]

    def chart(self, name: str) -> Chart:
        """Return one chart.

        Raises:
            NotFound: code `no_such_chart`.
        """
        if name not in PROJECT_CHARTS:
            raise _no_such_chart(name, PROJECT_CHARTS)
        return PROJECT_CHARTS[name](self)

    # --- What is read -----------------------------------------------------------------------------

    @cached_property
    def items(self) -> list[ItemInfo]:
        return items_of(self.project)

    @cached_property
    def changes(self) -> History:
        return changes_of(self.project)

    @cached_property
    def runs(self) -> list[facts.RunFact]:
        return facts.runs_of(self.project)

    @cached_property
    def scopes(self) -> list[ScopeVersion]:
        """Return the versions that were approved; what they said is in their snapshots."""
        agreed = (ScopingDocument.Status.APPROVED, ScopingDocument.Status.SUPERSEDED)
        rows = ScopingDocument.objects.filter(
            project=self.project, status__in=agreed, decided_at__isnull=False
        )
        return [_scope_version(row) for row in rows.order_by("decided_at", "version")]

    @cached_property
    def sprints(self) -> list[Sprint]:
        return sprints_by_start(self.project)

    @cached_property
    def sprint_infos(self) -> list[SprintInfo]:
        return [SprintInfo(one.pk, one.name, one.kind) for one in self.sprints]

    @cached_property
    def days(self) -> list[date]:
        """Return the days from before the first event until today, thinned if they are many."""
        today = day_of(self.now, self.zone)
        began = [change.at for change in self.changes] + [scope.since for scope in self.scopes]
        first = day_of(min([*began, self.now]), self.zone) - BEFORE
        return thinned(first, today)

    # --- What is shown ----------------------------------------------------------------------------

    def criteria(self) -> Chart:
        return learning.criteria_burn_up(self.scopes, self.runs, self.days, zone=self.zone)

    def uncertainty(self) -> Chart:
        return learning.uncertainty_burn_down(
            self.items, self.changes, self.scopes, self.days, zone=self.zone
        )

    def best_metric(self) -> Chart:
        scope = learning.in_force(self.scopes, self.now)
        return learning.best_metric_by_sprint(scope, self.runs, self.sprint_infos)

    def velocity(self) -> Chart:
        snapshots = snapshots_of(self.project)
        closed = [one for one in self.sprints if one.status == Sprint.Status.CLOSED]
        closed.sort(key=lambda one: (one.closed_at or self.now, one.pk))
        found = [
            ClosedSprint(one.name, one.kind, series)
            for one in closed
            if one.kind in delivery.ENGINEERING
            and (series := series_of(one, self.changes, snapshots.get(one.pk)))
        ]
        return delivery.velocity(found)

    def flow(self) -> Chart:
        return delivery.cumulative_flow(self.changes, self.days, zone=self.zone)

    def cycle_time(self) -> Chart:
        return delivery.cycle_time(self.items, self.changes, zone=self.zone)

    def wip_age(self) -> Chart:
        usual = self.cycle_time().marks.get("p85")
        return delivery.work_in_progress(self.items, self.changes, now=self.now, usual=usual)

    def gate_lead_time(self) -> Chart:
        return gates.gate_lead_time(facts.gates_of(self.project), now=self.now)

    def runs_and_compute(self) -> Chart:
        return economics.runs_and_compute(self.runs, self.sprint_infos)

    def verdicts(self) -> Chart:
        return economics.verdicts(self.items, self.changes, self.sprint_infos)

    def time_boxes(self) -> Chart:
        return economics.time_boxes(self.items, self.changes, now=self.now)


PROJECT_CHARTS: Mapping[str, Callable[[ProjectCharts], Chart]] = {
    "criteria": ProjectCharts.criteria,
    "uncertainty": ProjectCharts.uncertainty,
    "best-metric": ProjectCharts.best_metric,
    "verdicts": ProjectCharts.verdicts,
    "economics": ProjectCharts.runs_and_compute,
    "time-boxes": ProjectCharts.time_boxes,
    "velocity": ProjectCharts.velocity,
    "flow": ProjectCharts.flow,
    "cycle-time": ProjectCharts.cycle_time,
    "wip-age": ProjectCharts.wip_age,
    "gate-lead-time": ProjectCharts.gate_lead_time,
}


def sprint_charts(sprint: Sprint, series: SprintSeries | None = None) -> list[Chart]:
    """Return the sprint's charts: burning in what it was planned in, then in the other units."""
    series = series or sprint_days(sprint)
    return [_sprint_chart(sprint, series, name) for name in SPRINT_CHARTS]


def sprint_chart(sprint: Sprint, name: str) -> Chart:
    """Return one chart of a sprint.

    Raises:
        NotFound: code `no_such_chart`.
    """
    if name not in SPRINT_CHARTS:
        raise _no_such_chart(name, SPRINT_CHARTS)
    return _sprint_chart(sprint, sprint_days(sprint), name)


def sprint_days(sprint: Sprint) -> SprintSeries | None:
    """Return the sprint day by day: of one that is over, from its immutable snapshot."""
    snapshot = SprintSnapshot.objects.filter(sprint=sprint).first()
    needs_events = snapshot is None and sprint.started_at is not None
    return series_of(sprint, changes_of(sprint.project) if needs_events else [], snapshot)


def keep(owner: str, chart: Chart) -> None:
    """Keep a chart for the requests of its picture, which name it by its digest."""
    cache.set(_key(owner, chart.name, chart.digest), chart, _KEPT_SECONDS)


def kept(owner: str, name: str, digest: str) -> Chart | None:
    """Return a chart that `keep` was given for this owner, if it is still there."""
    chart = cache.get(_key(owner, name, digest)) if digest else None
    return chart if isinstance(chart, Chart) else None


def _key(owner: str, name: str, digest: str) -> str:
    return f"chart:{owner}:{name}:{digest}"


def _sprint_chart(sprint: Sprint, series: SprintSeries | None, name: str) -> Chart:
    if series is None:
        unit = burn.BURN_DOWNS.get(name)
        of_unit = f" in {burn.NOUNS[unit]}s" if unit else ""
        kind = "Burn-up" if name == "burn-up" else "Burn-down"
        return Chart(name, f"{kind}{of_unit}", advice=burn.NOT_STARTED)
    if name == "burn-up":
        return burn.burn_up(series)
    return burn.burn_down(series, sprint.ends_on, name=name)


def _scope_version(document: ScopingDocument) -> ScopeVersion:
    said = document.snapshot or {}
    rows = {
        name: [row for row in said.get(name) or [] if isinstance(row, dict)]
        for name in ("criteria", "baselines", "assumptions")
    }
    since = document.decided_at or document.created_at
    return ScopeVersion(document.version, since, **rows)


def _no_such_chart(name: str, names: Iterable[str]) -> NotFound:
    known = ", ".join(names)
    return NotFound(f"There is no chart {name!r}; there are {known}.", code="no_such_chart")
