"""Changing what a finding says of itself, each change a recorded act: owner, date, severity."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Finding
from governance.services.findings import not_independent, record, require_fit_owner
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted
from projects.lifecycle import compare_and_swap

if TYPE_CHECKING:
    from django.contrib.auth.models import User

GRAVITY = tuple(Finding.Severity.values)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who sees to a finding, until when, and what they should do."""

    owner: "User | None"
    due_on: date | None
    recommended_action: str = ""
    reason: str = ""


@transaction.atomic
def plan_finding(finding: Finding, plan: Plan, *, actor: Actor) -> Finding:
    """Give a finding an owner and a date; putting the date off takes a reason.

    Raises:
        RuleViolated: code `owner_unfit`.
        InvalidInput: code `due_in_the_past` or `reason_missing`.
        InvalidTransition: code `finding_closed`.
        StaleState: somebody else changed it at the same time.
    """
    access.require(actor, "finding.plan", finding.project)
    _require_unclosed(finding)
    if plan.owner is not None:
        require_fit_owner(plan.owner, finding.project)
    _check_date(finding, plan)
    before = finding.due_on
    compare_and_swap(
        finding,
        expected={"status": finding.status},
        owner=plan.owner,
        due_on=plan.due_on,
        recommended_action=plan.recommended_action.strip() or finding.recommended_action,
    )
    record(
        "finding.planned",
        finding,
        actor=actor,
        owner=f"user:{finding.owner_id}" if finding.owner_id else None,
        due_before=before.isoformat() if before else None,
        due_on=finding.due_on.isoformat() if finding.due_on else None,
        reason=ledger.remember_personal_text(plan.reason) if plan.reason.strip() else None,
    )
    return finding


@transaction.atomic
def regrade_finding(finding: Finding, severity: str, *, actor: Actor, reason: str) -> Finding:
    """Change how grave a finding is; who did the work or has to mend it cannot play it down.

    Raises:
        NotPermitted: code `not_independent`.
        InvalidInput: code `unknown_severity` or `reason_missing`.
        InvalidTransition: code `finding_closed` or `same_severity`.
    """
    access.require(actor, "finding.regrade", finding.project)
    _require_unclosed(finding)
    if severity not in GRAVITY:
        raise InvalidInput(
            f"{severity!r} is no severity; use one of {', '.join(GRAVITY)}.",
            code="unknown_severity",
        )
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    if severity == finding.severity:
        raise InvalidTransition(f"It is {severity} already.", code="same_severity")
    lower = GRAVITY.index(severity) < GRAVITY.index(finding.severity)
    if lower and actor.user_id in not_independent(finding):
        raise NotPermitted(
            "Who resolved or owns a finding, or did the work that it is about, cannot play it "
            "down.",
            code="not_independent",
        )
    before = str(finding.severity)
    compare_and_swap(finding, expected={"status": finding.status}, severity=severity)
    told = ledger.remember_personal_text(reason)
    record("finding.regraded", finding, actor=actor, before=before, severity=severity, reason=told)
    return finding


def _require_unclosed(finding: Finding) -> None:
    if finding.status == Finding.Status.CLOSED:
        raise InvalidTransition(
            "The finding is closed; reopen it to change it.", code="finding_closed"
        )


def _check_date(finding: Finding, plan: Plan) -> None:
    if plan.due_on == finding.due_on:
        return
    if plan.due_on is not None and plan.due_on < now().date():
        raise InvalidInput("A due date lies ahead.", code="due_in_the_past")
    put_off = finding.due_on is not None and (plan.due_on is None or plan.due_on > finding.due_on)
    if put_off and not plan.reason.strip():
        raise InvalidInput("Say why it takes longer.", code="reason_missing")
