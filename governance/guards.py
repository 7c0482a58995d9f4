"""What governance has to say before a sprint may start; plugged in by `settings.SPRINT_GUARDS`."""

from governance.models import GateReview
from governance.services.evaluating import standing_review
from projects.models import Sprint
from projects.services.scoping import approved_scope

#: Kinds of sprint that build on an agreed scope and on released data.
_BUILDING = frozenset({Sprint.Kind.EXPERIMENT, Sprint.Kind.BUILD, Sprint.Kind.RELEASE})
_ENDED = frozenset({GateReview.Status.SUSPENDED, GateReview.Status.EXPIRED})


def require_approved_scope(sprint: Sprint) -> list[str]:
    """Return why the sprint lacks an agreed scope; empty when it has one or needs none."""
    if sprint.kind not in _BUILDING:
        return []
    document = approved_scope(sprint.project)
    kind = sprint.get_kind_display().lower()
    if document is None:
        return [f"A sprint of kind {kind} needs an approved scope; the gate scope is not passed."]
    review = GateReview.objects.of_subject("scoping_document", document.ref).first()
    if review is not None and review.status in _ENDED:
        return [f"The approval of {document} is {review.status}; have it reviewed again."]
    return []


def require_approved_data(sprint: Sprint) -> list[str]:
    """Return which of the sprint's dataset versions have not passed the gate data."""
    if sprint.kind not in _BUILDING:
        return []
    return [
        f"The data gate of {_label(ref)} is not passed."
        for ref in sprint.dataset_refs
        if standing_review("dataset_version", ref, "data") is None
    ]


def _label(ref: str) -> str:
    review = GateReview.objects.of_subject("dataset_version", ref).first()
    return review.subject_label if review else ref
