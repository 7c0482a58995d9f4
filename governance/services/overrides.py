"""Break-glass: a promotion goes past its open review, by two people, with a reason, for hours.

It approves nothing. The promotion's own review stays open as the after-review, with a date and a
finding; when the hours are over and nobody has approved it, serving stops.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from governance import access
from governance.models import Finding, GateReview, Override, Promotion
from governance.rules.policy import BreakGlass
from governance.rules.transitions import OVERRIDE_TRANSITIONS, PROMOTION_TRANSITIONS
from governance.services.denials import Attempt, refusals_recorded
from governance.services.findings import NewFinding, open_finding
from governance.services.passwords import confirm_password
from governance.services.policies import rules_of
from governance.services.promotions import record
from governance.services.standing import UNDECIDED, why_not_backed
from ledger import services as ledger
from projects.access import roles_of
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, RuleViolated
from projects.lifecycle import compare_and_swap, move
from projects.models import Stakeholder
from projects.rules.words import role_words
from projects.rules.working_days import WorkingDays

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Override.Status
CATEGORY = "break-glass"
_ON_THE_WAY = (Promotion.Status.APPROVED, Promotion.Status.APPLYING, Promotion.Status.APPLIED)


@dataclass(frozen=True, slots=True)
class NewOverride:
    """Which incident takes it, why, for how many hours, and who asks in which role."""

    incident: str
    reason: str
    hours: int
    role: str
    password: str

    def __repr__(self) -> str:
        # A traceback or a log line must not show the password.
        return f"NewOverride(incident={self.incident!r}, hours={self.hours})"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The role in which the second person confirms, and their password."""

    role: str
    password: str

    def __repr__(self) -> str:
        return f"Confirmation(role={self.role!r})"


def request_override(promotion: Promotion, wanted: NewOverride, *, actor: Actor) -> Override:
    """Ask to promote past an open review; nothing moves until a second person confirms.

    Raises:
        NotPermitted: code `role_missing`, `auditor_never`, `signing_needs_session`,
            `wrong_password` or `signing_locked`.
        RuleViolated: code `no_break_glass` or `override_open`.
        InvalidInput: code `reason_missing` or `wrong_hours`.
        InvalidTransition: code `review_not_open`.
    """
    with refusals_recorded(_attempt("override.request", promotion), actor=actor):
        user, glass = _require_person(promotion, wanted.role, "override.request", actor=actor)
        _check(wanted, glass)
        confirm_password(user, wanted.password)
        promotion.refresh_from_db()
        _require_waiting(promotion)
        return _insert(promotion, wanted, user, actor=actor)


def confirm_override(override: Override, confirmation: Confirmation, *, actor: Actor) -> Override:
    """Let the promotion past its review, as a second person in another role.

    Raises:
        NotPermitted: code `second_person_needed`, or what `request_override` raises.
        RuleViolated: code `same_role`, `requester_lost_role` or `no_break_glass`.
        InvalidTransition: it is no longer waiting, nor is the promotion.
        StaleState: somebody else decided on it, or signed the review, at the same time.
    """
    with refusals_recorded(_attempt("override.confirm", override.promotion), actor=actor):
        user, glass = _require_person(
            override.promotion, confirmation.role, "override.confirm", actor=actor
        )
        _require_second(override, confirmation, user)
        confirm_password(user, confirmation.password)
        override.refresh_from_db()
        override.promotion.refresh_from_db()
        _require_unlapsed(override)
        _require_waiting(override.promotion)
        return _activate(override, confirmation, user, glass, actor=actor)


@transaction.atomic
def decline_override(override: Override, *, actor: Actor, reason: str) -> Override:
    """Refuse a request, take the own one back, or let one lapse that nobody confirmed."""
    if not actor.is_system:
        _require_role(override.promotion, actor, "override.decline")
    access.require(actor, "override.decline", override.promotion.project)
    _require_reason(reason)
    move(override, Status.DECLINED, allowed=OVERRIDE_TRANSITIONS, **_end(reason))
    _record("override.declined", override, actor=actor)
    return override


@transaction.atomic
def end_override(override: Override, *, actor: Actor, reason: str) -> Override:
    """End break-glass now; the promotion stops unless its review was approved meanwhile.

    Either of the two may, and whoever may suspend a promotion.
    """
    both = {override.requested_by_id, override.confirmed_by_id}
    own = actor.user_id is not None and actor.user_id in both
    action = "governance.view" if own else "override.end"
    access.require(actor, action, override.promotion.project)
    _require_reason(reason)
    move(override, Status.ENDED, allowed=OVERRIDE_TRANSITIONS, **_end(reason))
    _record("override.ended", override, actor=actor)
    promotion = override.promotion
    promotion.refresh_from_db()
    why = why_not_backed(promotion, now())
    if why and promotion.status in _ON_THE_WAY:
        stopped = f"Break-glass for {override.incident} ended, and {why}"
        move(
            promotion,
            Promotion.Status.SUSPENDED,
            allowed=PROMOTION_TRANSITIONS,
            status_reason=stopped,
            # Break-glass went past a review that was not decided; its approval is worth the same.
            resumes_with_review=promotion.review.status in UNDECIDED,
        )
        record("promotion.suspended", promotion, actor=actor, reason=stopped)
    return override


def break_glass_of(promotion: Promotion) -> BreakGlass | None:
    """Return what the policy that the promotion is judged under says about break-glass."""
    return rules_of(promotion.review.policy_version).break_glass


def lapses_at(override: Override) -> datetime:
    """Return when a request that nobody confirms is over: after the hours that it asks for."""
    return override.requested_at + timedelta(hours=override.hours)


def _attempt(action: str, promotion: Promotion) -> Attempt:
    return Attempt(action, promotion.ref, promotion.project)


def _require_person(
    promotion: Promotion, role: str, action: str, *, actor: Actor
) -> "tuple[User, BreakGlass]":
    """Return who acts and under which rules, if they hold one of the policy's roles in person."""
    if actor.user is None:
        raise NotPermitted("Parts of the system break no glass.", code="system_never_signs")
    access.require(actor, action, promotion.project)
    glass, fitting = _require_role(promotion, actor, action)
    if role not in fitting:
        raise NotPermitted(
            f"{actor.name} does not hold the role of {role_words(role)}, or the policy does not "
            "let it break the glass.",
            code="role_missing",
            details={"roles": sorted(glass.roles)},
        )
    if actor.method != "session":
        raise NotPermitted(
            "Break-glass takes a browser session and a password; a token may not.",
            code="signing_needs_session",
        )
    return actor.user, glass


def _require_role(
    promotion: Promotion, actor: Actor, action: str
) -> tuple[BreakGlass, frozenset[str]]:
    access.require(actor, action, promotion.project)
    glass = break_glass_of(promotion)
    if glass is None:
        raise RuleViolated(
            "The policy of this review knows no break-glass; it takes the sign-offs.",
            code="no_break_glass",
            reasons=[f"{promotion.review.policy_version} has no break-glass section."],
        )
    held = roles_of(actor.user, promotion.project) if actor.user else frozenset()
    if Stakeholder.Role.AUDITOR in held:
        raise NotPermitted("An auditor reads and decides nothing.", code="auditor_never")
    fitting = held & frozenset(glass.roles)
    if not fitting:
        names = ", ".join(role_words(role) for role in glass.roles)
        raise NotPermitted(
            f"Break-glass takes one of these roles: {names}.",
            code="role_missing",
            details={"roles": sorted(glass.roles)},
        )
    return glass, fitting


def _check(wanted: NewOverride, glass: BreakGlass) -> None:
    if not wanted.incident.strip() or not wanted.reason.strip():
        raise InvalidInput(
            "Name the incident, and say why it cannot wait for the review.", code="reason_missing"
        )
    if not 1 <= wanted.hours <= glass.max_hours:
        raise InvalidInput(
            f"Break-glass lasts from 1 to {glass.max_hours} hours, not {wanted.hours}.",
            code="wrong_hours",
        )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")


def _require_waiting(promotion: Promotion) -> None:
    review = promotion.review
    review.refresh_from_db()
    if review.status != GateReview.Status.OPEN or promotion.status != Promotion.Status.REQUESTED:
        raise InvalidTransition(
            f"The promotion is {promotion.status} and its review {review.status}; break-glass "
            "goes past an open review only.",
            code="review_not_open",
            details={"status": str(review.status)},
        )


def _require_second(override: Override, confirmation: Confirmation, user: "User") -> None:
    if user.pk == override.requested_by_id:
        raise NotPermitted(
            "Who requested break-glass cannot confirm it; it takes a second person.",
            code="second_person_needed",
        )
    if confirmation.role == override.requested_role:
        raise RuleViolated(
            f"It was requested as {role_words(override.requested_role)}; confirm it in another of "
            "the policy's roles.",
            code="same_role",
            reasons=["Both people would act in the same role."],
        )
    held = roles_of(override.requested_by, override.promotion.project)
    if override.requested_role not in held:
        raise RuleViolated(
            f"{override.requested_by.get_full_name() or override.requested_by} no longer holds "
            f"the role of {role_words(override.requested_role)}; request it again.",
            code="requester_lost_role",
            reasons=["Who requested it has lost the role."],
        )


def _require_unlapsed(override: Override) -> None:
    if override.status == Status.REQUESTED and lapses_at(override) <= now():
        raise InvalidTransition(
            "The request is older than the hours that it asked for; request it again.",
            code="override_lapsed",
        )


@transaction.atomic
def _insert(promotion: Promotion, wanted: NewOverride, user: "User", *, actor: Actor) -> Override:
    try:
        with transaction.atomic():
            override = Override.objects.create(
                promotion=promotion,
                incident=wanted.incident.strip()[:100],
                reason=wanted.reason.strip(),
                hours=wanted.hours,
                requested_by=user,
                requested_role=wanted.role,
            )
    except IntegrityError as error:
        raise RuleViolated(
            "Break-glass for this promotion is asked for already; confirm or decline that.",
            code="override_open",
            reasons=["An unfinished override of the same promotion exists."],
        ) from error
    reason = ledger.remember_personal_text(override.reason)
    _record(
        "override.requested",
        override,
        actor=actor,
        role=wanted.role,
        hours=wanted.hours,
        reason=reason,
    )
    return override


@transaction.atomic
def _activate(
    override: Override,
    confirmation: Confirmation,
    user: "User",
    glass: BreakGlass,
    *,
    actor: Actor,
) -> Override:
    at = now()
    move(
        override,
        Status.ACTIVE,
        allowed=OVERRIDE_TRANSITIONS,
        confirmed_by=user,
        confirmed_role=confirmation.role,
        confirmed_at=at,
        expires_at=at + timedelta(hours=override.hours),
    )
    promotion = override.promotion
    move(
        promotion,
        Promotion.Status.APPROVED,
        allowed=PROMOTION_TRANSITIONS,
        approved_at=at,
        status_reason=f"Break-glass for {override.incident}.",
    )
    _record("override.confirmed", override, actor=actor, role=confirmation.role)
    record("promotion.let_through", promotion, actor=actor, override=override.ref)
    _open_after_review(override, glass, actor=actor)
    return override


def _open_after_review(override: Override, glass: BreakGlass, *, actor: Actor) -> None:
    """Give the open review a date, and put on record that somebody has to look into this."""
    promotion = override.promotion
    review = promotion.review
    due = WorkingDays().after(now().date(), glass.review_within_days)
    compare_and_swap(
        review, expected={"status": GateReview.Status.OPEN}, due_on=due, escalated_at=None
    )
    open_finding(
        NewFinding(
            project=promotion.project,
            subject_kind="promotion",
            subject_ref=promotion.ref,
            title=f"{promotion} went past its review: {override.incident}",
            description=override.reason,
            severity=Finding.Severity.HIGH,
            data={"category": CATEGORY, "override": override.ref},
            due_on=due,
            owner=override.requested_by,
            review=review,
            recommended_action=(
                "Finish the review of this promotion, and find out what would have made "
                "break-glass unnecessary."
            ),
        ),
        actor=actor,
    )


def _end(reason: str) -> dict[str, object]:
    return {"status_reason": reason.strip(), "ended_at": now()}


def _record(event: str, override: Override, *, actor: Actor, **data: object) -> None:
    about = {"promotion": override.promotion.ref, "incident": override.incident}
    if override.status_reason:
        about["reason"] = ledger.remember_personal_text(override.status_reason)
    ledger.append(event, subject=override.ref, actor=actor, data={**about, **data})
