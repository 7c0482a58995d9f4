"""Promotions: asked for, decided by a gate review, withdrawn, suspended, tried again.

How an approved one is carried out lives in `applying`, and is offered here too.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Environment, GateReview, Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services import deciding, lineage, renewals, revalidation
from governance.services.applying import (
    CLAIM_LASTS,
    claim_promotion,
    mark_applied,
    mark_failed,
    record,
    release_promotion,
)
from governance.services.denials import Attempt, refusals_recorded
from governance.services.reviews import ReviewRequest, open_review, prepare
from governance.services.standing import UNDECIDED, why_not_backed
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotFound, RuleViolated
from projects.lifecycle import move
from projects.models import Project

__all__ = [
    "CLAIM_LASTS",
    "PromotionRequest",
    "claim_promotion",
    "mark_applied",
    "mark_failed",
    "record",
    "release_promotion",
    "request_promotion",
    "retry_promotion",
    "standing_promotion",
    "suspend_promotion",
    "withdraw_promotion",
]

Status = Promotion.Status
_UNFINISHED = (Status.REQUESTED, Status.APPROVED, Status.APPLYING)


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """Which model version shall move to which environment."""

    project: Project
    model_name: str
    model_version: int
    subject_ref: str
    environment: str
    reason: str = ""


def request_promotion(request: PromotionRequest, *, actor: Actor) -> Promotion:
    """Ask for a promotion: opens the review of the environment's gate.

    Raises:
        NotPermitted: the actor may not ask for promotions here.
        NotFound: code `no_environment` or `no_such_subject`.
        RuleViolated: code `promotion_open`, `subject_mismatch`, or what `request_review` raises.
    """
    target = f"{request.model_name}/{request.model_version}"
    attempt = Attempt(
        "promotion.request",
        target,
        request.project,
        gate=Environment.objects.gate_of(request.environment),
        model_name=request.model_name,
    )
    with refusals_recorded(attempt, actor=actor):
        access.require(actor, "promotion.request", request.project)
        environment = _environment(request.environment)
        prepared = prepare(
            ReviewRequest(environment.gate, request.project, "model_version", request.subject_ref),
            actor=actor,
        )
        _require_same_version(request, prepared.review)
        _require_none_unfinished(request, environment)
        revalidation.require_none_overdue(request.model_name, prepared.review.policy_version, now())
        prepared.review.renews = renewals.lapsed(prepared.review)
        with transaction.atomic():
            review = open_review(prepared, actor=actor)
            return _create(request, environment, review, actor=actor)


@transaction.atomic
def withdraw_promotion(promotion: Promotion, *, actor: Actor, reason: str = "") -> Promotion:
    """Take back a promotion that is not applied, and its review while that is open."""
    is_requester = actor.user_id is not None and actor.user_id == promotion.requested_by_id
    action = "governance.view" if is_requester else "promotion.withdraw"
    access.require(actor, action, promotion.project)
    if promotion.applied_at is not None:
        raise InvalidTransition(
            f"The promotion of {promotion} was applied before; suspend it, or have it retired.",
            details={"status": str(promotion.status)},
        )
    move(promotion, Status.WITHDRAWN, allowed=PROMOTION_TRANSITIONS, status_reason=reason)
    review = promotion.review
    if review.status in UNDECIDED:
        deciding.withdraw_along(review, actor=actor, reason=reason)
    record("promotion.withdrawn", promotion, actor=actor)
    return promotion


@transaction.atomic
def retry_promotion(promotion: Promotion, *, actor: Actor) -> Promotion:
    """Queue a failed promotion again while its approval stands."""
    access.require(actor, "promotion.retry", promotion.project)
    if promotion.status != Status.FAILED:
        raise InvalidTransition(
            f"The promotion is {promotion.status}; only a failed one can retry."
        )
    if reason := why_not_backed(promotion, now()):
        raise RuleViolated(
            "The approval no longer stands; request the promotion again.",
            code="approval_over",
            reasons=[reason[:1].upper() + reason[1:]],
        )
    move(promotion, Status.APPROVED, allowed=PROMOTION_TRANSITIONS, status_reason="")
    record("promotion.retried", promotion, actor=actor)
    return promotion


@transaction.atomic
def suspend_promotion(promotion: Promotion, *, actor: Actor, reason: str) -> Promotion:
    """Suspend a promotion at once: the version may no longer be served."""
    access.require(actor, "promotion.suspend", promotion.project)
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    move(promotion, Status.SUSPENDED, allowed=PROMOTION_TRANSITIONS, status_reason=reason)
    why = ledger.remember_personal_text(reason)
    record("promotion.suspended", promotion, actor=actor, reason=why)
    return promotion


def standing_promotion(model_name: str, environment_name: str) -> Promotion | None:
    """Return the promotion that stands: applied, and backed by an approval or by break-glass."""
    standing = Promotion.objects.backed(now()).filter(
        environment__name=environment_name, model_name=model_name, status=Status.APPLIED
    )
    return standing.select_related("environment", "review", "project").first()


def _environment(name: str) -> Environment:
    found = Environment.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(Environment.objects.values_list("name", flat=True)) or "none"
        raise NotFound(
            f"There is no environment {name!r}; there are: {names}.", code="no_environment"
        )
    return found


def _require_same_version(request: PromotionRequest, review: GateReview) -> None:
    named = (request.model_name, request.model_version)
    found = (review.model_name, review.model_version)
    if named != found:
        raise RuleViolated(
            f"{request.subject_ref} is {found[0]} v{found[1]}, not {named[0]} v{named[1]}.",
            code="subject_mismatch",
            reasons=["The reference and the name of the model version disagree."],
        )


def _require_none_unfinished(request: PromotionRequest, environment: Environment) -> None:
    unfinished = Promotion.objects.filter(
        environment=environment,
        model_name=request.model_name,
        model_version=request.model_version,
        status__in=_UNFINISHED,
    )
    if unfinished.exists():
        raise RuleViolated(
            f"{request.model_name} v{request.model_version} is already on its way to "
            f"{environment.name}.",
            code="promotion_open",
            reasons=["An unfinished promotion of the same version exists."],
        )


def _create(
    request: PromotionRequest, environment: Environment, review: GateReview, *, actor: Actor
) -> Promotion:
    promotion = Promotion.objects.create(
        project=request.project,
        environment=environment,
        model_name=request.model_name,
        model_version=request.model_version,
        subject_ref=request.subject_ref,
        files_digest=review.bindings["model_files"],
        review=review,
        reason=request.reason,
        requested_by=actor.user,
        requested_as=actor.ref,
    )
    lineage.promotion_node(promotion)
    record("promotion.requested", promotion, actor=actor)
    return promotion
