"""Who is asked to sign an open review; being asked restricts nobody else who may."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.timezone import now

from governance import access
from governance.models import GateReview, ReviewAssignment
from governance.rules.assigning import Candidate, Choice, choose
from governance.services import notices
from governance.services.evaluating import quorum_rule
from governance.services.signers import Eligibility, eligibility
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import InvalidInput, InvalidTransition, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap
from projects.rules.words import role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Handover:
    """Who shall be asked in which role, and why."""

    role: str
    to: "User"
    note: str


def ask_signers(review: GateReview) -> list[ReviewAssignment]:
    """Ask somebody for every sign-off that the review lacks and nobody fit is asked for.

    Call it inside the transaction that opened the review or bound it anew. Who was asked and may
    not sign any more is asked no longer.
    """
    actor = system("governance")
    standing = eligibility(review)
    standing_by = {one.role: one for one in _end_unfit(review, standing, actor=actor)}
    asked = []
    for role in quorum_rule(review).roles:
        if role in standing_by or _is_signed(role, standing):
            continue
        here = {one.user_id for one in standing_by.values()}
        choice = choose(_candidates(role, standing), asked_here=here)
        if choice is not None:
            standing_by[role] = _ask_by_rule(review, role, choice, actor=actor)
            asked.append(standing_by[role])
    return asked


@transaction.atomic
def reassign(review: GateReview, handover: Handover, *, actor: Actor) -> ReviewAssignment:
    """Ask somebody else to sign in a role; who is asked may do so, the requester and the lead.

    Raises:
        NotPermitted: the actor is none of these.
        InvalidTransition: code `review_not_open` or `already_assigned`.
        RuleViolated: code `role_not_asked` or `assignee_unfit`: separation of duties refuses the
            person, or they do not hold the role.
        InvalidInput: code `note_missing` or `note_too_long`.
        StaleState: somebody else reassigned it at the same time.
    """
    former = _current(review, handover.role)
    _require_right(review, former, actor=actor)
    _require_open(review)
    _check_note(handover.note)
    _require_fit(review, handover)
    if former is not None and former.user_id == handover.to.pk:
        raise InvalidTransition(f"{_name(handover.to)} is asked already.", code="already_assigned")
    if former is not None:
        _end(former)
    row = _insert(
        ReviewAssignment(
            review=review,
            role=handover.role,
            user=handover.to,
            assigned_by=actor.user,
            note=handover.note.strip(),
        )
    )
    _record(row, former, chosen="person", actor=actor)
    notices.tell_asked(row, actor=actor)
    return row


@transaction.atomic
def move_due_date(review: GateReview, due_on: date, *, actor: Actor, reason: str) -> GateReview:
    """Set the day by which an open review shall be decided; who requested it may, and the lead.

    Raises:
        InvalidInput: code `reason_missing` or `wrong_dates`: the day is over.
        InvalidTransition: code `review_not_open`.
        StaleState: somebody else changed the review at the same time.
    """
    own = actor.user_id is not None and actor.user_id == review.requested_by_id
    access.require(actor, "governance.view" if own else "review.set_due", review.project)
    _require_open(review)
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    if due_on < now().date():
        raise InvalidInput("That day is over; take a later one.", code="wrong_dates")
    before = review.due_on
    compare_and_swap(
        review, expected={"status": GateReview.Status.OPEN}, due_on=due_on, escalated_at=None
    )
    ledger.append(
        "review.due_date_moved",
        subject=review.ref,
        actor=actor,
        data={
            "before": before.isoformat() if before else None,
            "due_on": due_on.isoformat(),
            "reason": ledger.remember_personal_text(reason.strip()),
        },
    )
    return review


def may_reassign(review: GateReview, actor: Actor) -> bool:
    """Return whether the actor may say who is asked, in one of the roles at least."""
    if review.status != GateReview.Status.OPEN or actor.user_id is None:
        return False
    if actor.user_id == review.requested_by_id:
        return access.can(actor, "governance.view", review.project)
    current = ReviewAssignment.objects.current().filter(review=review, user=actor.user_id)
    return access.can(actor, "review.assign", review.project) or current.exists()


def may_be_asked(review: GateReview) -> list[Eligibility]:
    """Return everybody who could be asked in each role that lacks a sign-off."""
    return [one for one in eligibility(review) if not one.reasons and not one.signed]


def _candidates(role: str, standing: Iterable[Eligibility]) -> list[Candidate]:
    """Return the holders of the role who may sign, with what waits for each already."""
    people = [
        one.user.pk
        for one in standing
        if one.role == role and not one.reasons and one.on_behalf_of is None
    ]
    if len(people) < 2:  # noqa: PLR2004 - one candidate needs no comparison
        return [Candidate(person, 0) for person in people]
    loads = _loads(people)
    return [Candidate(person, loads.get(person, 0)) for person in people]


def _loads(people: Sequence[int]) -> dict[int, int]:
    waiting = ReviewAssignment.objects.current().waiting().filter(user__in=people)
    return dict(waiting.order_by().values_list("user").annotate(Count("pk")))


def _is_signed(role: str, standing: Iterable[Eligibility]) -> bool:
    return any(one.role == role and one.signed for one in standing)


def _end_unfit(
    review: GateReview, standing: Sequence[Eligibility], *, actor: Actor
) -> list[ReviewAssignment]:
    """End what asks people who may not sign any more; return the assignments that stand."""
    fit = {(one.user.pk, one.role) for one in standing if not one.reasons}
    kept = []
    for one in ReviewAssignment.objects.current().filter(review=review):
        if (one.user_id, one.role) in fit:
            kept.append(one)
            continue
        _end(one)
        ledger.append(
            "review.assignment_ended",
            subject=review.ref,
            actor=actor,
            data={"role": str(one.role), "user": f"user:{one.user_id}"},
        )
    return kept


def _ask_by_rule(
    review: GateReview, role: str, choice: Choice, *, actor: Actor
) -> ReviewAssignment:
    row = ReviewAssignment(review=review, role=role, user_id=choice.person, note=choice.reason)
    row = _insert(row)
    _record(row, None, chosen="rule", actor=actor)
    notices.tell_asked(row, actor=actor)
    return row


def _current(review: GateReview, role: str) -> ReviewAssignment | None:
    found = ReviewAssignment.objects.current().filter(review=review, role=role)
    return found.select_related("user").first()


def _require_right(review: GateReview, former: ReviewAssignment | None, *, actor: Actor) -> None:
    asked = former.user_id if former is not None else None
    own = actor.user_id is not None and actor.user_id in {asked, review.requested_by_id}
    access.require(actor, "governance.view" if own else "review.assign", review.project)


def _require_open(review: GateReview) -> None:
    review.refresh_from_db()
    if review.status != GateReview.Status.OPEN:
        raise InvalidTransition(
            f"The review is {review.status}; this takes one that is open.",
            code="review_not_open",
            details={"status": str(review.status)},
        )


def _check_note(note: str) -> None:
    if not note.strip():
        raise InvalidInput("Say why somebody else is asked.", code="note_missing")
    if len(note.strip()) > LONGEST_NOTE:
        raise InvalidInput(f"A note has {LONGEST_NOTE} characters at most.", code="note_too_long")


def _require_fit(review: GateReview, handover: Handover) -> None:
    asked = quorum_rule(review).roles
    if handover.role not in asked:
        names = ", ".join(role_words(role) for role in asked)
        raise RuleViolated(
            f"This gate asks for the sign-off of {names}, not of {role_words(handover.role)}.",
            code="role_not_asked",
            reasons=[f"The gate {review.gate} asks for {names}."],
        )
    reasons = _against(review, handover)
    if reasons:
        raise RuleViolated(
            f"{_name(handover.to)} cannot be asked to sign as {role_words(handover.role)}: "
            f"{' '.join(reasons)}",
            code="assignee_unfit",
            reasons=reasons,
        )


def _against(review: GateReview, handover: Handover) -> list[str]:
    """Return what speaks against asking this person: no right, a rule, or a signature given."""
    entries = [
        one
        for one in eligibility(review)
        if one.user.pk == handover.to.pk and one.role == handover.role
    ]
    if not entries:
        return ["They neither hold the role on this project nor a delegation of it."]
    if any(one.signed for one in entries):
        return ["They have signed already."]
    return entries[0].reasons


def _end(assignment: ReviewAssignment) -> None:
    standing = ReviewAssignment.objects.current().filter(pk=assignment.pk)
    if standing.update(ended_at=now()) != 1:
        raise StaleState("Somebody else has just asked another person; read the review again.")


def _insert(row: ReviewAssignment) -> ReviewAssignment:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise StaleState(
            "Somebody else has just asked another person; read the review again."
        ) from error
    return row


def _record(
    row: ReviewAssignment, former: ReviewAssignment | None, *, chosen: str, actor: Actor
) -> None:
    ledger.append(
        "review.assigned",
        subject=row.review.ref,
        actor=actor,
        data={
            "role": str(row.role),
            "user": f"user:{row.user_id}",
            "instead_of": f"user:{former.user_id}" if former else None,
            "chosen_by": chosen,
            "note": ledger.remember_personal_text(row.note),
        },
    )


def _name(user: "User") -> str:
    return user.get_full_name() or user.get_username()
