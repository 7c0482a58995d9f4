"""Signing: the binding decision of one person in one role about exactly these digests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Condition, GateReview, SignOff
from governance.rules.quorum import role_words
from governance.rules.staleness import Moved
from governance.services import deciding, lineage, notices
from governance.services.binding import SubjectNow, moved_parts, subject_of
from governance.services.denials import Attempt, refusals_recorded
from governance.services.evaluating import quorum_rule
from governance.services.passwords import confirm_password
from governance.services.signers import Claim, People, people_of, reasons_against
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
_VERBS = {
    Outcome.APPROVED: "approve",
    Outcome.APPROVED_WITH_CONDITIONS: "approve on conditions",
    Outcome.CHANGES_REQUESTED: "ask for changes to",
    Outcome.REJECTED: "reject",
}


@dataclass(frozen=True, slots=True)
class NewCondition:
    """A promise that an approval depends on."""

    text: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signer sent: the decision, the digest that was shown, and the password."""

    role: str
    outcome: str
    meaning: str
    reason: str
    password: str
    bindings_digest: str
    conditions: Sequence[NewCondition] = ()

    def __repr__(self) -> str:
        # A traceback or a log line must not show the password.
        return f"Signature(role={self.role!r}, outcome={self.outcome!r})"


def sign(review: GateReview, signature: Signature, *, actor: Actor) -> SignOff:
    """Sign an open review, and decide it when this was the last thing it needed.

    A sign-off that completes the quorum while requirements fail is kept; the review stays open
    and its `status_reason` says so.

    Raises:
        NotPermitted: code `role_missing`, `signing_needs_session`, `wrong_password` or
            `signing_locked`.
        RuleViolated: code `separation_of_duties`, `role_not_asked` or `subject_changed`.
        InvalidTransition: code `review_not_open` or `already_signed`.
        StaleState: somebody else signed or changed the review at the same time.
    """
    attempt = Attempt("review.sign", review.ref, review.project)
    with refusals_recorded(attempt, actor=actor):
        claim, people = _require_right(review, signature, actor=actor)
        _check_input(signature)
        confirm_password(claim.user, signature.password)
        review.refresh_from_db()
        subject = subject_of(review)
        _require_separation(review, claim, people, subject)
        _require_open(review)
        _require_shown(review, signature, subject, actor=actor)
        return _commit(review, signature, claim, subject, actor=actor)


def statement_for(review: GateReview, role: str, outcome: str, name: str) -> str:
    """Return the words that are shown above the password and kept with the sign-off."""
    return (
        f"I, {name}, as {role_words(role)}, {_VERBS[Outcome(outcome)]} {review.subject_label} at "
        f"the gate {review.gate}. I sign exactly what the digest {review.bindings_digest} names, "
        f"under the policy {review.policy_version}."
    )


def _require_right(
    review: GateReview, signature: Signature, *, actor: Actor
) -> tuple[Claim, People]:
    if actor.user is None:
        raise NotPermitted(
            "Parts of the system sign nothing; people do.", code="system_never_signs"
        )
    access.require(actor, "review.sign", review.project)
    people = people_of(review.project)
    claim = people.claim(actor.user_id, signature.role)
    if claim is None:
        raise NotPermitted(
            f"{actor.name} does not hold the role of {role_words(signature.role)} on "
            f"{review.project.name}, nor a delegation of it.",
            code="role_missing",
            details={"roles": [signature.role]},
        )
    asked = quorum_rule(review).roles
    if signature.role not in asked:
        names = ", ".join(role_words(role) for role in asked)
        raise RuleViolated(
            f"This gate asks for the sign-off of {names}, not of {role_words(signature.role)}; "
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


def _check_input(signature: Signature) -> None:
    if signature.outcome not in Outcome.values:
        raise InvalidInput(f"{signature.outcome!r} is no outcome.", code="unknown_outcome")
    if signature.outcome in _NEEDS_REASON and not signature.reason.strip():
        raise InvalidInput("Give the reason for this outcome.", code="reason_missing")
    with_conditions = signature.outcome == Outcome.APPROVED_WITH_CONDITIONS
    if with_conditions and not signature.conditions:
        raise InvalidInput("Name the conditions, each with a date.", code="conditions_missing")
    if signature.conditions and not with_conditions:
        raise InvalidInput("Only an approval with conditions has some.", code="conditions_unfit")


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
            deciding.mark_stale(review, moved, actor=actor)
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
    review: GateReview, signature: Signature, claim: Claim, subject: SubjectNow, *, actor: Actor
) -> SignOff:
    # The swap comes first: of two people signing at once the second waits here and then loses.
    compare_and_swap(review, expected={"status": GateReview.Status.OPEN})
    _require_new_opinion(review, signature, claim)
    sign_off = _insert(review, signature, claim, actor=actor)
    lineage.link_sign_off(review, sign_off)
    ledger.append(
        "review.signed",
        subject=review.ref,
        actor=actor,
        data=_record(sign_off),
    )
    if sign_off.outcome == Outcome.CHANGES_REQUESTED:
        notices.tell_changes_requested(sign_off, actor=actor)
    deciding.settle(review, subject, actor=actor)
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


def _insert(review: GateReview, signature: Signature, claim: Claim, *, actor: Actor) -> SignOff:
    name = actor.name
    if claim.on_behalf_of is not None:
        holder = claim.on_behalf_of.get_full_name() or claim.on_behalf_of.get_username()
        name = f"{actor.name} for {holder}"
    sign_off = SignOff.objects.create(
        review=review,
        signer=claim.user,
        printed_name=name,
        role=signature.role,
        on_behalf_of=claim.on_behalf_of,
        outcome=signature.outcome,
        meaning=signature.meaning.strip() or _MEANINGS[Outcome(signature.outcome)],
        reason=signature.reason.strip(),
        statement=statement_for(review, signature.role, signature.outcome, name),
        bindings_digest=review.bindings_digest,
        policy_digest=review.policy_version.digest,
        method="session+password",
        signed_at=now(),
        sequence=review.version_lock,
    )
    Condition.objects.bulk_create(
        Condition(sign_off=sign_off, text=one.text, due_on=one.due_on)
        for one in signature.conditions
    )
    return sign_off


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
        "statement_digest": hashlib.sha256(sign_off.statement.encode()).hexdigest(),
        "reason": ledger.remember_personal_text(reason) if reason else None,
    }
