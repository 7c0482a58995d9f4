"""Retirement: a version leaves an environment through a gate; its alias goes, its files stay."""

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import GateReview, Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services import lineage
from governance.services.applying import is_alias_busy, is_claim_over, record
from governance.services.denials import Attempt, refusals_recorded
from governance.services.policies import published_policy, rules_of
from governance.services.retention import RETIREMENT_GATE
from governance.services.reviews import ReviewRequest, open_review, prepare
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import InvalidTransition, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap, move

Status = Promotion.Status


def request_retirement(promotion: Promotion, *, actor: Actor, reason: str = "") -> GateReview:
    """Ask for a version's retirement from an environment: opens the review of that gate.

    It goes on serving until the review is approved. A version that is no longer in use may be
    retired too: it can then not be gone back to, and its time of retention begins.

    Raises:
        NotPermitted: the actor may not ask for this.
        InvalidTransition: the promotion was never applied, or is retired already.
        RuleViolated: code `no_retirement_gate`, `retirement_open`, or what `request_review` raises.
    """
    target = f"{promotion.model_name}/{promotion.model_version}"
    attempt = Attempt(
        "promotion.retire",
        target,
        promotion.project,
        gate=RETIREMENT_GATE,
        model_name=promotion.model_name,
    )
    with refusals_recorded(attempt, actor=actor):
        access.require(actor, "promotion.retire", promotion.project)
        promotion.refresh_from_db()
        _require_retirable(promotion)
        _require_gate(promotion)
        wanted = ReviewRequest(
            RETIREMENT_GATE, promotion.project, "model_version", promotion.subject_ref
        )
        prepared = prepare(wanted, actor=actor)
        with transaction.atomic():
            review = open_review(prepared, actor=actor)
            _join(promotion, review, actor=actor, reason=reason)
    return review


def claim_retirement(promotion: Promotion, *, worker: str) -> bool:
    """Take a retiring promotion for one worker; return whether this worker now holds it.

    A claim of a worker that is gone is taken over, as for a promotion that is applied.
    """
    promotion.refresh_from_db()
    if promotion.status != Status.RETIRING:
        return False
    if promotion.claimed_by and not is_claim_over(promotion):
        return False
    try:
        with transaction.atomic():
            if is_alias_busy(promotion):
                return False
            move(
                promotion,
                Status.RETIRING,
                allowed=PROMOTION_TRANSITIONS,
                claimed_by=worker[:100],
                claimed_at=now(),
                attempts=promotion.attempts + 1,
            )
            attempt = promotion.attempts
            record(
                "promotion.claimed",
                promotion,
                actor=system("promotion"),
                worker=worker,
                attempt=attempt,
            )
    except StaleState:
        return False
    return True


@transaction.atomic
def mark_retired(promotion: Promotion, *, actor: Actor) -> Promotion:
    """Record that the alias is gone; doing it twice does nothing the second time."""
    access.require(actor, "promotion.apply", promotion.project)
    promotion.refresh_from_db()
    if promotion.status == Status.RETIRED:
        return promotion
    until = promotion.retain_until
    kept = f"Its files are kept until {until.isoformat()}." if until else "Its files are kept."
    move(promotion, Status.RETIRED, allowed=PROMOTION_TRANSITIONS, status_reason=kept)
    record(
        "promotion.retired",
        promotion,
        actor=actor,
        retain_until=until.isoformat() if until else "",
    )
    return promotion


@transaction.atomic
def release_retirement(promotion: Promotion, *, actor: Actor, reason: str) -> Promotion:
    """Give a retirement back to the queue because the alias cannot be taken away now."""
    access.require(actor, "promotion.apply", promotion.project)
    promotion.refresh_from_db()
    is_news = reason != promotion.status_reason
    compare_and_swap(
        promotion,
        expected={"status": Status.RETIRING},
        claimed_by="",
        claimed_at=now(),
        status_reason=reason,
    )
    if is_news:
        record("promotion.released", promotion, actor=actor, reason=reason)
    return promotion


def _require_retirable(promotion: Promotion) -> None:
    allowed = Status.RETIRING in PROMOTION_TRANSITIONS[promotion.status]
    if promotion.status == Status.RETIRING or promotion.applied_at is None or not allowed:
        raise InvalidTransition(
            f"The promotion of {promotion} is {promotion.status}; only a version that stands or "
            "stood in an environment can be retired from it.",
            details={"status": str(promotion.status)},
        )
    review = promotion.retirement
    if review is not None and review.status == GateReview.Status.OPEN:
        raise RuleViolated(
            f"The retirement of {promotion} is under review already.",
            code="retirement_open",
            reasons=[f"{review.ref} is open."],
        )


def _require_gate(promotion: Promotion) -> None:
    policy = published_policy(promotion.project)
    gate = rules_of(policy).gates.get(RETIREMENT_GATE)
    if gate is None:
        raise RuleViolated(
            f"{policy} has no gate {RETIREMENT_GATE!r}, so nothing can be retired under it. "
            "Publish a version of the policy that has one.",
            code="no_retirement_gate",
            reasons=[f"No gate {RETIREMENT_GATE} in {policy}."],
        )


def _join(promotion: Promotion, review: GateReview, *, actor: Actor, reason: str) -> None:
    compare_and_swap(promotion, expected={"status": promotion.status}, retirement=review)
    source = lineage.review_node(review)
    lineage.record_edge(source, lineage.promotion_node(promotion), "retires")
    record(
        "promotion.retirement_requested",
        promotion,
        actor=actor,
        retirement=review.ref,
        reason=ledger.remember_personal_text(reason),
    )
