"""Delegations: the right to sign in one role, passed on for a time, never further."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from governance import access
from governance.models import Delegation
from governance.rules.policy import GateRules
from governance.services.policies import published_policy, rules_of
from ledger import services as ledger
from projects.access import roles_of
from projects.actors import Actor
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from projects.models import Project, Stakeholder
from projects.rules.words import role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Longer absences are a change of role, not a delegation.
LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class NewDelegation:
    """Whose right in which role goes to whom, from when to when, and why; at one gate or all."""

    project: Project
    role: str
    delegate: "User"
    reason: str
    valid_from: datetime
    valid_to: datetime
    gate: str = ""


@transaction.atomic
def delegate(delegation: NewDelegation, *, actor: Actor) -> Delegation:
    """Pass the actor's right to sign in a role on to somebody else on the project.

    Only who holds the role itself can pass it on, so delegations make no chains.

    Raises:
        NotPermitted: code `role_missing` or `signing_needs_session`.
        RuleViolated: code `delegate_unfit`, `delegation_overlaps` or `role_not_asked`.
        InvalidInput: code `reason_missing`, `wrong_dates` or `unknown_gate`.
    """
    access.require(actor, "delegation.give", delegation.project)
    holder = _require_holder(delegation, actor=actor)
    _check_dates(delegation)
    _check_gate(delegation)
    _require_fit_delegate(delegation, actor=actor)
    _require_no_other(delegation, holder)
    row = Delegation.objects.create(
        project=delegation.project,
        role=delegation.role,
        gate=delegation.gate,
        holder=holder,
        delegate=delegation.delegate,
        reason=delegation.reason.strip(),
        valid_from=delegation.valid_from,
        valid_to=delegation.valid_to,
    )
    ledger.append(
        "delegation.given",
        subject=row.ref,
        actor=actor,
        data={
            "project": row.project.ref,
            "role": str(row.role),
            "gate": row.gate or None,
            "delegate": f"user:{row.delegate_id}",
            "valid_from": row.valid_from.isoformat(),
            "valid_to": row.valid_to.isoformat(),
        },
    )
    return row


@transaction.atomic
def revoke_delegation(delegation: Delegation, *, actor: Actor) -> Delegation:
    """End a delegation now; its holder may, and the lead."""
    own = actor.user_id is not None and actor.user_id == delegation.holder_id
    access.require(actor, "delegation.give" if own else "delegation.revoke", delegation.project)
    standing = Delegation.objects.filter(pk=delegation.pk, revoked_at__isnull=True)
    if standing.update(revoked_at=now()) != 1:
        raise InvalidTransition("The delegation was revoked before.", code="already_revoked")
    delegation.refresh_from_db()
    ledger.append("delegation.revoked", subject=delegation.ref, actor=actor)
    return delegation


def _require_holder(delegation: NewDelegation, *, actor: Actor) -> "User":
    held = roles_of(actor.user, delegation.project) if actor.user else frozenset()
    if actor.user is None or delegation.role not in held:
        raise NotPermitted(
            f"{actor.name} does not hold the role of {delegation.role.replace('_', ' ')}; only "
            "its holder can pass it on.",
            code="role_missing",
            details={"roles": [delegation.role]},
        )
    if actor.method != "session":
        # Whoever gets hold of a token must not turn it into somebody's right to sign.
        raise NotPermitted(
            "Passing on the right to sign takes a browser session; a token may not.",
            code="signing_needs_session",
        )
    return actor.user


def _require_no_other(delegation: NewDelegation, holder: "User") -> None:
    # The holder's rows are held, so that two requests at once are judged one after the other.
    list(Stakeholder.objects.select_for_update().filter(project=delegation.project, user=holder))
    # One for every gate and one for a single gate meet at that one.
    meeting = Q() if not delegation.gate else Q(gate__in=["", delegation.gate])
    other = Delegation.objects.filter(
        meeting,
        project=delegation.project,
        role=delegation.role,
        holder=holder,
        revoked_at__isnull=True,
        valid_from__lt=delegation.valid_to,
        valid_to__gt=delegation.valid_from,
    ).first()
    if other is not None:
        where = f" at the gate {other.gate}" if other.gate else ""
        raise RuleViolated(
            f"The role{where} is passed on to {other.delegate.get_full_name() or other.delegate} "
            f"from {other.valid_from:%Y-%m-%d} to {other.valid_to:%Y-%m-%d} already; take that "
            "back first.",
            code="delegation_overlaps",
            reasons=["At one gate a role of one holder has one delegate at a time."],
        )


def of_person(actor: Actor) -> QuerySet[Delegation]:
    """Return what a person has passed on and what was passed on to them, newest first."""
    mine = Q(holder=actor.user_id) | Q(delegate=actor.user_id)
    rows = Delegation.objects.filter(mine).select_related("project", "holder", "delegate")
    return rows.order_by("-valid_from", "-pk")


def _check_dates(delegation: NewDelegation) -> None:
    if not delegation.reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    length = delegation.valid_to - delegation.valid_from
    if length <= timedelta(0) or delegation.valid_to <= now():
        raise InvalidInput(
            "A delegation ends after it begins, and not before now.", code="wrong_dates"
        )
    if length > LONGEST:
        raise InvalidInput(f"A delegation lasts {LONGEST.days} days at most.", code="wrong_dates")


def _check_gate(delegation: NewDelegation) -> None:
    if not delegation.gate:
        return
    gates = {gate.name: gate for gate in asking_gates(delegation.project)}
    if delegation.gate not in gates:
        raise InvalidInput(
            f"There is no gate {delegation.gate!r} that anybody signs here; there is "
            f"{', '.join(gates) or 'none'}.",
            code="unknown_gate",
        )
    asked = {role for rule in gates[delegation.gate].sign_offs.values() for role in rule.roles}
    if delegation.role not in asked:
        words = ", ".join(sorted(map(role_words, asked)))
        raise RuleViolated(
            f"The gate {delegation.gate} asks for the sign-off of {words}; there is nothing to "
            f"pass on there as {role_words(delegation.role)}.",
            code="role_not_asked",
            reasons=[f"The gate {delegation.gate} asks for {words}."],
        )


def asking_gates(project: Project) -> list[GateRules]:
    """Return the gates at which people sign under the policy that holds; none without one."""
    try:
        return list(rules_of(published_policy(project)).gates.values())
    except NotFound:
        return []


def _require_fit_delegate(delegation: NewDelegation, *, actor: Actor) -> None:
    held = roles_of(delegation.delegate, delegation.project)
    reason = ""
    if delegation.delegate.pk == actor.user_id:
        reason = "Nobody delegates to themselves."
    elif not held:
        reason = "The delegate has no role on the project."
    elif Stakeholder.Role.AUDITOR in held:
        reason = "An auditor signs nothing, for nobody."
    elif delegation.role in held:
        reason = "The delegate holds the role already."
    if reason:
        raise RuleViolated(
            f"This cannot be passed on: {reason}", code="delegate_unfit", reasons=[reason]
        )
