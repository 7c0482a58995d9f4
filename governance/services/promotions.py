"""Promotions: requested, decided by a gate review, claimed by a worker, applied exactly once."""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Environment, GateReview, Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services import deciding, lineage, renewals, revalidation
from governance.services.binding import moved_since_approval
from governance.services.denials import Attempt, refusals_recorded
from governance.services.reviews import ReviewRequest, open_review, prepare
from governance.services.signers import signers_among_authors
from governance.services.standing import why_not_backed
from governance.subjects import resolve
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotFound,
    RuleViolated,
    StaleState,
    Unavailable,
)
from projects.lifecycle import compare_and_swap, move
from projects.models import Project

Status = Promotion.Status
#: A claim older than this belongs to a worker that is taken for dead.
CLAIM_LASTS = timedelta(seconds=60)
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
    with refusals_recorded(Attempt("promotion.request", target, request.project), actor=actor):
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
    move(promotion, Status.WITHDRAWN, allowed=PROMOTION_TRANSITIONS, status_reason=reason)
    review = promotion.review
    if review.status in {GateReview.Status.OPEN, GateReview.Status.STALE}:
        deciding.withdraw_with_promotion(review, actor=actor, reason=reason)
    record("promotion.withdrawn", promotion, actor=actor)
    return promotion


def claim_promotion(promotion: Promotion, *, worker: str) -> bool:
    """Take an approved promotion for one worker; return whether this worker now holds it.

    A row that another worker claimed is taken over once that worker is gone: its process died on
    this host (`worker` is `host:pid`), or the claim is a minute old. The run, the data and the
    scope that were signed are asked again first: when they moved, or the approval no longer
    stands, nobody gets the row. The worker itself hashes the files before it sets the alias.

    Raises:
        Unavailable: what the review binds cannot be asked now; the row stays as it is.
    """
    promotion.refresh_from_db()
    if not _is_claimable(promotion):
        return False
    if not _still_approved(promotion):
        return False
    try:
        with transaction.atomic():
            move(
                promotion,
                Status.APPLYING,
                allowed=PROMOTION_TRANSITIONS,
                claimed_by=worker[:100],
                claimed_at=now(),
                attempts=promotion.attempts + 1,
            )
            record(
                "promotion.claimed",
                promotion,
                actor=system("promotion"),
                worker=worker,
                attempt=promotion.attempts,
            )
    except StaleState:
        return False
    return True


@transaction.atomic
def mark_applied(promotion: Promotion, *, actor: Actor) -> Promotion:
    """Record that the alias was set; the promotion that stood before is superseded.

    Doing it twice does nothing the second time: a worker may be restarted after the commit.
    """
    access.require(actor, "promotion.apply", promotion.project)
    promotion.refresh_from_db()
    if promotion.status == Status.APPLIED:
        return promotion
    former = Promotion.objects.filter(
        environment=promotion.environment,
        model_name=promotion.model_name,
        status__in=[Status.APPLIED, Status.SUSPENDED],
        applied_at__isnull=False,
    ).exclude(pk=promotion.pk)
    for one in former:
        move(one, Status.SUPERSEDED, allowed=PROMOTION_TRANSITIONS)
        record("promotion.superseded", one, actor=actor, by=promotion.ref)
    move(
        promotion,
        Status.APPLIED,
        allowed=PROMOTION_TRANSITIONS,
        applied_at=now(),
        status_reason="",
    )
    record("promotion.applied", promotion, actor=actor)
    return promotion


@transaction.atomic
def mark_failed(promotion: Promotion, *, actor: Actor, reason: str) -> Promotion:
    """Record that the alias could not be set, and why."""
    access.require(actor, "promotion.apply", promotion.project)
    move(promotion, Status.FAILED, allowed=PROMOTION_TRANSITIONS, status_reason=reason)
    record("promotion.failed", promotion, actor=actor, reason=reason)
    return promotion


@transaction.atomic
def release_promotion(promotion: Promotion, *, actor: Actor, reason: str) -> Promotion:
    """Give a promotion back to the queue because something it needs cannot be reached now.

    It stays approved and keeps the reason; `claimed_at` is the time of this attempt, so that
    workers can pause before the next one.
    """
    access.require(actor, "promotion.apply", promotion.project)
    promotion.refresh_from_db()
    is_news = reason != promotion.status_reason
    changes = {"status_reason": reason, "claimed_by": "", "claimed_at": now()}
    if promotion.status == Status.APPROVED:
        attempts = promotion.attempts + 1
        compare_and_swap(
            promotion, expected={"status": Status.APPROVED}, attempts=attempts, **changes
        )
    else:
        move(promotion, Status.APPROVED, allowed=PROMOTION_TRANSITIONS, **changes)
    if is_news:
        record("promotion.released", promotion, actor=actor, reason=reason)
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
    record("promotion.suspended", promotion, actor=actor, reason=reason)
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


def _is_claimable(promotion: Promotion) -> bool:
    if promotion.status == Status.APPROVED:
        return True
    if promotion.status != Status.APPLYING:
        return False
    claimed = promotion.claimed_at
    return claimed is None or now() - claimed > CLAIM_LASTS or _is_gone(promotion.claimed_by)


def _is_gone(worker: str) -> bool:
    """Return whether the claim names a process of this host that no longer runs."""
    host, _, rest = worker.partition(":")
    pid = rest.partition(" ")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _still_approved(promotion: Promotion) -> bool:
    """Ask once more, before the alias moves, whether what was signed is what is there.

    Files are left to the worker: it hashes them last, and marks a mismatch as a failure that can
    be retried once they are restored.
    """
    if reason := why_not_backed(promotion, now()):
        _halt(promotion, f"The approval no longer stands: {reason}")
        return False
    try:
        facts = resolve("model_version", promotion.subject_ref)
    except Unavailable:
        # Not being able to ask says nothing against the approval: the worker tries again later.
        raise
    except DomainError as error:
        _halt(promotion, f"The model version cannot be examined: {error.message}")
        return False
    if dependent := signers_among_authors(promotion.review, facts.authors):
        _halt(promotion, f"A signer did part of the work: {' '.join(dependent)}")
        return False
    found = moved_since_approval(promotion.review, facts)
    moved = [part for part in found if part.part != "model_files"]
    if not moved:
        return True
    with transaction.atomic():
        if promotion.review.status != GateReview.Status.STALE:
            deciding.mark_stale(promotion.review, moved, actor=system("governance"))
        _halt(promotion, " ".join(part.sentence for part in moved))
    return False


@transaction.atomic
def _halt(promotion: Promotion, reason: str) -> None:
    move(promotion, Status.SUSPENDED, allowed=PROMOTION_TRANSITIONS, status_reason=reason)
    record("promotion.suspended", promotion, actor=system("governance"), reason=reason)


def record(event: str, promotion: Promotion, *, actor: Actor, **data: str | int) -> None:
    """Write an entry about a promotion, with what it moves and on which review."""
    ledger.append(
        event,
        subject=promotion.ref,
        actor=actor,
        data={
            "model": promotion.model_name,
            "version": promotion.model_version,
            "environment": promotion.environment.name,
            "review": promotion.review.ref,
            "files_digest": promotion.files_digest,
            **data,
        },
    )
