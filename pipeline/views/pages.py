"""Deployment health and the list of background jobs."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from governance import access
from governance.models import Finding
from governance.services import rollback
from governance.views.base import page
from governance.views.evidence import SANDBOX
from pipeline.models import Deployment, DriftReport, Job, Monitor, RetrainingPolicy
from pipeline.services.loading import why_not_standing
from projects import content_store
from projects.actors import Actor

SHOWN = 12
JOBS_PER_PAGE = 30
SHOWN_METRICS = (
    "roc_auc",
    "average_precision",
    "lift_top_decile",
    "calibration_error",
    "positive_rate",
)
BUSY = (Job.Status.QUEUED, Job.Status.RUNNING)
TONES = {
    Deployment.Status.SERVING: "ok",
    Deployment.Status.WAITING: "warn",
    Deployment.Status.REFUSED: "bad",
    Deployment.Status.STOPPED: "muted",
}


@require_safe
@page
def deployment_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what serves on the reader's projects."""
    deployments = list(
        Deployment.objects.visible_to(actor)
        .select_related("project", "environment", "model", "version__model")
        .annotate(last_window=Max("monitor__reports__window_end"))
    )
    for deployment in deployments:
        deployment.tone = _tone(deployment)  # type: ignore[attr-defined]
    return render(request, "pipeline/deployments.html", {"deployments": deployments})


@require_safe
@page
def deployment_detail(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show the health of one deployment."""
    deployment = get_object_or_404(
        Deployment.objects.visible_to(actor).select_related(
            "project", "environment", "model", "version__model", "promotion__review"
        ),
        slug=slug,
    )
    halted = deployment.promotion is not None and why_not_standing(deployment.promotion)
    state = Deployment.Status.REFUSED if halted and _is_live(deployment) else deployment.status
    deployment.tone = TONES[Deployment.Status(state)]  # type: ignore[attr-defined]
    jobs = list(
        Job.objects.filter(project=deployment.project).select_related("requested_by")[:SHOWN]
    )
    context = {
        "deployment": deployment,
        "state": state,
        "reason": f"Scoring is refused: {halted}" if halted else deployment.status_reason,
        "version": deployment.version,
        "promotion": deployment.promotion,
        **_way_back(deployment, actor),
        "policy": RetrainingPolicy.objects.filter(deployment=deployment).first(),
        "traffic": deployment.predictions.aggregate(
            rows=Count("pk"), labelled=Count("label"), last=Max("occurred_at")
        ),
        "findings": _findings(deployment),
        "jobs": jobs,
        "is_busy": any(job.status in BUSY for job in jobs),
        **_monitoring(deployment),
    }
    return render(request, "pipeline/deployment.html", context)


def _way_back(deployment: Deployment, actor: Actor) -> dict[str, Any]:
    """Return the promotion to go back to, if the reader may send it back."""
    promotion = deployment.promotion
    if promotion is None or not access.can(actor, "promotion.roll_back", deployment.project):
        return {}
    return {"last_good": rollback.last_good(promotion)}


def _tone(deployment: Deployment) -> str:
    return TONES[Deployment.Status(deployment.status)]


def _is_live(deployment: Deployment) -> bool:
    """Tell whether the stored state is older than a halt that the next request will meet."""
    return deployment.status in {Deployment.Status.SERVING, Deployment.Status.WAITING}


def _findings(deployment: Deployment) -> list[Finding]:
    """Return the findings about the versions that have served here."""
    refs = {f"model_version:{pk}" for pk in deployment.model.versions.values_list("pk", flat=True)}
    return list(
        Finding.objects.filter(
            project=deployment.project, subject_kind="model_version", subject_ref__in=refs
        )[:SHOWN]
    )


def _monitoring(deployment: Deployment) -> dict[str, Any]:
    monitor = (
        Monitor.objects.filter(deployment=deployment)
        .prefetch_related(Prefetch("reports", DriftReport.objects.select_related("version__model")))
        .first()
    )
    reports = list(monitor.reports.all())[:SHOWN] if monitor else []
    measured = {name for report in reports for name in report.performance}
    metrics = [name for name in SHOWN_METRICS if name in measured]
    history = [
        {
            "report": report,
            "metrics": [report.performance.get(name) for name in metrics],
            "worst": max((row["psi"] for row in report.features), default=None),
        }
        for report in reports
    ]
    newest = reports[0] if reports else None
    return {
        "monitor": monitor,
        "report": newest,
        "metrics": metrics,
        "history": history,
        "drift": _drift_rows(newest),
    }


def _drift_rows(report: DriftReport | None) -> list[dict[str, Any]]:
    """Return the features of a report, worst first, with what the bars need."""
    if report is None:
        return []
    limit = float(report.limits["psi"])
    rows = sorted(report.features, key=lambda row: -row["psi"])
    # One huge drift would flatten all other bars, so bars end at five times the limit.
    bar = {"limit": limit, "warning": limit / 2, "scale": 5 * limit}
    return [{**row, **bar} for row in rows]


@require_safe
@page
def report_plot(request: HttpRequest, actor: Actor, pk: int, number: int) -> HttpResponse:
    """Send one plot of a drift report, harmless in a browser."""
    report = get_object_or_404(DriftReport.objects.visible_to(actor), pk=pk)
    if number >= len(report.plots):
        raise Http404("This report has no such plot.")
    picture = content_store.read(report.plots[number]["attachment"])
    response = HttpResponse(picture, content_type="image/svg+xml")
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@require_safe
@page
def job_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the background jobs of the reader's projects, newest first."""
    jobs = Job.objects.visible_to(actor).select_related("project", "requested_by")
    shown = Paginator(jobs, JOBS_PER_PAGE).get_page(request.GET.get("page"))
    is_busy = any(job.status in BUSY for job in shown.object_list)
    return render(request, "pipeline/jobs.html", {"page": shown, "is_busy": is_busy})
