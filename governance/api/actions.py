"""What a caller may do with a review now, with the reasons where not."""

from collections.abc import Sequence
from typing import TypedDict

from governance import access
from governance.models import GateReview
from governance.services.signers import eligibility
from projects.actors import Actor
from projects.errors import NotFound, NotPermitted


class AllowedAction(TypedDict):
    """One action of the resource."""

    action: str
    allowed: bool
    reasons: list[str]


def allowed_actions(review: GateReview, actor: Actor) -> list[AllowedAction]:
    """Return every command of a review with whether the actor may call it, and why not."""
    is_open = review.status == GateReview.Status.OPEN
    closed = [] if is_open else [f"The review is {review.status}; only an open one takes this."]
    is_stale = review.status == GateReview.Status.STALE
    decided = [] if is_stale else closed
    own = review.requested_by_id is not None and review.requested_by_id == actor.user_id
    withdrawing = [] if own else _refusal(actor, "review.withdraw", review)
    return [
        _answer("evaluate", closed + _refusal(actor, "review.evaluate", review)),
        _answer("sign", closed + _reasons_against_signing(review, actor)),
        _answer("run-checks", closed + _refusal(actor, "check.run", review)),
        _answer("refresh", decided + _refusal(actor, "review.refresh", review)),
        _answer("withdraw", decided + withdrawing),
        _answer("feedback", _refusal(actor, "review.give_feedback", review)),
    ]


def _answer(action: str, reasons: Sequence[str]) -> AllowedAction:
    return {"action": action, "allowed": not reasons, "reasons": list(reasons)}


def _refusal(actor: Actor, action: str, review: GateReview) -> list[str]:
    try:
        access.require(actor, action, review.project)
    except (NotFound, NotPermitted) as error:
        return [error.message]
    return []


def _reasons_against_signing(review: GateReview, actor: Actor) -> list[str]:
    if actor.method != "session":
        return ["Signing takes a browser session and a password; a token may not sign."]
    own = [entry for entry in eligibility(review) if entry.user.pk == actor.user_id]
    if not own:
        return ["This gate asks for none of your roles."]
    if any(not entry.reasons for entry in own):
        return []
    return list(dict.fromkeys(reason for entry in own for reason in entry.reasons))
