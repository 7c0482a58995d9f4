"""What stands in a project's way, and who is waited for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from projects import facts
from projects.models import Deviation, Project, ScopingDocument, Sprint, Stakeholder
from projects.rules.scoping import Readiness
from projects.rules.words import review_words, role_words
from projects.services import scoping, sprints

_SHOWN_REASONS = 3
_GRAVE = frozenset({"critical", "high"})
_BROKEN = frozenset({"breach", "refused"})
_MOVING = frozenset({"open", "approved"})
_REFUSED = {
    "rejected": "was rejected",
    "stale": "is stale",
    "suspended": "is suspended",
    "expired": "has expired",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Something that stands in the way, and where to look at it."""

    sentence: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that somebody has to do before the project moves on."""

    what: str
    who: tuple[str, ...]
    due_on: date | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of one project."""

    project: Project
    today: date
    scopes: tuple[ScopingDocument, ...]
    scope: ScopingDocument | None
    readiness: Readiness | None
    sprints: tuple[Sprint, ...]
    people: tuple[Stakeholder, ...]
    gates: Sequence[facts.GateFact]
    findings: Sequence[facts.FindingFact]
    deployments: Sequence[facts.DeploymentFact]

    def holders(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Return who holds one of the roles, each with the role."""
        wanted = set(roles)
        return tuple(_name(row) for row in self.people if row.role in wanted)

    @property
    def leads(self) -> tuple[str, ...]:
        return self.holders({Stakeholder.Role.LEAD})


def blocks_of(known: Known) -> Iterator[Block]:
    """Yield everything that stands in the way, with where to look at it."""
    yield from _scope_blocks(known)
    yield from _sprint_blocks(known)
    yield from _gate_blocks(known)
    for finding in known.findings:
        if finding.severity in _GRAVE:
            yield Block(f"Finding of {finding.severity} severity: {finding.title}", finding.url)
    for one in known.deployments:
        if one.health in _BROKEN:
            why = f": {one.reason}" if one.reason else "."
            health = "in breach" if one.health == "breach" else "refused"
            yield Block(f"{one.name} in {one.environment} is {health}{why}", one.url)


def _sprint_blocks(known: Known) -> Iterator[Block]:
    for sprint in known.sprints:
        if sprint.status == Sprint.Status.PLANNED:
            board = reverse("projects:board", args=[sprint.pk])
            for reason in sprints.objections(sprint):
                yield Block(f"{sprint.name} may not start: {reason}", board)


def _gate_blocks(known: Known) -> Iterator[Block]:
    for gate in _standing(known.gates):
        about = f"the {review_words(gate.gate)} of {gate.subject_label}"
        if gate.status in _REFUSED:
            yield Block(f"T{about[1:]} {_REFUSED[gate.status]}.", gate.url)
        elif nobody := [role_words(role) for role, able in gate.waits_for.items() if not able]:
            yield Block(f"Nobody may sign {about} as {', '.join(nobody)}.", gate.url)


def _scope_blocks(known: Known) -> Iterator[Block]:
    if known.scope is None:
        yield Block("No scoping document has been written.")
    if known.scope is None or known.readiness is None or known.readiness.is_submittable:
        return
    url = reverse("projects:scope", args=[known.scope.pk])
    reasons = known.readiness.reasons
    for reason in reasons[:_SHOWN_REASONS]:
        yield Block(reason, url)
    if (more := len(reasons) - _SHOWN_REASONS) > 0:
        yield Block(f"{more} more stand against submitting the scope.", url)


def _standing(gates: Iterable[facts.GateFact]) -> list[facts.GateFact]:
    """Return the last word of each gate on each subject, without what was overtaken since.

    Facts come oldest first. What another version passed or is being asked, an older refusal no
    longer stands in the way of; a suspended one may still be in use, so it always counts.
    """
    last = {(gate.gate, gate.subject_ref): gate for gate in gates}
    moving = {gate.gate: gate.requested_at for gate in last.values() if gate.status in _MOVING}
    return [
        gate
        for gate in last.values()
        if gate.status == "suspended"
        or gate.gate not in moving
        or gate.requested_at >= moving[gate.gate]
    ]


def waits_of(known: Known) -> Iterator[Wait]:
    """Yield what has to be done next, by whom and until when."""
    yield from _scope_waits(known)
    for gate in known.gates:
        for role, able in gate.waits_for.items():
            yield Wait(
                f"Sign the {review_words(gate.gate)} of {gate.subject_label} as {role_words(role)}",
                tuple(able),
                gate.due_on,
                gate.url,
            )
    for sprint in known.sprints:
        if sprint.status == Sprint.Status.ACTIVE and sprint.ends_on < known.today:
            board = reverse("projects:board", args=[sprint.pk])
            yield Wait(f"Close {sprint.name}", known.leads, sprint.ends_on, board)
    superseded = {one.pk for one in known.scopes if one.status == "superseded"}
    for sprint in known.sprints:
        if sprint.status == Sprint.Status.ACTIVE and sprint.scope_id in superseded:
            board = reverse("projects:board", args=[sprint.pk])
            yield Wait(
                f"Re-affirm or close {sprint.name}: its scope was replaced", known.leads, url=board
            )
    open_deviations = Deviation.objects.filter(
        scope__project=known.project, status=Deviation.Status.PROPOSED
    )
    for deviation in open_deviations.select_related("scope"):
        url = reverse("projects:scope", args=[deviation.scope_id])
        yield Wait(
            f"Decide on the loosened criterion {deviation.criterion_key}",
            known.holders({"business_owner", "validator", "risk_officer", "executive"}),
            url=url,
        )


def _scope_waits(known: Known) -> Iterator[Wait]:
    scope = known.scope
    if scope is None or scope.status == ScopingDocument.Status.DRAFT:
        url = reverse("projects:scope", args=[scope.pk]) if scope else ""
        yield Wait("Write and submit the scope", known.leads, url=url)
    elif scope.status == ScopingDocument.Status.SUBMITTED:
        under_review = any(
            gate.subject_ref == scope.ref and gate.status == "open" for gate in known.gates
        )
        if not under_review:
            roles = scoping.readiness_policy().sign_off_roles[known.project.tier]
            url = reverse("projects:scope", args=[scope.pk])
            yield Wait(f"Decide on scope v{scope.version}", known.holders(roles), url=url)


def _name(row: Stakeholder) -> str:
    name = row.user.get_full_name() or row.user.get_username()
    return f"{name} ({role_words(row.role)})"
