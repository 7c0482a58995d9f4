"""All projects of one reader at a glance, in a number of queries that does not grow with them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model, Q

from projects import facts
from projects.actors import Actor
from projects.models import Milestone, Project, Risk, ScopingDocument, Sprint
from projects.rules import portfolio as rules
from projects.rules.phases import PHASES, PhaseFacts, phase_of
from projects.rules.words import review_words

_STANDING = ("approved", "submitted", "draft")
#: By what a list may be sorted, and how; what is not known comes last.
SORTS: Mapping[str, str] = {
    "name": "Name",
    "phase": "Phase",
    "health": "Health",
    "next": "Next date",
    "value": "Net benefit",
    "risk": "Risk",
}


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    """One project as the portfolio shows it."""

    project: Project
    phase: str
    scope: ScopingDocument | None
    net_benefit: Decimal | None
    currency: str
    risk: int | None
    risk_title: str
    health: rules.Health
    overdue: tuple[rules.Appointment, ...]
    next: rules.Appointment | None
    open_reviews: int
    waivers: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asks for; empty means everything."""

    phase: str = ""
    tier: str = ""
    health: str = ""
    text: str = ""
    sort: str = "name"


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that was read about all projects, by project."""

    scopes: Mapping[int, Sequence[ScopingDocument]]
    current: Mapping[int, ScopingDocument]
    risks: Mapping[int, Sequence[Risk]]
    milestones: Mapping[int, Sequence[Milestone]]
    sprints: Mapping[int, Sequence[Sprint]]
    gates: Mapping[int, Sequence[facts.GateFact]]
    findings: Mapping[int, Sequence[facts.FindingFact]]
    deployments: Mapping[int, Sequence[facts.DeploymentFact]]
    waivers: Mapping[int, int]


def portfolio_of(actor: Actor, *, today: date, wanted: Wanted | None = None) -> list[PortfolioRow]:
    """Return the reader's projects that fit what is wanted, in the order that is wanted."""
    asked = wanted or Wanted()
    projects = Project.objects.visible_to(actor)
    if asked.tier:
        projects = projects.filter(tier=asked.tier)
    if asked.text:
        text = asked.text
        projects = projects.filter(
            Q(name__icontains=text) | Q(slug__icontains=text) | Q(summary__icontains=text)
        )
    rows = [row for row in rows_of(list(projects), today=today) if _fits(row, asked)]
    return sorted(rows, key=_ORDERS.get(asked.sort, _by_name))


def rows_of(projects: Sequence[Project], *, today: date) -> list[PortfolioRow]:
    """Return what the portfolio shows of these projects, read together."""
    known = _known(projects)
    return [_row(project, known, today) for project in projects]


def phase_facts(
    scopes: Iterable[ScopingDocument],
    sprints: Iterable[Sprint],
    gates: Iterable[facts.GateFact],
    deployments: Iterable[facts.DeploymentFact],
) -> PhaseFacts:
    """Return what the phase of a project is computed from."""
    return PhaseFacts(
        scopes=[document.status for document in scopes],
        sprints=[(sprint.kind, sprint.status) for sprint in sprints],
        gates=[(gate.gate, gate.status) for gate in gates],
        deployments=[deployment.status for deployment in deployments],
    )


def current_scope(documents: Iterable[ScopingDocument]) -> ScopingDocument | None:
    """Return the agreed scope, else the newest one under way."""
    by_status: dict[str, ScopingDocument] = {}
    for document in documents:
        known = by_status.get(document.status)
        if known is None or known.version < document.version:
            by_status[document.status] = document
    return next((by_status[status] for status in _STANDING if status in by_status), None)


def late(
    sprints: Iterable[Sprint],
    gates: Iterable[facts.GateFact],
    findings: Iterable[facts.FindingFact],
    today: date,
) -> list[rules.Appointment]:
    """Return everything that should have been over by today, oldest first."""
    due = [
        rules.Appointment(gate.due_on, f"The {review_words(gate.gate)} of {gate.subject_label}")
        for gate in gates
        if gate.status == "open" and gate.due_on
    ]
    due += [
        rules.Appointment(sprint.ends_on, f"The end of {sprint.name}")
        for sprint in sprints
        if sprint.status == Sprint.Status.ACTIVE
    ]
    due += [
        rules.Appointment(finding.due_on, f"The finding “{finding.title}”")
        for finding in findings
        if finding.due_on
    ]
    return sorted((one for one in due if one.on < today), key=lambda one: one.on)


def _known(projects: Sequence[Project]) -> _Known:
    documents = ScopingDocument.objects.filter(project__in=projects).defer("snapshot")
    scopes = _by_project(documents)
    current = {
        pk: scope for pk, found in scopes.items() if (scope := current_scope(found)) is not None
    }
    chosen = list(current.values())
    return _Known(
        scopes=scopes,
        current=current,
        risks=_by_scope(Risk.objects.filter(scope__in=chosen)),
        milestones=_by_scope(Milestone.objects.filter(scope__in=chosen)),
        sprints=_by_project(Sprint.objects.filter(project__in=projects)),
        gates=facts.gates_of_all(projects),
        findings=facts.findings_of_all(projects),
        deployments=facts.deployments_of_all(projects),
        waivers=facts.live_waivers_of_all(projects),
    )


def _row(project: Project, known: _Known, today: date) -> PortfolioRow:
    pk = project.pk
    sprints, gates = known.sprints.get(pk, ()), known.gates.get(pk, ())
    findings, deployments = known.findings.get(pk, ()), known.deployments.get(pk, ())
    scope = known.current.get(pk)
    overdue = late(sprints, gates, findings, today)
    worst = _worst_risk(known.risks.get(scope.pk, ()) if scope else (), today)
    return PortfolioRow(
        project=project,
        phase=phase_of(phase_facts(known.scopes.get(pk, ()), sprints, gates, deployments)),
        scope=scope,
        net_benefit=_net(scope),
        currency=(scope.currency if scope else "") or "EUR",
        risk=worst[0],
        risk_title=worst[1],
        health=rules.health_of(
            [(one.name, one.health) for one in deployments],
            [one.severity for one in findings],
            overdue,
        ),
        overdue=tuple(overdue),
        next=rules.next_of(
            coming(known.milestones.get(scope.pk, ()) if scope else (), sprints, gates), today
        ),
        open_reviews=sum(gate.status == "open" for gate in gates),
        waivers=known.waivers.get(pk, 0),
    )


def coming(
    milestones: Iterable[Milestone], sprints: Iterable[Sprint], gates: Iterable[facts.GateFact]
) -> list[rules.Appointment]:
    """Return the days that somebody should have in mind, whether over or to come."""
    found = [
        rules.Appointment(one.planned_on, str(one.get_kind_display()))
        for one in milestones
        if one.planned_on
    ]
    for sprint in sprints:
        if sprint.status == Sprint.Status.ACTIVE:
            found.append(rules.Appointment(sprint.ends_on, f"{sprint.name} ends"))
        elif sprint.status == Sprint.Status.PLANNED:
            found.append(rules.Appointment(sprint.starts_on, f"{sprint.name} starts"))
    for gate in gates:
        if gate.status == "open" and gate.due_on:
            found.append(rules.Appointment(gate.due_on, f"{review_words(gate.gate)} is due"))
        elif gate.status == "approved" and gate.expires_at:
            on = gate.expires_at.date()
            found.append(rules.Appointment(on, f"{gate.gate} approval expires"))
    return found


def _net(scope: ScopingDocument | None) -> Decimal | None:
    if scope is None:
        return None
    return rules.net_benefit(
        scope.annual_benefit, scope.annual_run_cost, scope.annual_maintenance_cost
    )


def _worst_risk(risks: Iterable[Risk], today: date) -> tuple[int | None, str]:
    scored = [(rules.open_risk(vars(risk), today), risk.title) for risk in risks]
    return max(scored, key=lambda one: one[0], default=(None, ""))


def _fits(row: PortfolioRow, wanted: Wanted) -> bool:
    return (not wanted.phase or row.phase == wanted.phase) and (
        not wanted.health or row.health.state == wanted.health
    )


def _by_name(row: PortfolioRow) -> Any:
    return row.project.name.casefold()


_ORDERS: Mapping[str, Callable[[PortfolioRow], Any]] = {
    "name": _by_name,
    "phase": lambda row: (PHASES.index(row.phase), _by_name(row)),
    "health": lambda row: (rules.HEALTH.index(row.health.state), _by_name(row)),
    "next": lambda row: (row.next is None, row.next.on if row.next else date.max, _by_name(row)),
    "value": lambda row: (row.net_benefit is None, -(row.net_benefit or 0), _by_name(row)),
    "risk": lambda row: (row.risk is None, -(row.risk or 0), _by_name(row)),
}


def _by_project(rows: Iterable[Any]) -> dict[int, list[Any]]:
    return _grouped(rows, "project_id")


def _by_scope(rows: Iterable[Model]) -> dict[int, list[Any]]:
    return _grouped(rows, "scope_id")


def _grouped(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found
