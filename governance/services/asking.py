"""Putting a subject up for review: how it stands at each gate, and who could sign there."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.models import GateReview
from governance.rules.policy import GateRules
from governance.services.eligibility import Outlook, look_ahead
from governance.services.policies import gates_for
from governance.services.reviews import ReviewRequest
from projects.actors import Actor
from projects.errors import DomainError
from projects.models import Project

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
