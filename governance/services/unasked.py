"""What could be put up for review and nobody did, on all projects of a person at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.access import ACTIONS
from governance.models import GateReview, LineageNode
from governance.rules.policy import GateRules
from governance.services.asking import ASKED_ALONE
from governance.services.policies import published_policy, rules_of
from projects.actors import Actor
from projects.errors import NotFound
from projects.models import Project, ScopingDocument, Sprint, Stakeholder

Kind = GateReview.SubjectKind


@dataclass(frozen=True, slots=True)
class Unasked:
    """A subject that a gate judges and for which nobody has asked yet."""

    kind: str
    number: int
    label: str
    project: Project
    gates: Sequence[str]

    @property
    def ref(self) -> str:
        return f"{self.kind}:{self.number}"


def unasked(actor: Actor) -> list[Unasked]:
    """Return what the actor could put up for review and nobody did.

    Submitted scopes, the newest version of each data set, and experiment sprints that were closed;
    in the same few queries for one project and for many.
    """
    active = Project.objects.visible_to(actor).filter(status=Project.Status.ACTIVE)
    projects = {project.pk: project for project in active}
    gates = _gates(projects.values())
    if not gates:
        return []
    roles = _roles(actor, projects)
    reviews = GateReview.objects.filter(project__in=projects, subject_kind__in=ASKED_ALONE)
    asked = set(
        reviews.exclude(status=GateReview.Status.WITHDRAWN).values_list("subject_ref", "gate")
    )
    return [
        found
        for kind in ASKED_ALONE
        for number, label, project in _candidates(kind, projects)
        if roles[project] & ACTIONS[f"review.request.{kind}"]
        and (found := _judge(kind, number, label, projects[project], gates, asked)).gates
    ]


def _judge(
    kind: str,
    number: int,
    label: str,
    project: Project,
    gates: Sequence[GateRules],
    asked: Collection[tuple[str, str]],
) -> Unasked:
    titles = [
        gate.title
        for gate in gates
        if gate.subject == kind
        and project.tier in gate.sign_offs
        and project.tier not in gate.checklist_at
        and (f"{kind}:{number}", gate.name) not in asked
    ]
    return Unasked(kind, number, label, project, titles)


def _gates(projects: Iterable[Project]) -> list[GateRules]:
    # One policy holds for every project.
    one = next(iter(projects), None)
    try:
        return list(rules_of(published_policy(one)).gates.values()) if one else []
    except NotFound:
        return []


def _roles(actor: Actor, projects: Collection[int]) -> Mapping[int, set[str]]:
    held: defaultdict[int, set[str]] = defaultdict(set)
    rows = Stakeholder.objects.current().filter(user=actor.user_id, project__in=projects)
    for project, role in rows.values_list("project", "role"):
        held[project].add(role)
    return held


def _candidates(kind: str, projects: Collection[int]) -> Iterator[tuple[int, str, int]]:
    if kind == Kind.SCOPING_DOCUMENT:
        waiting = ScopingDocument.objects.filter(
            project__in=projects, status=ScopingDocument.Status.SUBMITTED
        )
        yield from ((one.pk, str(one), one.project_id) for one in waiting.select_related("project"))
    elif kind == Kind.SPRINT:
        closed = Sprint.objects.filter(
            project__in=projects, kind=Sprint.Kind.EXPERIMENT, status=Sprint.Status.CLOSED
        ).exclude(snapshot=None)
        yield from closed.values_list("pk", "name", "project")
    else:
        yield from _newest_datasets(projects)


def _newest_datasets(projects: Collection[int]) -> Iterator[tuple[int, str, int]]:
    nodes = LineageNode.objects.filter(project__in=projects, kind=LineageNode.Kind.DATASET)
    newest = {
        (node.project_id, node.label.rpartition(" v")[0]): node for node in nodes.order_by("pk")
    }
    for node in newest.values():
        number = node.ref.rpartition(":")[2]
        if number.isdecimal():
            yield int(number), node.label, node.project_id
