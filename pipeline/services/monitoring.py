"""Look at a window of predictions: drift, performance, and what a breach sets in motion."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from governance.models import Finding, GateReview, Promotion
from governance.services import findings, lineage, policies, promotions, reviews
from governance.services.findings import NewFinding
from ledger import services as ledger
from pipeline import access
from pipeline.ml.problems import DataProblem
from pipeline.models import (
    Deployment,
    DriftReport,
    Job,
    ModelVersion,
    Monitor,
    Prediction,
)
from pipeline.rules.monitoring import Breach, Limits, breaches, is_enough
from pipeline.services import frames, graph, jobs, loading, retraining
from pipeline.services.scoring import signature_columns
from projects import content_store
from projects.actors import Actor, system
from projects.errors import DomainError, InvalidInput, RuleViolated

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.ml.drift import DriftResult

MONITORING = system("monitoring")
#: Fewer labelled rows than this tell nothing about performance.
MIN_LABELLED = 50
_ROLE = "production"
#: Names in the title of a finding; its text names all.
_NAMED = 3


@dataclass(frozen=True)
class Window:
    """The predictions of one window, ready to be measured; the end is not part of it."""

    start: datetime
    end: datetime
    version: ModelVersion
    frame: "pd.DataFrame"
    target: Any
    scores: Any
    labelled_count: int


@dataclass(frozen=True)
class Measured:
    """What a window showed, and which limits it broke."""

    drift: "list[DriftResult]" = field(default_factory=list)
    performance: dict[str, float] = field(default_factory=dict)
    breaches: list[Breach] = field(default_factory=list)
    plots: list[dict[str, str]] = field(default_factory=list)

    @property
    def features(self) -> list[dict[str, Any]]:
        """Return one JSON row per feature, with whether it broke a limit."""
        names = {breach.name for breach in self.breaches}
        return [{**one.as_row(), "breached": one.feature in names} for one in self.drift]


@transaction.atomic
def configure_monitor(
    deployment: Deployment, values: Mapping[str, Any], *, actor: Actor
) -> Monitor:
    """Make or change the monitor of a deployment; values left out stay as they are."""
    access.require(actor, "monitor.configure", deployment.project)
    monitor = Monitor.objects.filter(deployment=deployment).first() or Monitor(
        deployment=deployment
    )
    for name, value in values.items():
        setattr(monitor, name, value)
    monitor.save()
    if not monitor.reference_profile and deployment.version is not None:
        _renew_profile(monitor, deployment.version)
    ledger.append(
        "monitor.configured",
        subject=monitor.ref,
        actor=actor,
        data={name: _ledger_value(value) for name, value in values.items()},
    )
    return monitor


def _ledger_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ledger_value(item) for name, item in value.items()}
    return ledger.decimal_text(value) if isinstance(value, float) else value


def refresh_reference(deployment: Deployment, version: ModelVersion) -> None:
    """Compare from now on with the rows that the newly promoted version learned from."""
    monitor, _ = Monitor.objects.get_or_create(deployment=deployment)
    _renew_profile(monitor, version)


def _renew_profile(monitor: Monitor, version: ModelVersion) -> None:
    """Store the shape of the training rows; without registered data there is none to store."""
    from pipeline.ml.profile import reference_profile

    names = [column.name for column in signature_columns(version.signature)]
    try:
        rows = frames.training_rows(version)
        profile = reference_profile(rows, names)
    except (DomainError, DataProblem):
        profile = {}
    Monitor.objects.filter(pk=monitor.pk).update(reference_profile=profile)
    monitor.reference_profile = profile


def run_monitor(
    monitor: Monitor, *, window_start: datetime, window_end: datetime, actor: Actor
) -> DriftReport:
    """Measure one window and act on what it shows; a window is looked at once.

    Raises:
        InvalidInput: code `wrong_window`.
        RuleViolated: code `no_predictions`.
        DataProblem: what measuring the rows refuses.
    """
    deployment = monitor.deployment
    access.require(actor, "monitor.run", deployment.project)
    if window_start >= window_end:
        raise InvalidInput("A window must end after it starts.", code="wrong_window")
    known = DriftReport.objects.filter(
        monitor=monitor, window_start=window_start, window_end=window_end
    ).first()
    if known is not None:
        return known
    window = _read_window(monitor, window_start, window_end)
    limits = limits_of(monitor)
    measured = _measure(monitor, window, limits)
    try:
        with transaction.atomic():
            return _record(monitor, window, limits, measured, actor=actor)
    except IntegrityError:
        return DriftReport.objects.get(
            monitor=monitor, window_start=window_start, window_end=window_end
        )


def limits_of(monitor: Monitor) -> Limits:
    """Return the limits that hold now."""
    performance = {str(k): float(v) for k, v in monitor.performance_limits.items()}
    if monitor.min_performance is not None:
        performance[monitor.metric_key] = monitor.min_performance
    return Limits(psi=monitor.psi_limit, performance=performance, min_rows=monitor.min_rows)


def _read_window(monitor: Monitor, start: datetime, end: datetime) -> Window:
    import numpy as np
    import pandas as pd

    rows = Prediction.objects.filter(
        deployment=monitor.deployment, occurred_at__gte=start, occurred_at__lt=end
    )
    version = _version_of(rows)
    if version is None:
        raise RuleViolated(
            f"{monitor.deployment.slug} answered nothing between {start:%Y-%m-%d} and "
            f"{end:%Y-%m-%d}.",
            code="no_predictions",
        )
    values = list(rows.values_list("features", "score", "label").order_by("occurred_at", "pk"))
    return Window(
        start=start,
        end=end,
        version=version,
        frame=pd.DataFrame([features for features, _, _ in values]),
        target=np.array([math.nan if label is None else label for _, _, label in values]),
        scores=np.array([score for _, score, _ in values]),
        labelled_count=sum(label is not None for _, _, label in values),
    )


def _version_of(rows: Any) -> ModelVersion | None:
    """Return the version that gave most of the answers."""
    most = rows.values("version").annotate(answers=Count("pk")).order_by("-answers").first()
    if most is None:
        return None
    return ModelVersion.objects.select_related("model", "run").get(pk=most["version"])


def _measure(monitor: Monitor, window: Window, limits: Limits) -> Measured:
    from pipeline.ml.drift import measure_drift

    if not is_enough(limits, len(window.frame)):
        return Measured()
    profile = monitor.reference_profile
    watched = [name for name in profile.get("features", {}) if name in window.frame.columns]
    drift = measure_drift(window.frame, profile, watched)
    performance = _performance(window)
    broken = breaches(limits, drift, performance)
    measured = Measured(drift, performance, broken)
    return replace(measured, plots=_draw(monitor, window, limits, measured))


def _performance(window: Window) -> dict[str, float]:
    """Return the metrics on the rows that have a label; empty while there are too few."""
    import numpy as np

    from pipeline.ml.evaluation import evaluate

    labelled = ~np.isnan(window.target)
    target = window.target[labelled].astype("int64")
    if len(target) < MIN_LABELLED or len(set(target.tolist())) == 1:
        return {}
    found = evaluate(_ROLE, target, window.scores[labelled])
    return {name.removeprefix(f"{_ROLE}_"): value for name, value in found.items()}


def _draw(
    monitor: Monitor, window: Window, limits: Limits, measured: Measured
) -> list[dict[str, str]]:
    """Draw the report's plots and keep them in the content store."""
    from pipeline.ml import plots

    drawn = [plots.drift_picture(measured.drift, limits.psi)]
    over_time = _over_time(monitor, window, measured)
    for metric, limit in (limits.performance or {}).items():
        values = {name: performance.get(metric) for name, performance in over_time.items()}
        if any(value is not None for value in values.values()):
            drawn.append(plots.performance_picture(metric, values, limit))
    return [{"title": one.title, "attachment": content_store.put(one.svg)} for one in drawn]


def _over_time(
    monitor: Monitor, window: Window, measured: Measured
) -> dict[str, Mapping[str, float]]:
    """Return the performance of earlier windows and of this one, by name, in order of time."""
    earlier = DriftReport.objects.filter(monitor=monitor, window_end__lte=window.start)
    known = {
        _window_name(report.window_start, report.window_end): report.performance
        for report in earlier.order_by("window_end")
    }
    return {**known, _window_name(window.start, window.end): measured.performance}


def _window_name(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d} to {end:%m-%d}"


def _record(
    monitor: Monitor, window: Window, limits: Limits, measured: Measured, *, actor: Actor
) -> DriftReport:
    deployment = monitor.deployment
    report = DriftReport.objects.create(
        monitor=monitor,
        version=window.version,
        window_start=window.start,
        window_end=window.end,
        row_count=len(window.frame),
        labelled_count=window.labelled_count,
        features=measured.features,
        performance=measured.performance,
        limits={
            "psi": limits.psi,
            "performance": dict(limits.performance or {}),
            "min_rows": limits.min_rows,
        },
        breaches=[breach.sentence for breach in measured.breaches],
        plots=measured.plots,
    )
    ledger.append(
        "drift_report.created",
        subject=report.ref,
        actor=actor,
        data={
            "deployment": deployment.slug,
            "version": window.version.ref,
            "from": window.start.isoformat(),
            "to": window.end.isoformat(),
            "rows": report.row_count,
            "breaches": report.breaches,
        },
    )
    node = graph.report_node(report, deployment)
    lineage.record_edge(graph.predictions_node(deployment, window.version), node, "examined_in")
    if measured.breaches:
        _act_on_breach(monitor, report, measured.breaches)
    return report


def _act_on_breach(monitor: Monitor, report: DriftReport, broken: list[Breach]) -> None:
    """Open a finding and queue a retraining as the monitor says; suspend as the policy says."""
    names = list(dict.fromkeys(breach.name for breach in broken))
    ledger.append("monitor.breached", subject=report.ref, actor=MONITORING, data={"names": names})
    if monitor.opens_finding:
        _open_finding(monitor, report, names)
    # A window of an earlier version says nothing against the one that serves now.
    is_current = monitor.deployment.version_id == report.version_id
    if is_current:
        _suspend(monitor.deployment, report)
    if monitor.starts_retraining and is_current:
        retraining.enqueue_on_breach(monitor.deployment, report)


def _open_finding(monitor: Monitor, report: DriftReport, names: list[str]) -> None:
    version = report.version
    if version is None or _is_known(version, names):
        return
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    window = f"{report.window_start:%Y-%m-%d} to {report.window_end:%Y-%m-%d}"
    finding = findings.open_finding(
        NewFinding(
            project=monitor.deployment.project,
            subject_kind="model_version",
            subject_ref=version.ref,
            title=f"Monitor of {monitor.deployment.slug}: {', '.join(names[:_NAMED])}{more}",
            description="\n".join([f"Window {window}.", *report.breaches]),
            severity=Finding.Severity.HIGH,
            data={"drift_report": report.ref, "names": names},
        ),
        actor=MONITORING,
    )
    node = lineage.Node("finding", finding.ref, finding.title)
    opened = lineage.record_node(node, project=finding.project)
    lineage.record_edge(graph.report_node(report, monitor.deployment), opened, "opened")


def _is_known(version: ModelVersion, names: list[str]) -> bool:
    """Tell whether an unresolved finding names all of this already: one alarm is enough."""
    unresolved = Finding.objects.unresolved().filter(
        subject_kind="model_version", subject_ref=version.ref, source=MONITORING.ref
    )
    return any(set(names) <= set(finding.data.get("names", ())) for finding in unresolved)


def _suspend(deployment: Deployment, report: DriftReport) -> None:
    """Withdraw the approval: the next scoring request is refused until somebody decides anew.

    The policy that the approval was given under says whether a breach does that; who runs the
    monitor has no say in it.
    """
    promotion = deployment.promotion
    if promotion is None or promotion.status != Promotion.Status.APPLIED:
        return
    if not policies.rules_of(promotion.review.policy_version).suspend_on_breach:
        return
    reason = f"The monitor saw a limit broken: {report.breaches[0]}"
    if promotion.review.status == GateReview.Status.APPROVED:
        reviews.suspend_review(promotion.review, actor=MONITORING, reason=reason)
    promotion.refresh_from_db()
    if promotion.status == Promotion.Status.APPLIED:
        promotions.suspend_promotion(promotion, actor=MONITORING, reason=reason)
    loading.mark_refused(deployment, "promotion_not_standing", reason)


def enqueue_monitor(
    monitor: Monitor, *, window_start: datetime, window_end: datetime, actor: Actor
) -> Job:
    """Queue a look at one window."""
    access.require(actor, "monitor.run", monitor.deployment.project)
    if window_start >= window_end:
        raise InvalidInput("A window must end after it starts.", code="wrong_window")
    new = jobs.NewJob(
        Job.Kind.MONITOR,
        monitor.deployment.project,
        monitor.ref,
        {"window_start": window_start.isoformat(), "window_end": window_end.isoformat()},
    )
    return jobs.enqueue(new, actor=actor)


def run_monitor_job(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Look at the window that the job names."""
    monitor = Monitor.objects.select_related(
        "deployment__project", "deployment__promotion__review", "deployment__version__model"
    ).get(pk=int(job.subject_ref.rpartition(":")[2]))
    jobs.step(job, 10, "Measuring drift and performance.")
    report = run_monitor(
        monitor,
        window_start=_moment(job.params["window_start"]),
        window_end=_moment(job.params["window_end"]),
        actor=actor,
    )
    return {"drift_report": report.pk, "breaches": report.breaches}


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise InvalidInput(f"{text!r} is not a time.", code="wrong_window")
    return moment


def enqueue_due_monitors() -> int:
    """Queue the next window of every active monitor if it has ended; return how many."""
    now = timezone.now()
    queued = 0
    for monitor in Monitor.objects.filter(is_active=True).select_related("deployment__project"):
        start = _next_start(monitor)
        if start is None:
            continue
        end = start + timedelta(days=monitor.window_days)
        if end <= now:
            enqueue_monitor(monitor, window_start=start, window_end=end, actor=MONITORING)
            queued += 1
    return queued


def _next_start(monitor: Monitor) -> datetime | None:
    """Return where the next window starts: at the first prediction that no report covers."""
    last = DriftReport.objects.filter(monitor=monitor).order_by("-window_end").first()
    rows = Prediction.objects.filter(deployment=monitor.deployment)
    if last is not None:
        rows = rows.filter(occurred_at__gte=last.window_end)
    first = rows.order_by("occurred_at").values_list("occurred_at", flat=True).first()
    if first is None:
        return None
    return first.replace(hour=0, minute=0, second=0, microsecond=0)
