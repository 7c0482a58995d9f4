"""What can be put up for review: each gate's outlook for one subject, and what nobody asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from governance import access
from governance.models import GateReview, LineageNode
from governance.rules.policy import GateRules
from governance.services.eligibility import Outlook, look_ahead
from governance.services.policies import gates_for
from governance.services.reviews import ReviewRequest
from projects.actors import Actor
from projects.errors import DomainError
from projects.models import Project, ScopingDocument, Sprint

Kind = GateReview.SubjectKind
#: Subjects that are put up by themselves; model versions go through their promotion, policies
#: through their own page.
ASKED_ALONE = (Kind.SCOPING_DOCUMENT, Kind.DATASET_VERSION, Kind.SPRINT)


@dataclass(frozen=True, slots=True)
class GateOutlook:
    """How one gate stands to a subject: who could sign, or why it cannot be asked for now."""

    gate: GateRules
    is_checklist: bool
    open_review: GateReview | None
    standing: GateReview | None
    outlook: Outlook | None
    refusal: str


@dataclass(frozen=True, slots=True)
class Unasked:
    """A subject that a gate judges and for which nobody has asked yet."""

    kind: str
    number: int
    label: str
    project: Project
    gates: Sequence[str]


def outlooks(project: Project, kind: str, ref: str, *, actor: Actor) -> list[GateOutlook]:
    """Return each gate of the project's policy that judges such a subject; nothing is written."""
    reviews = GateReview.objects.visible_to(actor).of_subject(kind, ref).select_related("project")
    known = list(reviews.order_by("-pk"))
    return [
        _outlook(gate, known, ReviewRequest(gate.name, project, kind, ref), actor)
        for gate in gates_for(project, kind)
    ]


def _outlook(
    gate: GateRules, known: Sequence[GateReview], request: ReviewRequest, actor: Actor
) -> GateOutlook:
    at_gate = [one for one in known if one.gate == gate.name]
    opened = next((one for one in at_gate if one.status == GateReview.Status.OPEN), None)
    stands = next((one for one in at_gate if one.status == GateReview.Status.APPROVED), None)
    ahead, refusal = None, ""
    if opened is None:
        try:
            ahead = look_ahead(request, actor=actor)
        except DomainError as error:
            refusal = error.message
    is_checklist = request.project.tier in gate.checklist_at
    return GateOutlook(gate, is_checklist, opened, stands, ahead, refusal)


def unasked(actor: Actor) -> list[Unasked]:
    """Return what the actor could put up for review and nobody did, by project.

    Submitted scopes, the newest version of each data set, and experiment sprints that were closed.
    """
    found: list[Unasked] = []
    for project in Project.objects.visible_to(actor).filter(status=Project.Status.ACTIVE):
        for kind in ASKED_ALONE:
            if access.can(actor, f"review.request.{kind}", project):
                found += _unasked_of(project, kind)
    return found


def _unasked_of(project: Project, kind: str) -> Iterator[Unasked]:
    gates = [one for one in gates_for(project, kind) if project.tier not in one.checklist_at]
    if not gates:
        return
    asked = GateReview.objects.filter(project=project, subject_kind=kind).exclude(
        status=GateReview.Status.WITHDRAWN
    )
    known = set(asked.values_list("subject_ref", "gate"))
    for number, label in _candidates(project, kind):
        open_gates = [one.title for one in gates if (f"{kind}:{number}", one.name) not in known]
        if open_gates:
            yield Unasked(kind, number, label, project, open_gates)


def _candidates(project: Project, kind: str) -> Iterable[tuple[int, str]]:
    if kind == Kind.SCOPING_DOCUMENT:
        waiting = project.scoping_documents.filter(status=ScopingDocument.Status.SUBMITTED)
        return [(one.pk, str(one)) for one in waiting]
    if kind == Kind.SPRINT:
        closed = project.sprints.filter(
            kind=Sprint.Kind.EXPERIMENT, status=Sprint.Status.CLOSED
        ).exclude(snapshot=None)
        return [(one.pk, one.name) for one in closed]
    nodes = LineageNode.objects.filter(project=project, kind=LineageNode.Kind.DATASET)
    newest = {one.label.rpartition(" v")[0]: one for one in nodes.order_by("pk")}
    numbered = ((one.ref.rpartition(":")[2], one.label) for one in newest.values())
    return [(int(number), label) for number, label in numbered if number.isdecimal()]
