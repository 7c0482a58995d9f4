"""What addresses of projects name."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from projects.models import (
    Ceremony,
    Deviation,
    Notice,
    Project,
    RetrospectiveAction,
    ScopingDocument,
    TierAssessment,
    TierDecision,
    WorkItem,
)
from projects.rules.tier import ANSWERS
from projects.services import tiers
from projects.services.attachments import attach
from projects.services.sprint_closing import close_sprint
from projects.services.work_items import NewWorkItem, add_work_item
from tests.factories import (
    A_DAY,
    ScopingDocumentFactory,
    SprintFactory,
    StakeholderFactory,
    UserFactory,
    WorkItemFactory,
    session_actor,
    write_scope,
)

#: People besides the cast: those who may be asked in somebody's place, or whom a gate needs.
SECONDS = {"noa": "validator", "ron": "risk_officer", "eva": "executive"}


def build(project: Project) -> dict[str, Any]:
    """Return one of everything that addresses of projects name."""
    lead = User.objects.get(username="lena")
    role = StakeholderFactory(project=project, user=UserFactory(username="nina"), role="operations")
    for username, held in SECONDS.items():
        StakeholderFactory(project=project, user=UserFactory(username=username), role=held)
    return {
        "stakeholder": role,
        **_scopes(project, lead),
        **_sprints(project, lead),
        **_items(project, lead),
        "tier": _lower_tier(project),
    }


def _lower_tier(project: Project) -> TierAssessment:
    new = tiers.NewAssessment(dict.fromkeys(ANSWERS, 0), "Nobody uses it any more.")
    row = tiers.assess_tier(project, new, actor=session_actor(User.objects.get(username="rita")))
    project.refresh_from_db()
    return row


def decide_tier(row: TierAssessment, *, is_decided: bool) -> None:
    """Let an assessment be decided, past the command."""
    if is_decided:
        decider = User.objects.get(username="vera")
        TierDecision.objects.create(assessment=row, is_agreed=False, decided_by=decider)


def _submitted() -> dict[str, Any]:
    """Return what a scope has that left the state of a draft."""
    return {"content_hash": "0" * 64, "submitted_at": timezone.now()}


def _scopes(project: Project, lead: User) -> dict[str, Any]:
    approved = project.scoping_documents.get(status=ScopingDocument.Status.APPROVED)
    submitted = ScopingDocumentFactory(
        project=project, version=50, status="submitted", **_submitted()
    )
    deviation = Deviation.objects.create(
        scope=submitted,
        criterion_key="ranks-later-months",
        before={"metric_key": "test_roc_auc", "threshold": 0.58},
        after={"metric_key": "test_roc_auc", "threshold": 0.52},
        reason="The test months follow a crisis.",
        proposed_by=User.objects.get(username="sam"),
    )
    return {
        "approved": approved,
        "draft": write_scope(project, lead),
        "deviation": deviation,
    }


def _sprints(project: Project, lead: User) -> dict[str, Any]:
    sprint = SprintFactory(project=project, kind="discovery")
    old = ScopingDocumentFactory(project=project, version=40, status="superseded", **_submitted())
    now = timezone.now()
    # Closed, so that no sprint runs but where one is asked for.
    ended_then = {
        "project": project,
        "kind": "monitor",
        "status": "closed",
        "started_at": now,
        "closed_at": now,
    }
    behind = SprintFactory(**{**ended_then, "kind": "discovery"}, scope=old)
    running = SprintFactory(project=project, status="active", started_at=now - A_DAY)
    work = NewWorkItem("task", "Read it", sprint=running, points=3)
    add_work_item(project, work, actor=session_actor(lead))
    ended = close_sprint(running, actor=session_actor(lead), force_reason="Time is over.")
    day = now.date()
    held = Ceremony.objects.create(
        project=project, sprint=ended, kind="retrospective", held_on=day, recorded_by=lead
    )
    promise = RetrospectiveAction.objects.create(
        project=project, ceremony=held, text="Write it down.", owner=lead, due=day
    )
    return {
        "sprint": sprint,
        "behind": behind,
        "ended": ended,
        "meeting": held,
        "promise": promise,
    }


def _items(project: Project, lead: User) -> dict[str, Any]:
    item = WorkItemFactory(project=project, status="doing", created_by=lead)
    other = WorkItemFactory(project=project, created_by=lead)
    waiting = WorkItemFactory(project=project, created_by=lead)
    waiting.depends_on.add(other)
    tied = WorkItemFactory(project=project, run_ids=["tied"], created_by=lead)
    box = {"time_box_hours": 8, "time_box_ends_at": timezone.now() - timedelta(hours=1)}
    file = SimpleUploadedFile("notes.txt", b"Said.", "text/plain")
    kinds = WorkItem.Kind
    return {
        "item": item,
        "other": other,
        "waiting": waiting,
        "tied": tied,
        "hypothesis": WorkItemFactory(project=project, kind=kinds.HYPOTHESIS, status="doing"),
        "spike": WorkItemFactory(project=project, kind=kinds.SPIKE, status="doing", **box),
        "attachment": attach(item, file, actor=session_actor(lead)),
        "told": Notice.objects.create(user=lead, item=item, text="Look."),
    }
