"""The gates before a gate: asking for the reviews that a request will have to wait for."""

from governance.models import GateReview
from governance.rules.gate_order import gates_before
from governance.services.evaluating import standing_review
from governance.services.policies import rules_of
from governance.services.reviews import ReviewRequest, request_review
from projects.actors import Actor


def request_earlier_gates(review: GateReview, *, actor: Actor) -> list[GateReview]:
    """Ask for every gate that the review's gate builds on, unless it is passed or being judged.

    Each is a request of its own, judged by the same rules as if somebody had made it by hand; a
    second call asks for nothing twice.

    Raises:
        What `request_review` raises for the first gate that cannot be asked for.
    """
    gates = rules_of(review.policy_version).gates
    asked = []
    for name in gates_before(gates, review.gate, review.tier):
        if gates[name].subject != review.subject_kind or _is_under_way(review, name):
            continue
        wanted = ReviewRequest(name, review.project, review.subject_kind, review.subject_ref)
        asked.append(request_review(wanted, actor=actor))
    return asked


def _is_under_way(review: GateReview, gate: str) -> bool:
    kind, ref = review.subject_kind, review.subject_ref
    if standing_review(kind, ref, gate) is not None:
        return True
    return GateReview.objects.of_subject(kind, ref).open().filter(gate=gate).exists()
