"""Signing: the binding decision of one person in one role about exactly these digests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Condition, GateReview, SignOff
from governance.rules.digests import digest_of
from governance.rules.quorum import APPROVING, role_words
from governance.rules.staleness import Moved
from governance.services import deciding, lineage, notices, page_tokens
from governance.services.binding import SubjectNow, moved_parts, subject_of
from governance.services.denials import on_review, refusals_recorded
from governance.services.differences import state_now
from governance.services.ending import mark_stale
from governance.services.evaluating import gates_after, quorum_rule, quorum_state
from governance.services.passwords import confirm_password
from governance.services.signatures import Signature
from governance.services.signers import Claim, People, people_at, reasons_against
from governance.services.statements import (
    Since,
    Statement,
    printed_name,
    since_last_approval,
    statement_for,
    statement_of,
)
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, RuleViolated
from projects.lifecycle import compare_and_swap

Outcome = SignOff.Outcome
_NEEDS_REASON = {Outcome.REJECTED, Outcome.CHANGES_REQUESTED, Outcome.APPROVED_WITH_CONDITIONS}
_MEANINGS = {
    Outcome.APPROVED: "I have reviewed this and approve it.",
    Outcome.APPROVED_WITH_CONDITIONS: "I have reviewed this and approve it on conditions.",
    Outcome.CHANGES_REQUESTED: "I have reviewed this and ask for changes before it may pass.",
    Outcome.REJECTED: "I have reviewed this and reject it.",
}


@dataclass(frozen=True, slots=True)
class _Signing:
    """What is known once a signature has passed every check outside the transaction."""

    claim: Claim
    people: People
    subject: SubjectNow
    since: Since
    confirmed_at: datetime


def sign(review: GateReview, signature: Signature, *, actor: Actor) -> SignOff:
    """Sign an open review, and decide it when this was the last thing it needed.

    A sign-off that completes the quorum while requirements fail is kept; the review stays open
    and its `status_reason` says so.

    Raises:
        NotPermitted: code `role_missing`, `signing_needs_session`, `wrong_password` or
            `signing_locked`.
        RuleViolated: code `separation_of_duties`, `role_not_asked`, `subject_changed`,
            `page_token_invalid` or `page_token_expired`.
        InvalidInput: code `reason_missing`, `conditions_missing` or `unknown_gate`.
        InvalidTransition: code `review_not_open`, `already_signed` or `page_token_used`.
        StaleState: somebody else signed or changed the review at the same time.
    """
    with refusals_recorded(on_review("review.sign", review), actor=actor):
        claim, people = _require_right(review, signature.role, actor=actor)
        _check_input(review, signature)
        confirm_password(claim.user, signature.password)
        confirmed_at = now()
        review.refresh_from_db()
        subject = subject_of(review)
        _require_separation(review, claim, people, subject)
        _require_open(review)
        _require_shown(review, signature, subject, actor=actor)
        since = since_last_approval(review, signature.role)
        signing = _Signing(claim, people, subject, since, confirmed_at)
        return _commit(review, signature, signing, actor=actor)


def signing_statement(review: GateReview, role: str, outcome: str, *, actor: Actor) -> Statement:
    """Return what the actor would sign in this role: words, digests, difference, page token.

    Raises:
        NotPermitted: code `role_missing` or `signing_needs_session`.
        RuleViolated: code `role_not_asked`.
        InvalidInput: code `unknown_outcome`.
        InvalidTransition: code `review_not_open`.
    """
    claim, _ = _require_right(review, role, actor=actor)
    _require_outcome(outcome)
    _require_open(review)
    return statement_of(review, claim, outcome, actor=actor)


def _require_right(review: GateReview, role: str, *, actor: Actor) -> tuple[Claim, People]:
    if actor.user is None:
        raise NotPermitted(
            "Parts of the system sign nothing; people do.", code="system_never_signs"
        )
    access.require(actor, "review.sign", review.project)
    people = people_at(review)
    claim = people.claim(actor.user_id, role)
    if claim is None:
        raise NotPermitted(
            f"{actor.name} does not hold the role of {role_words(role)} on "
            f"{review.project.name}, nor a delegation of it.",
            code="role_missing",
            details={"roles": [role]},
        )
    asked = quorum_rule(review).roles
    if role not in asked:
        names = ", ".join(role_words(one) for one in asked)
        raise RuleViolated(
            f"This gate asks for the sign-off of {names}, not of {role_words(role)}; "
            "give your opinion as feedback.",
            code="role_not_asked",
            reasons=[f"The gate {review.gate} asks for {names}."],
        )
    if actor.method != "session":
        raise NotPermitted(
            "Signing takes a browser session and a password; a token may not sign.",
            code="signing_needs_session",
        )
    return claim, people


def _require_outcome(outcome: str) -> None:
    if outcome not in Outcome.values:
        raise InvalidInput(f"{outcome!r} is no outcome.", code="unknown_outcome")


def _check_input(review: GateReview, signature: Signature) -> None:
    _require_outcome(signature.outcome)
    if signature.outcome in _NEEDS_REASON and not signature.reason.strip():
        raise InvalidInput("Give the reason for this outcome.", code="reason_missing")
    with_conditions = signature.outcome == Outcome.APPROVED_WITH_CONDITIONS
    if with_conditions and not signature.conditions:
        raise InvalidInput("Name the conditions, each with a date.", code="conditions_missing")
    if signature.conditions and not with_conditions:
        raise InvalidInput("Only an approval with conditions has some.", code="conditions_unfit")
    _check_conditions(review, signature)


def _check_conditions(review: GateReview, signature: Signature) -> None:
    later = gates_after(review)
    for condition in signature.conditions:
        if condition.blocks_gate and condition.blocks_gate not in later:
            raise InvalidInput(
                f"{condition.blocks_gate!r} is no other gate of this policy that judges a "
                f"{review.get_subject_kind_display().lower()}; there is "
                f"{', '.join(later) or 'none'}.",
                code="unknown_gate",
            )
        if condition.due_on < now().date():
            raise InvalidInput("A condition is due today or later.", code="due_date_passed")


def _require_separation(
    review: GateReview, claim: Claim, people: People, subject: SubjectNow
) -> None:
    signed = list(SignOff.objects.counting(review))
    reasons = reasons_against(review, claim, people, authors=subject.facts.authors, signed=signed)
    if reasons:
        raise RuleViolated(
            f"{claim.user.get_full_name() or claim.user.get_username()} may not sign this off: "
            f"{' '.join(reasons)}",
            code="separation_of_duties",
            reasons=reasons,
        )


def _require_open(review: GateReview) -> None:
    if review.status != GateReview.Status.OPEN:
        raise InvalidTransition(
            f"The review is {review.status}; only an open one can be signed.",
            code="review_not_open",
            details={"status": str(review.status)},
        )


def _require_shown(
    review: GateReview, signature: Signature, subject: SubjectNow, *, actor: Actor
) -> None:
    moved = moved_parts(review, subject)
    if moved:
        with transaction.atomic():
            mark_stale(review, moved, actor=actor, later=state_now(review, subject))
        raise _changed(moved)
    if signature.bindings_digest != review.bindings_digest:
        raise RuleViolated(
            "The page you signed shows an earlier state; read the review again.",
            code="subject_changed",
            reasons=["The digest that was shown is not the one that is bound."],
        )


def _changed(moved: Sequence[Moved]) -> RuleViolated:
    return RuleViolated(
        f"What you were shown has changed. {' '.join(part.sentence for part in moved)} "
        "The review is stale until it is refreshed.",
        code="subject_changed",
        reasons=[part.sentence for part in moved],
        details={"parts": [part.part for part in moved]},
    )


@transaction.atomic
def _commit(
    review: GateReview, signature: Signature, signing: _Signing, *, actor: Actor
) -> SignOff:
    # The swap comes first: of two people signing at once the second waits here and then loses.
    compare_and_swap(review, expected={"status": GateReview.Status.OPEN})
    _require_new_opinion(review, signature, signing.claim)
    _require_reason_to_lift(review, signature, signing.claim)
    page = page_tokens.page_of(
        review, signature.role, signature.outcome, signing.since.digest, actor=actor
    )
    nonce = page_tokens.redeem(signature.page_token, page)
    sign_off = _insert(review, signature, signing, nonce, actor=actor)
    lineage.link_sign_off(review, sign_off)
    ledger.append(
        "review.signed",
        subject=review.ref,
        actor=actor,
        data=_record(sign_off),
    )
    if sign_off.outcome == Outcome.CHANGES_REQUESTED:
        notices.tell_changes_requested(sign_off, actor=actor)
    deciding.settle(review, signing.subject, actor=actor)
    return sign_off


def _require_new_opinion(review: GateReview, signature: Signature, claim: Claim) -> None:
    # Somebody whose earlier sign-off was carried over may still sign this version in person.
    own = SignOff.objects.counting(review).filter(
        signer=claim.user, role=signature.role, carried_from=None
    )
    latest = own.order_by("-sequence").first()
    if latest is not None and latest.outcome == signature.outcome:
        raise InvalidTransition(
            f"You have already signed this as {role_words(signature.role)} with this outcome.",
            code="already_signed",
        )


def _require_reason_to_lift(review: GateReview, signature: Signature, claim: Claim) -> None:
    if signature.outcome not in APPROVING or signature.reason.strip():
        return
    blocks = quorum_state(review).blocked_by
    if any(vote.role == signature.role and vote.person != claim.user.pk for vote in blocks):
        raise InvalidInput(
            f"Another {role_words(signature.role)} asked for changes. Give the reason why your "
            "approval lifts that.",
            code="reason_missing",
        )


def _insert(
    review: GateReview, signature: Signature, signing: _Signing, nonce: str, *, actor: Actor
) -> SignOff:
    holder = signing.claim.on_behalf_of
    name = printed_name(actor, holder)
    sign_off = SignOff.objects.create(
        review=review,
        signer=signing.claim.user,
        printed_name=name,
        role=signature.role,
        on_behalf_of=holder,
        outcome=signature.outcome,
        meaning=signature.meaning.strip() or _MEANINGS[Outcome(signature.outcome)],
        reason=signature.reason.strip(),
        statement=statement_for(review, signature.role, signature.outcome, name),
        bindings_digest=review.bindings_digest,
        policy_digest=review.policy_version.digest,
        method="session+password",
        prior=signing.since.prior,
        difference_digest=signing.since.digest,
        circumstances=_circumstances(review, signature, signing, nonce),
        signed_at=now(),
        sequence=review.version_lock,
    )
    Condition.objects.bulk_create(
        Condition(sign_off=sign_off, text=one.text, due_on=one.due_on, blocks_gate=one.blocks_gate)
        for one in signature.conditions
    )
    return sign_off


def _circumstances(
    review: GateReview, signature: Signature, signing: _Signing, nonce: str
) -> dict[str, object]:
    """Return how the signature came about, with the right it rests on as it was held then."""
    claim, roles = signing.claim, signing.people.roles
    holder = claim.on_behalf_of
    return {
        **signature.circumstances.as_json(),
        "reauthenticated_at": signing.confirmed_at.isoformat(),
        "held_roles": sorted(roles.get(claim.user.pk, ())),
        "holder_roles": sorted(roles.get(holder.pk, ())) if holder else [],
        "delegation": signing.people.delegation_ref(claim),
        "tier": str(review.tier),
        "nonce": nonce,
    }


def _record(sign_off: SignOff) -> dict[str, object]:
    reason = sign_off.reason
    return {
        "sign_off": sign_off.ref,
        "role": str(sign_off.role),
        "outcome": str(sign_off.outcome),
        "meaning": sign_off.meaning,
        "on_behalf_of": f"user:{sign_off.on_behalf_of_id}" if sign_off.on_behalf_of_id else None,
        "bindings_digest": sign_off.bindings_digest,
        "policy_digest": sign_off.policy_digest,
        "prior": sign_off.prior.ref if sign_off.prior else None,
        "difference_digest": sign_off.difference_digest or None,
        "circumstances_digest": digest_of(sign_off.circumstances),
        "held_roles": sign_off.circumstances["held_roles"],
        "delegation": sign_off.circumstances["delegation"] or None,
        "conditions_digest": _conditions_digest(sign_off),
        "statement_digest": hashlib.sha256(sign_off.statement.encode()).hexdigest(),
        "reason": ledger.remember_personal_text(reason) if reason else None,
    }


def _conditions_digest(sign_off: SignOff) -> str | None:
    promised = [
        [one.text, one.due_on.isoformat(), one.blocks_gate] for one in sign_off.conditions.all()
    ]
    return digest_of(promised) if promised else None
