"""Waivers: a permitted deviation from one requirement of one review, with an end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import GateReview, Waiver
from governance.services import evaluating
from governance.services.binding import subject_of
from governance.services.denials import on_review, refusals_recorded
from governance.services.passwords import confirm_password
from governance.services.reviews import suspend_review
from governance.services.signers import people_at
from ledger import services as ledger
from projects.access import roles_of
from projects.actors import Actor, system
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, RuleViolated
from projects.models import Stakeholder

if TYPE_CHECKING:
    from django.contrib.auth.models import User


#: Whoever needs longer asks again, and is asked again why.
LONGEST = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class NewWaiver:
    """Which requirement may fail, why, what stands in for it, in whose role, until when."""

    requirement_key: str
    reason: str
    compensating_control: str
    role: str
    expires_at: datetime
    password: str

    def __repr__(self) -> str:
        # A traceback or a log line must not show the password.
        return f"NewWaiver(requirement_key={self.requirement_key!r}, role={self.role!r})"


def grant_waiver(review: GateReview, waiver: NewWaiver, *, actor: Actor) -> Waiver:
    """Permit a deviation; evaluate the review afterwards to let it count.

    Raises:
        NotPermitted: code `role_missing`, `signing_needs_session`, `waiver_not_independent`,
            `wrong_password` or `signing_locked`.
        Unavailable: what the review judges cannot be asked now, so nobody is shown independent.
        RuleViolated: code `not_waivable`.
        InvalidInput: code `unknown_requirement`, `reason_missing`, `expiry_in_the_past` or
            `expiry_too_late`.
        InvalidTransition: code `review_not_open`.
    """
    with refusals_recorded(on_review("waiver.grant", review), actor=actor):
        access.require(actor, "waiver.grant", review.project)
        grantor = _require_grantor(review, waiver, actor=actor)
        _check(review, waiver)
        confirm_password(grantor, waiver.password)
        return _grant(review, waiver, grantor, actor=actor)


@transaction.atomic
def revoke_waiver(waiver: Waiver, *, actor: Actor) -> Waiver:
    """End a waiver now; an approval that may rest on it is suspended."""
    review = waiver.review
    access.require(actor, "waiver.revoke", review.project)
    revoked = Waiver.objects.filter(pk=waiver.pk, revoked_at__isnull=True)
    if revoked.update(revoked_at=now()) != 1:
        raise InvalidTransition("The waiver was revoked before.", code="already_revoked")
    waiver.refresh_from_db()
    ledger.append("waiver.revoked", subject=waiver.ref, actor=actor, data={"review": review.ref})
    if review.status == GateReview.Status.APPROVED:
        reason = f"The waiver of {waiver.requirement_key} was revoked."
        suspend_review(review, actor=system("governance"), reason=reason)
    return waiver


def _require_grantor(review: GateReview, waiver: NewWaiver, *, actor: Actor) -> "User":
    held = roles_of(actor.user, review.project) if actor.user else frozenset()
    if actor.user is None or waiver.role not in held & access.ACTIONS["waiver.grant"]:
        raise NotPermitted(
            f"{actor.name} cannot grant a waiver as {waiver.role.replace('_', ' ')}.",
            code="role_missing",
            details={"roles": sorted(access.ACTIONS["waiver.grant"])},
        )
    if actor.method != "session":
        raise NotPermitted(
            "Granting a waiver takes a browser session; a token may not.",
            code="signing_needs_session",
        )
    _require_independent(review, actor.user, held)
    return actor.user


def _require_independent(review: GateReview, user: "User", held: frozenset[str]) -> None:
    if Stakeholder.Role.AUDITOR in held:
        raise NotPermitted(
            "An auditor reads everything and waives nothing.", code="waiver_not_independent"
        )
    # Asked afresh, as for a signature: somebody may have worked on it since it was requested.
    authors = frozenset[int]().union(*subject_of(review).facts.authors.values())
    if user.pk in authors | {review.requested_by_id}:
        raise NotPermitted(
            "Who requested the review or did the work cannot waive a requirement of it.",
            code="waiver_not_independent",
        )
    if review.requested_by_id in people_at(review).delegators_of(user.pk):
        raise NotPermitted(
            "Who decides on behalf of the requester cannot waive a requirement of the requester's "
            "review.",
            code="waiver_not_independent",
        )


def _check(review: GateReview, waiver: NewWaiver) -> None:
    if review.status != GateReview.Status.OPEN:
        raise InvalidTransition(
            f"The review is {review.status}; only an open one takes waivers.",
            code="review_not_open",
        )
    if not waiver.reason.strip() or not waiver.compensating_control.strip():
        raise InvalidInput(
            "Give the reason and what stands in for the requirement.", code="reason_missing"
        )
    if waiver.expires_at <= now():
        raise InvalidInput("A waiver ends in the future.", code="expiry_in_the_past")
    if waiver.expires_at > now() + LONGEST:
        raise InvalidInput(f"A waiver lasts {LONGEST.days} days at most.", code="expiry_too_late")
    keys = {one.key for one in evaluating.latest_results(review)}
    if waiver.requirement_key not in keys:
        names = ", ".join(sorted(keys))
        raise InvalidInput(
            f"The review has no requirement {waiver.requirement_key!r}; it has {names}.",
            code="unknown_requirement",
        )
    rule = evaluating.rules_for(review).requirement(waiver.requirement_key)
    if rule is None or not rule.waivable:
        raise RuleViolated(
            f"The policy allows no exception from {waiver.requirement_key!r}.",
            code="not_waivable",
            reasons=[f"{waiver.requirement_key} is not waivable."],
        )


@transaction.atomic
def _grant(review: GateReview, waiver: NewWaiver, grantor: "User", *, actor: Actor) -> Waiver:
    row = Waiver.objects.create(
        review=review,
        requirement_key=waiver.requirement_key,
        reason=waiver.reason.strip(),
        compensating_control=waiver.compensating_control.strip(),
        granted_by=grantor,
        granted_role=waiver.role,
        expires_at=waiver.expires_at,
    )
    ledger.append(
        "waiver.granted",
        subject=row.ref,
        actor=actor,
        data={
            "review": review.ref,
            "requirement": row.requirement_key,
            "role": str(row.granted_role),
            "expires_at": row.expires_at.isoformat(),
            "reason": ledger.remember_personal_text(row.reason),
        },
    )
    return row
