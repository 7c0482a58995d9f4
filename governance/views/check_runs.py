"""Checks that take work, on the page of a review: what ran, how far it is, start and stop."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import CheckRun, GateReview
from governance.rules.policy import RequirementRule
from governance.services import check_runs as commands
from governance.views.base import attempt, page, visible_or_404
from projects.actors import Actor

Status = CheckRun.Status
_UNFINISHED = frozenset({Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True)
class WorkLine:
    """One requirement that takes work, with its newest run and what may be done about it."""

    rule: RequirementRule
    run: CheckRun | None
    is_old: bool
    may_start: bool
    may_cancel: bool
    may_retry: bool

    @property
    def is_live(self) -> bool:
        return self.run is not None and self.run.status in _UNFINISHED

    @property
    def progress(self) -> int:
        return int(self.run.result.get("progress", 0)) if self.run else 0


def panel_of(review: GateReview, actor: Actor) -> dict[str, Any]:
    """Return what the part of the page on check runs shows."""
    rules = commands.working_requirements(review)
    newest = {run.key: run for run in review.check_runs.order_by("pk")} if rules else {}
    may = review.status == GateReview.Status.OPEN and access.can(actor, "check.run", review.project)
    lines = [_line(review, rule, newest.get(rule.key), may=may) for rule in rules]
    return {"check_lines": lines, "checks_are_live": any(line.is_live for line in lines)}


def _line(
    review: GateReview, rule: RequirementRule, run: CheckRun | None, *, may: bool
) -> WorkLine:
    is_unfinished = run is not None and run.status in _UNFINISHED
    is_old = run is not None and run.bindings_digest != review.bindings_digest
    ended_badly = run is not None and run.status in {Status.FAILED, Status.CANCELLED}
    return WorkLine(
        rule,
        run,
        is_old=is_old,
        may_start=may and not is_unfinished and not ended_badly,
        may_cancel=may and is_unfinished,
        may_retry=may and ended_badly,
    )


def _review(actor: Actor, pk: int) -> GateReview:
    rows = GateReview.objects.select_related("project", "policy_version__policy")
    return visible_or_404(rows, actor, pk=pk)


@require_safe
@page
def check_runs(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show how far the checks of a review are; htmx asks for this part alone while one runs."""
    review = _review(actor, pk)
    if not request.headers.get("HX-Request"):
        return redirect(_address(pk))
    context = {"review": review, **panel_of(review, actor)}
    answer = render(request, "governance/_check_runs.html", context)
    if not context["checks_are_live"]:
        # The requirements were judged again: show them, not only that the work has ended.
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@page
def start(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ask for the work behind one requirement."""
    review = _review(actor, pk)
    return attempt(
        request,
        lambda: commands.request_check_run(review, request.POST.get("key", ""), actor=actor),
        done="The check is queued; a worker takes it up and the result appears here.",
        back=_address(pk),
    )


@require_POST
@page
def cancel(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Cancel a check that waits or runs."""
    run = _run(actor, pk)
    return attempt(
        request,
        lambda: commands.cancel_check_run(run, actor=actor),
        done="The check is cancelled.",
        back=_address(run.review_id),
    )


@require_POST
@page
def retry(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Queue a check that failed or was cancelled once more."""
    run = _run(actor, pk)
    return attempt(
        request,
        lambda: commands.retry_check_run(run, actor=actor),
        done="The check is queued again.",
        back=_address(run.review_id),
    )


def _run(actor: Actor, pk: int) -> CheckRun:
    rows = CheckRun.objects.select_related("review__project", "review__policy_version__policy")
    return visible_or_404(rows, actor, pk=pk)


def _address(pk: int) -> str:
    return f"{reverse('governance:review', args=[pk])}#check-runs"
