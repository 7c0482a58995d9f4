"""What the rules on sprints look at, read from the rows."""

from datetime import date

from projects.models import Ceremony, Project, ScopingDocument, Sprint, SprintSnapshot, Stakeholder
from projects.rules.estimates import expected_days
from projects.rules.sprint_kinds import ApproachFacts, KillFacts, ScopeFacts, SprintFacts
from projects.rules.tier import ANSWERS
from projects.rules.working_days import WorkingDays
from projects.services.scoping import approved_scope

_GIVEN_UP = (ScopingDocument.Status.WITHDRAWN, ScopingDocument.Status.REJECTED)


def facts_of(sprint: Sprint) -> SprintFacts:
    """Return what the rules on the sprint's kind look at."""
    project, kind = sprint.project, sprint.kind
    approved = approved_scope(project)
    versions = project.scoping_documents.exclude(status__in=_GIVEN_UP).order_by("-version")
    latest = versions.first()
    others = project.sprints.exclude(status=Sprint.Status.CANCELLED).exclude(pk=sprint.pk)
    return SprintFacts(
        kind=kind,
        has_problem_statement=project.scoping_documents.exclude(problem_statement="").exists(),
        sponsors=holders(project, Stakeholder.Role.BUSINESS_OWNER),
        leads=holders(project, Stakeholder.Role.LEAD),
        other_discoveries=others.filter(kind=Sprint.Kind.DISCOVERY).count(),
        research_days=_research_days(sprint),
        latest=_scope_facts(latest) if latest else None,
        approved=_scope_facts(approved) if approved else None,
        model_ref=sprint.model_ref,
        killed=killed_in(project, approved),
    )


def holders(project: Project, role: str) -> list[str]:
    """Return the names of those who hold the role on the project today."""
    rows = Stakeholder.objects.current().filter(project=project, role=role, user__is_active=True)
    users = [row.user for row in rows.select_related("user").order_by("user__username")]
    return [user.get_full_name() or user.get_username() for user in users]


def working_days(first: date, last: date) -> int:
    """Return the working days from the first day to the last, both counted."""
    return WorkingDays().count(first, last)


def killed_in(project: Project, approved: ScopingDocument | None) -> KillFacts | None:
    """Return the kill criteria that failed in the sprint that ended last, with what was decided."""
    snapshot = (
        SprintSnapshot.objects.filter(sprint__project=project, sprint__closed_at__isnull=False)
        .select_related("sprint")
        .order_by("-sprint__closed_at", "-pk")
        .first()
    )
    results = (snapshot.data.get("kill_criteria") or []) if snapshot else []
    failed = [one["title"] for one in results if one["has_failed"]]
    if snapshot is None or not failed:
        return None
    meeting = _deciding_meeting(snapshot.sprint)
    return KillFacts(
        sprint=snapshot.sprint.name,
        failed=failed,
        decision=meeting.decision if meeting else "",
        decided_at=meeting.recorded_at if meeting else None,
        rescoped_at=approved.decided_at if approved else None,
    )


def _deciding_meeting(sprint: Sprint) -> Ceremony | None:
    """Return the latest meeting on the sprint, or after it, that decided how to go on."""
    decided = sprint.project.ceremonies.exclude(decision="")
    later = decided.filter(recorded_at__gte=sprint.closed_at)
    return (later | decided.filter(sprint=sprint)).order_by("recorded_at", "pk").last()


def _scope_facts(document: ScopingDocument) -> ScopeFacts:
    estimates = document.estimates.values("optimistic_days", "likely_days", "pessimistic_days")
    return ScopeFacts(
        label=f"scope v{document.version}",
        approaches=[
            ApproachFacts(one.name, one.rank, one.time_box_days)
            for one in document.approaches.all()
        ],
        unanswered=sum(getattr(document, name) is None for name in ANSWERS),
        expected_days=expected_days([dict(row, phase="") for row in estimates]),
    )


def _research_days(sprint: Sprint) -> int:
    spikes = sprint.project.sprints.filter(kind=Sprint.Kind.RESEARCH_SPIKE)
    spikes = spikes.exclude(status=Sprint.Status.CANCELLED)
    return sum(working_days(one.starts_on, one.ends_on) for one in spikes)
