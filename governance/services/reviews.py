"""Gate reviews: asking for one, judging it, binding it anew, ending it.

Signing lives in `signing`, the list of possible signers in `signers`; both are offered here too.
"""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from governance import access
from governance.models import Feedback, GateReview, PolicyVersion, Promotion, RequirementResult
from governance.rules.policy import GateRules
from governance.rules.requirements import Judged
from governance.rules.staleness import Moved
from governance.rules.transitions import REVIEW_TRANSITIONS
from governance.services import (
    assignments,
    carrying,
    deciding,
    evaluating,
    lineage,
    notices,
    renewals,
)
from governance.services.binding import (
    SubjectNow,
    moved_parts,
    stored_facts,
    subject_now,
    subject_of,
)
from governance.services.denials import NOBODY, Attempt, refusals_recorded
from governance.services.ending import halt_promotion
from governance.services.evaluating import unmet_requirements
from governance.services.policies import gate_rules, published_policy
from governance.services.rebinding import Refreshed, refresh_review, require_status
from governance.services.signatures import NewCondition, Signature
from governance.services.signers import Eligibility, eligibility, roles_without_signer
from governance.services.signing import sign, signing_statement
from governance.subjects import SubjectFacts
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import InvalidInput, NotFound, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap, move
from projects.models import Project
from projects.rules.working_days import WorkingDays

__all__ = [
    "Eligibility",
    "NewCondition",
    "Refreshed",
    "ReviewRequest",
    "Signature",
    "eligibility",
    "evaluate_review",
    "expire_review",
    "give_feedback",
    "open_review",
    "prepare",
    "refresh_review",
    "request_review",
    "sign",
    "signing_statement",
    "suspend_review",
    "unmet_requirements",
    "withdraw_review",
]

Status = GateReview.Status


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """Which subject shall pass which gate of which project."""

    gate: str
    project: Project
    subject_kind: str
    subject_ref: str
    due_on: date | None = None


@dataclass(frozen=True)
class Prepared:
    """A request whose subject was resolved, ready for the transaction."""

    request: ReviewRequest
    subject: SubjectNow
    review: GateReview


def request_review(request: ReviewRequest, *, actor: Actor) -> GateReview:
    """Open a review of a subject at a gate, bind what it is now, and evaluate it.

    Raises:
        NotPermitted: the actor may not ask for this.
        InvalidInput: code `unknown_gate`, `wrong_subject` or `unknown_subject_kind`.
        NotFound: there is no such subject in the project.
        RuleViolated: code `review_open`, `no_eligible_signer`, `tier_not_covered` or
            `subject_not_bound`.
    """
    attempt = Attempt("review.request", request.subject_ref, request.project, gate=request.gate)
    with refusals_recorded(attempt, actor=actor):
        access.require(actor, _action(request), request.project)
        prepared = prepare(request, actor=actor)
        prepared.review.renews = renewals.predecessor(prepared.review)
        with transaction.atomic():
            return open_review(prepared, actor=actor)


def prepare(request: ReviewRequest, *, actor: Actor) -> Prepared:
    """Resolve the subject and check the request; call it before the transaction."""
    policy = published_policy(request.project)
    request.project.refresh_from_db(fields=["tier"])
    gate = gate_rules(policy, request.gate)
    _require_fit(request, gate)
    subject = subject_now(request.subject_kind, request.subject_ref, policy)
    if subject.facts.project not in {None, request.project}:
        raise NotFound(f"{request.project.name} has no such subject.", code="no_such_subject")
    facts = subject.facts
    _require_readable(facts)
    tier = str(facts.attributes.get("review_tier", request.project.tier))
    _require_cover(request, gate, tier)
    is_model = request.subject_kind == GateReview.SubjectKind.MODEL_VERSION
    review = GateReview(
        project=request.project,
        gate=request.gate,
        policy_version=policy,
        subject_kind=request.subject_kind,
        subject_ref=request.subject_ref,
        subject_label=facts.label[:200],
        model_name=facts.attributes["model_name"] if is_model else "",
        model_version=facts.attributes["model_number"] if is_model else None,
        tier=tier,
        requested_by=actor.user,
        requested_as=actor.ref,
        due_on=request.due_on or _due_by(gate),
    )
    _bind(review, subject)
    return Prepared(request, subject, review)


def open_review(prepared: Prepared, *, actor: Actor) -> GateReview:
    """Save a prepared review inside the caller's transaction, and evaluate it."""
    review, subject = prepared.review, prepared.subject
    _require_same_tier(prepared)
    gate = gate_rules(review.policy_version, review.gate)
    _require_signers(review, gate, subject)
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as error:
        raise RuleViolated(
            f"A review of {review.subject_label} at the gate {review.gate} is open already.",
            code="review_open",
            reasons=["A review of the same subject at the same gate is open."],
        ) from error
    lineage.review_node(review)
    ledger.append("review.requested", subject=review.ref, actor=actor, data=_opening(review))
    carrying.carry_over(review, subject.facts.authors, actor=actor)
    assignments.ask_signers(review)
    deciding.settle(review, subject, actor=system("governance"))
    return review


def evaluate_review(review: GateReview, *, actor: Actor) -> list[RequirementResult]:
    """Judge the requirements of an open review again, and decide it if that was all it lacked.

    When a bound part has moved, the results say so and nothing is decided; nor is it when a part
    of the system asks.

    Raises:
        InvalidTransition: code `review_not_open`.
        StaleState: somebody else signed or evaluated it at the same time.
    """
    access.require(actor, "review.evaluate", review.project)
    review.refresh_from_db()
    require_status(review, Status.OPEN)
    subject = subject_of(review)
    moved = moved_parts(review, subject)
    with transaction.atomic():
        compare_and_swap(review, expected={"status": Status.OPEN})
        if moved:
            judged = [*evaluating.judge(review, subject), _stale_result(moved)]
            results = evaluating.store(review, judged)
        else:
            results = deciding.ask_again(review, subject, asker=actor)
        ledger.append(
            "review.evaluated",
            subject=review.ref,
            actor=actor,
            data={"outcomes": {one.key: str(one.outcome) for one in results}},
        )
    return results


@transaction.atomic
def withdraw_review(review: GateReview, *, actor: Actor, reason: str = "") -> GateReview:
    """Take back an undecided review; who requested it may, and the lead."""
    _require_requester_or(actor, "review.withdraw", review)
    move(review, Status.WITHDRAWN, allowed=REVIEW_TRANSITIONS, status_reason=reason)
    halt_promotion(
        review,
        Promotion.Status.WITHDRAWN,
        actor=actor,
        reason=reason or "The gate review was withdrawn.",
    )
    ledger.append("review.withdrawn", subject=review.ref, actor=actor)
    return review


@transaction.atomic
def suspend_review(review: GateReview, *, actor: Actor, reason: str) -> GateReview:
    """Suspend an approval at once, and with it the promotion that rests on it."""
    access.require(actor, "review.suspend", review.project)
    _require_reason(reason)
    move(review, Status.SUSPENDED, allowed=REVIEW_TRANSITIONS, status_reason=reason)
    halt_promotion(review, Promotion.Status.SUSPENDED, actor=actor, reason=reason)
    ledger.append(
        "review.suspended",
        subject=review.ref,
        actor=actor,
        data={"reason": ledger.remember_personal_text(reason)},
    )
    notices.tell_ended(review, actor=actor)
    return review


@transaction.atomic
def expire_review(review: GateReview, *, actor: Actor, reason: str) -> GateReview:
    """End an approval whose time is over; whatever rests on it stops standing."""
    access.require(actor, "review.suspend", review.project)
    move(review, Status.EXPIRED, allowed=REVIEW_TRANSITIONS, status_reason=reason)
    halt_promotion(review, Promotion.Status.SUSPENDED, actor=actor, reason=reason)
    ledger.append("review.expired", subject=review.ref, actor=actor)
    notices.tell_ended(review, actor=actor)
    return review


@transaction.atomic
def give_feedback(review: GateReview, *, actor: Actor, text: str) -> Feedback:
    """Write down an opinion; it never counts towards the quorum."""
    access.require(actor, "review.give_feedback", review.project)
    if actor.user is None or not text.strip():
        raise InvalidInput("Write what you think.", code="feedback_empty")
    feedback = Feedback.objects.create(review=review, author=actor.user, text=text.strip())
    ledger.append(
        "review.feedback_given",
        subject=review.ref,
        actor=actor,
        data={"text": ledger.remember_personal_text(feedback.text)},
    )
    return feedback


def _due_by(gate: GateRules) -> date | None:
    """Return the working day by which the policy wants this gate decided, if it names one."""
    if gate.decide_within_days is None:
        return None
    return WorkingDays().after(now().date(), gate.decide_within_days)


def _action(request: ReviewRequest) -> str:
    action = f"review.request.{request.subject_kind}"
    if action not in access.ACTIONS:
        raise InvalidInput(
            f"Nothing here judges a {request.subject_kind!r}.", code="unknown_subject_kind"
        )
    return action


def _require_fit(request: ReviewRequest, gate: GateRules) -> None:
    if gate.subject != request.subject_kind:
        raise InvalidInput(
            f"The gate {gate.name} judges a {gate.subject.replace('_', ' ')}, not a "
            f"{request.subject_kind.replace('_', ' ')}.",
            code="wrong_subject",
        )


def _require_readable(facts: SubjectFacts) -> None:
    """Refuse a policy version that was given up, or whose text is wrong: nobody can judge it."""
    if facts.attributes.get("status") == PolicyVersion.Status.DISCARDED:
        raise RuleViolated(
            f"{facts.label} was discarded; nothing is left to review.",
            code="policy_discarded",
            reasons=["The draft was discarded."],
        )
    if facts.attributes.get("parses", True):
        return
    raise RuleViolated(
        f"{facts.label} cannot be put up for review while its text is wrong; correct the draft.",
        code="policy_not_readable",
        reasons=facts.attributes["problems"],
    )


def _require_cover(request: ReviewRequest, gate: GateRules, tier: str) -> None:
    if tier not in gate.sign_offs:
        covered = ", ".join(gate.sign_offs)
        raise RuleViolated(
            f"The gate {gate.name} covers projects of {covered} risk; {request.project.name} is "
            f"of {tier} risk.",
            code="tier_not_covered",
            reasons=[f"No quorum for {tier} risk."],
        )


def _require_same_tier(prepared: Prepared) -> None:
    """Refuse what was prepared for another tier: a change of tier moves only the reviews there are.

    The row is held, so that the tier cannot change before the review is there to be moved.
    """
    project = prepared.request.project
    tiers = Project.objects.select_for_update().values_list("tier", flat=True)
    if tiers.get(pk=project.pk) != project.tier:
        raise StaleState(f"The risk tier of {project.name} has just changed; request it again.")


def _require_signers(review: GateReview, gate: GateRules, subject: SubjectNow) -> None:
    lacking = roles_without_signer(review, gate, authors=subject.facts.authors)
    if lacking:
        names = ", ".join(role.replace("_", " ") for role in lacking)
        raise RuleViolated(
            f"Nobody could sign this: no independent person on {review.project.name} for "
            f"{names}. Give somebody who did not do the work this role first; "
            f"`/api/v1/gates/{review.gate}/eligibility/` says who is held back by which rule.",
            code=NOBODY,
            reasons=[f"Nobody independent holds: {names}."],
            details={"roles": lacking, "subject": review.subject_label},
        )


def _bind(review: GateReview, subject: SubjectNow) -> None:
    review.bindings = dict(subject.bindings)
    review.bindings_digest = subject.digest
    review.facts = stored_facts(subject)


def _opening(review: GateReview) -> dict[str, object]:
    return {
        "gate": review.gate,
        "about": review.subject_ref,
        "bindings": review.bindings,
        "bindings_digest": review.bindings_digest,
        "policy_version": review.policy_version.ref,
        "tier": str(review.tier),
    }


def _stale_result(moved: list[Moved]) -> Judged:
    return Judged(
        key="bindings",
        title="Nothing that the review binds has moved",
        check="bindings_current",
        outcome="stale",
        message=" ".join(part.sentence for part in moved) + " Refresh the review to bind it anew.",
        is_blocking=True,
        detail={"parts": [part.part for part in moved]},
    )


def _require_requester_or(actor: Actor, action: str, review: GateReview) -> None:
    is_requester = actor.user_id is not None and actor.user_id == review.requested_by_id
    access.require(actor, "governance.view" if is_requester else action, review.project)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
