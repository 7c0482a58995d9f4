"""Pages of the meetings: planning, review and retrospective of a sprint, and the milestones."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from projects import access
from projects.actors import Actor
from projects.errors import DomainError, NotFound
from projects.models import Ceremony, Milestone, Project, RetrospectiveAction, Sprint
from projects.rules.ceremonies import MEETINGS, MILESTONES, Meeting
from projects.services import capacity, ceremonies, sprints
from projects.services.scoping import approved_scope
from projects.services.work_item_checks import OPEN_SPRINTS
from projects.views.base import page, visible_or_404
from projects.views.ceremony_forms import MeetingForm, capacity_from, people_of
from projects.web import attempt, back_to, words_of

_SPRINTS = Sprint.objects.select_related("project", "scope")
_read_or_write = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """One of the six meetings with when it is due and when it was held."""

    meeting: Meeting
    planned: Milestone | None
    held: list[Ceremony]

    @property
    def is_overdue(self) -> bool:
        planned = self.planned.planned_on if self.planned else None
        return planned is not None and not self.held and planned < timezone.localdate()


@_read_or_write
@page
def planning(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Plan a sprint: who has how much time, what is taken on, which promises are open."""
    sprint = visible_or_404(_SPRINTS, actor, pk=pk)
    rows, status = _capacity_rows(sprint), 200
    if request.method == "POST" and "set_capacity" in request.POST:
        rows, status = _typed_capacity(request, rows), 422
        if _set_capacity(request, actor, sprint, rows):
            return redirect(request.path)
    is_open = sprint.status in OPEN_SPRINTS
    more = {
        "capacity_rows": rows,
        "verdict": capacity.judge_capacity(sprint),
        "may_set": is_open and access.can(actor, "sprint.set_capacity", sprint.project),
        "items": sprint.work_items.exclude(status="dropped").select_related("assignee"),
        "not_ready": sprints.not_ready(sprint) if sprint.status == "planned" else [],
    }
    return _meeting_page(request, actor, sprint, "planning", more, status=status)


@_read_or_write
@page
def review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Record the review of a sprint: who was there, what was shown, what was said."""
    sprint = visible_or_404(_SPRINTS, actor, pk=pk)
    scope = sprint.scope or approved_scope(sprint.project)
    more = {"demo_due": scope.demo_dataset if scope else ""}
    return _meeting_page(request, actor, sprint, "review", more)


@_read_or_write
@page
def retrospective(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Record the retrospective of a sprint: what to keep, change and try, and who promises what."""
    sprint = visible_or_404(_SPRINTS, actor, pk=pk)
    return _meeting_page(request, actor, sprint, "retrospective", {})


@_read_or_write
@page
def meetings(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show the meetings that follow milestones, what is due, and the form that records one."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    form = _milestone_form(request, project)
    if form is not None and form.is_posted and _record(request, actor, form, None):
        return redirect("projects:meetings", slug=slug)
    rows = project.ceremonies.select_related("decider", "sprint").prefetch_related("attendees")
    held = list(rows)
    context = {
        "project": project,
        "rows": _milestones(project, held),
        "held": held,
        "form": form,
        **_shared(actor, project),
    }
    status = 422 if form is not None and form.is_posted else 200
    return render(request, "projects/meetings.html", context, status=status)


@require_POST
@page
def end_action(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Close or drop a promise of a retrospective."""
    rows = RetrospectiveAction.objects.select_related("project")
    action = visible_or_404(rows, actor, pk=pk)
    command = {"close": ceremonies.close_action, "drop": ceremonies.drop_action}[verb]
    done = {"close": "The action is closed.", "drop": "The action is dropped."}[verb]
    note = request.POST.get("note", "")
    attempt(request, partial(command, action, actor=actor, note=note), done=done)
    return back_to(request, reverse("projects:meetings", args=[action.project.slug]))


def _shared(actor: Actor, project: Project) -> dict[str, Any]:
    return {
        "may_record": access.can(actor, "ceremony.record", project),
        "actions": ceremonies.open_actions(project),
        "may_close": access.can(actor, "retro_action.close", project),
    }


def _meeting_page(
    request: HttpRequest,
    actor: Actor,
    sprint: Sprint,
    kind: str,
    more: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    is_recording = request.method == "POST" and "set_capacity" not in request.POST
    data = request.POST if is_recording else None
    form = MeetingForm(sprint.project, MEETINGS[kind], data, sprint=sprint)
    if form.is_posted and _record(request, actor, form, sprint):
        return redirect(request.path)
    held = sprint.ceremonies.filter(kind=kind).select_related("decider")
    related = ("attendees", "feedback__work_item", "retro_notes", "actions__owner")
    context = {
        "sprint": sprint,
        "project": sprint.project,
        "form": form,
        "held": held.prefetch_related(*related),
        **_shared(actor, sprint.project),
        **more,
    }
    status = 422 if form.is_posted else status
    return render(request, f"projects/{kind}.html", context, status=status)


def _milestone_form(request: HttpRequest, project: Project) -> MeetingForm | None:
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    rule = MEETINGS.get(kind)
    if rule is None or rule.of_sprint:
        return None
    return MeetingForm(project, rule, request.POST if request.method == "POST" else None)


def _record(request: HttpRequest, actor: Actor, form: MeetingForm, sprint: Sprint | None) -> bool:
    """Record what was typed; a refusal is told and leaves the form as it was."""
    try:
        meeting = form.meeting(sprint)
        recorded = ceremonies.record_ceremony(form.project, meeting, actor=actor)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, words_of(error))
        return False
    messages.success(request, "The meeting is on record.")
    for sentence in recorded.warnings:
        messages.warning(request, sentence)
    return True


def _set_capacity(
    request: HttpRequest, actor: Actor, sprint: Sprint, rows: list[dict[str, Any]]
) -> bool:
    return attempt(
        request,
        lambda: capacity.set_capacity(sprint, capacity_from(rows), actor=actor),
        done="The capacity is set.",
    )


def _typed_capacity(request: HttpRequest, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "user": row["user"],
            "days": request.POST.get(f"days-{row['user'].pk}", ""),
            "points": request.POST.get(f"points-{row['user'].pk}", ""),
        }
        for row in rows
    ]


def _capacity_rows(sprint: Sprint) -> list[dict[str, Any]]:
    stated = {row.person_id: row for row in sprint.capacities.all()}
    rows = []
    for user in people_of(sprint.project):
        row = stated.get(user.pk)
        points = row.points if row and row.points is not None else ""
        rows.append({"user": user, "days": f"{row.days:g}" if row else "", "points": points})
    return rows


def _milestones(project: Project, held: list[Ceremony]) -> list[MilestoneRow]:
    scope = approved_scope(project) or project.scoping_documents.order_by("-version").first()
    planned = {one.kind: one for one in scope.milestones.all()} if scope else {}
    return [
        MilestoneRow(rule, planned.get(name), [one for one in held if one.kind == rule.kind])
        for name, rule in MILESTONES.items()
    ]
