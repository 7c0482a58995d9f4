"""Carrying out approved promotions: claimed by one worker, asked once more, applied once."""

import os
import socket
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Environment, GateReview, Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services.binding import as_it_is, moved_since_approval
from governance.services.carrying import stands_throughout
from governance.services.differences import state_now
from governance.services.ending import mark_stale
from governance.services.signers import signers_among_authors
from governance.services.standing import why_not_backed
from governance.subjects import resolve
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import DomainError, StaleState, Unavailable
from projects.lifecycle import compare_and_swap, move

Status = Promotion.Status
#: A claim older than this belongs to a worker that is taken for dead.
CLAIM_LASTS = timedelta(seconds=60)


def claim_promotion(promotion: Promotion, *, worker: str) -> bool:
    """Take an approved promotion for one worker; return whether this worker now holds it.

    A row that another worker claimed is taken over once that worker is gone: its process died on
    this host (`worker` is `host:pid`), or the claim is a minute old. The run, the data and the
    scope that were signed are asked again first: when they moved, or the approval no longer
    stands, nobody gets the row. The worker itself hashes the files before it sets the alias.
    While another promotion moves the same alias, nobody gets this one.

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
            if is_alias_busy(promotion):
                return False
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


def is_alias_busy(promotion: Promotion) -> bool:
    """Return whether a worker moves the same alias for another promotion.

    Two that moved it at once could leave it on one version and the record on the other. The
    environment's row is locked, so that of two who ask at the same time the second sees the first.
    """
    Environment.objects.select_for_update().get(pk=promotion.environment_id)
    others = Promotion.objects.filter(
        environment=promotion.environment, model_name=promotion.model_name
    ).exclude(pk=promotion.pk)
    return others.moving_the_alias().exists()


def record(event: str, promotion: Promotion, *, actor: Actor, **data: Any) -> None:
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


def is_claim_over(promotion: Promotion) -> bool:
    """Return whether nobody holds the row: claimed never, long ago, or by a dead process."""
    claimed = promotion.claimed_at
    return claimed is None or now() - claimed > CLAIM_LASTS or _is_gone(promotion.claimed_by)


def _is_claimable(promotion: Promotion) -> bool:
    if promotion.status == Status.APPROVED:
        return True
    return promotion.status == Status.APPLYING and is_claim_over(promotion)


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
    found = moved_since_approval(promotion.review, facts)
    moved = [part for part in found if part.part != "model_files"]
    # What moved comes first: the rules below are read from the policy, which may have been edited.
    if all(part.part != "policy" for part in moved):
        if dependent := signers_among_authors(promotion.review, facts.authors):
            _halt(promotion, f"A signer did part of the work: {' '.join(dependent)}")
            return False
        if not moved or stands_throughout(promotion.review, moved, facts.authors):
            return True
    later = state_now(promotion.review, as_it_is(promotion.review, facts))
    with transaction.atomic():
        if promotion.review.status != GateReview.Status.STALE:
            mark_stale(promotion.review, moved, actor=system("governance"), later=later)
        _halt(promotion, " ".join(part.sentence for part in moved), may_resume=True)
    return False


@transaction.atomic
def _halt(promotion: Promotion, reason: str, *, may_resume: bool = False) -> None:
    move(
        promotion,
        Status.SUSPENDED,
        allowed=PROMOTION_TRANSITIONS,
        status_reason=reason,
        resumes_with_review=may_resume,
    )
    record("promotion.suspended", promotion, actor=system("governance"), reason=reason)
