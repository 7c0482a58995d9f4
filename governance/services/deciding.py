"""What follows when a review is decided: the subject, the promotion, the graph, the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.timezone import now

from governance.models import GateReview, Promotion, RequirementResult, SignOff, Waiver
from governance.rules.transitions import PROMOTION_TRANSITIONS, REVIEW_TRANSITIONS
from governance.services import evaluating, moves, notices, retention, taking_over
from governance.services.binding import SubjectNow
from governance.services.ending import halt_promotion
from governance.services.policies import rules_of
from governance.services.resuming import resume
from governance.services.signers import counted_sign_offs
from governance.subjects import primary_key
from ledger import services as ledger
from projects.actors import Actor, system
from projects.lifecycle import compare_and_swap, move
from projects.models import ScopingDocument
from projects.services import scoping

Status = GateReview.Status


def settle(review: GateReview, subject: SubjectNow, *, actor: Actor) -> list[RequirementResult]:
    """Evaluate an open review and decide it where votes and requirements allow.

    The caller holds the transaction, has bumped the review's version, and knows that nothing
    bound has moved.
    """
    counted = counted_sign_offs(review, authors=subject.facts.authors)
    state = evaluating.quorum_state(review, counted)
    judged = evaluating.judge(review, subject)
    results = evaluating.store(review, judged)
    failing = [one for one in judged if not one.holds]
    if state.is_rejected:
        _reject(review, counted, actor=actor)
    elif state.is_met and evaluating.is_carried_alone(counted):
        _explain(review, evaluating.CARRIED_ALONE)
    elif state.is_met and not failing:
        _approve(review, counted, results, actor=actor)
    elif state.is_met:
        _explain(review, f"Everybody has signed, but {_count(len(failing))} not hold yet.")
    elif review.status_reason:
        _explain(review, "")
    return results


def ask_again(review: GateReview, subject: SubjectNow, *, asker: Actor) -> list[RequirementResult]:
    """Settle a review because somebody asked; where a part of the system asks, only evaluate it.

    Otherwise a schedule could complete what a change of tier or of time left one step short.
    """
    if asker.is_system:
        return evaluating.store(review, evaluating.judge(review, subject))
    return settle(review, subject, actor=system("governance"))


def withdraw_along(review: GateReview, *, actor: Actor, reason: str) -> None:
    """Withdraw an undecided review whose promotion, or whose subject, was itself taken back."""
    move(review, Status.WITHDRAWN, allowed=REVIEW_TRANSITIONS, status_reason=reason)
    ledger.append("review.withdrawn", subject=review.ref, actor=actor)


def _approve(
    review: GateReview,
    counted: Sequence[SignOff],
    results: Sequence[RequirementResult],
    *,
    actor: Actor,
) -> None:
    decided = now()
    move(
        review,
        Status.APPROVED,
        allowed=REVIEW_TRANSITIONS,
        decided_at=decided,
        expires_at=_expiry(review, results, decided),
        status_reason="",
    )
    taking_over.take_over(review, actor=actor)
    _decide_scope(review, actor=actor)
    _let_promotion_pass(review, decided, actor=actor)
    retention.begin_retirement(review, actor=actor, decided=decided)
    ledger.append(
        "review.approved", subject=review.ref, actor=actor, data=_decision(review, counted)
    )
    notices.tell_decided(review, actor=actor)


def _let_promotion_pass(review: GateReview, decided: datetime, *, actor: Actor) -> None:
    promotion = Promotion.objects.filter(review=review).first()
    if promotion is None or resume(promotion, review, decided=decided, actor=actor):
        return
    if promotion.status == Promotion.Status.REQUESTED:
        move(
            promotion,
            Promotion.Status.APPROVED,
            allowed=PROMOTION_TRANSITIONS,
            approved_at=decided,
        )
        ledger.append(
            "promotion.approved", subject=promotion.ref, actor=actor, data={"review": review.ref}
        )


def _reject(review: GateReview, counted: Sequence[SignOff], *, actor: Actor) -> None:
    move(review, Status.REJECTED, allowed=REVIEW_TRANSITIONS, decided_at=now(), status_reason="")
    _decide_scope(review, actor=actor)
    halt_promotion(
        review, Promotion.Status.REJECTED, actor=actor, reason="The gate review was rejected."
    )
    _suspend_renewed(review, actor=actor)
    ledger.append(
        "review.rejected", subject=review.ref, actor=actor, data=_decision(review, counted)
    )
    notices.tell_decided(review, actor=actor)


def _suspend_renewed(review: GateReview, *, actor: Actor) -> None:
    reason = f"Its renewal, review {review.pk}, was rejected."
    old = taking_over.suspend_renewed(review, reason, actor=actor)
    if old is not None:
        halt_promotion(old, Promotion.Status.SUSPENDED, actor=actor, reason=reason)


def _decision(review: GateReview, counted: Sequence[SignOff]) -> dict[str, object]:
    return {
        "gate": review.gate,
        "about": review.subject_ref,
        "bindings_digest": review.bindings_digest,
        "policy_digest": review.policy_version.digest,
        "sign_offs": [one.ref for one in counted],
    }


def _decide_scope(review: GateReview, *, actor: Actor) -> None:
    if review.subject_kind != GateReview.SubjectKind.SCOPING_DOCUMENT:
        return
    pk = primary_key(review.subject_ref, "scoping_document")
    document = ScopingDocument.objects.select_related("project").get(pk=pk)
    if review.renews_id is not None and document.status == ScopingDocument.Status.APPROVED:
        return
    decide = (
        scoping.approve_scoping_document
        if review.status == Status.APPROVED
        else scoping.reject_scoping_document
    )
    decide(document, actor=actor, review_ref=review.ref)
    if review.status == Status.APPROVED:
        moves.scope_approved(document)


def _expiry(
    review: GateReview, results: Sequence[RequirementResult], decided: datetime
) -> datetime | None:
    """Return when the approval ends: after the policy's days, or with the first waiver it needs."""
    days = rules_of(review.policy_version).validity_of(review.gate, review.tier)
    ends = [] if days is None else [decided + timedelta(days=days)]
    waived = [one.key for one in results if one.outcome == RequirementResult.Outcome.WAIVED]
    live = Waiver.objects.live(decided).filter(review=review, requirement_key__in=waived)
    latest: dict[str, datetime] = {}
    for key, end in live.values_list("requirement_key", "expires_at"):
        latest[key] = max(end, latest.get(key, end))
    return min([*ends, *latest.values()], default=None)


def _explain(review: GateReview, reason: str) -> None:
    compare_and_swap(review, expected={"status": Status.OPEN}, status_reason=reason)


def _count(number: int) -> str:
    return "one requirement does" if number == 1 else f"{number} requirements do"
