"""What a review's page offers and shows of exceptions: waivers, promises, renewal, break-glass."""

from typing import Any

from django.utils import timezone

from governance import access
from governance.models import Condition, GateReview, Override, Promotion
from governance.rules.requirements import HOLDING
from governance.services import conditions, evaluating, renewals, revalidation
from governance.services.policies import rules_of
from governance.views.duty_forms import ConfirmationForm, OverrideForm, WaiverForm
from projects.access import roles_of
from projects.actors import Actor

Status = GateReview.Status


def exceptions_of(review: GateReview, actor: Actor) -> dict[str, Any]:
    """Return what a review's page offers and shows of exceptions."""
    held = roles_of(actor.user, review.project) if actor.user else frozenset()
    now = timezone.now()
    return {
        "is_ending": renewals.is_ending(review, now),
        "may_renew": review.status in {Status.APPROVED, Status.EXPIRED, Status.SUSPENDED}
        and access.can(actor, f"review.request.{review.subject_kind}", review.project),
        "renewals": review.renewals.order_by("-pk")[:3],
        "overdue_since": _overdue(review),
        "promises": _promises(review, actor),
        "waiver_form": _waiver_form(review, held),
        "may_revoke_waivers": access.can(actor, "waiver.revoke", review.project),
        **_glass(review, actor, held),
    }


def _overdue(review: GateReview) -> list[revalidation.Overdue]:
    promotion = getattr(review, "promotion", None)
    if promotion is None or promotion.status != Promotion.Status.APPLIED:
        return []
    return revalidation.overdue([promotion], review.policy_version, timezone.now())


def _promises(review: GateReview, actor: Actor) -> list[dict[str, Any]]:
    rows = Condition.objects.filter(sign_off__review=review)
    rows = rows.select_related("sign_off__review__project", "met_by", "evidence")
    today = timezone.now().date()
    return [
        {
            "condition": one,
            "is_overdue": one.met_at is None and one.due_on < today,
            "may_meet": conditions.may_meet(one, actor),
        }
        for one in rows
    ]


def _waiver_form(review: GateReview, held: frozenset[str], data: Any = None) -> WaiverForm | None:
    """Return the form where something fails that may be waived, and the actor's role may."""
    roles = sorted(held & access.ACTIONS["waiver.grant"])
    if not roles or review.status != GateReview.Status.OPEN:
        return None
    rules = evaluating.rules_for(review)
    keys = []
    for result in evaluating.latest_results(review):
        rule = rules.requirement(result.key)
        if result.outcome not in HOLDING and rule is not None and rule.waivable:
            keys.append((result.key, result.title))
    return WaiverForm(data, roles=roles, keys=keys, auto_id="waive-%s") if keys else None


def _glass(review: GateReview, actor: Actor, held: frozenset[str]) -> dict[str, Any]:
    promotion = getattr(review, "promotion", None)
    glass = rules_of(review.policy_version).break_glass
    if promotion is None or glass is None:
        return {}
    rows = promotion.overrides.select_related("requested_by", "confirmed_by")
    newest = rows.first()
    roles = sorted(held & set(glass.roles))
    is_waiting = (
        review.status == GateReview.Status.OPEN and promotion.status == Promotion.Status.REQUESTED
    )
    found: dict[str, Any] = {"glass": glass, "overrides": rows}
    if newest is not None and newest.status == Override.Status.REQUESTED:
        others = [role for role in roles if role != newest.requested_role]
        found["may_decline"] = bool(roles)
        if others and actor.user_id != newest.requested_by_id and is_waiting:
            found["confirmation_form"] = ConfirmationForm(roles=others, auto_id="confirm-%s")
    elif newest is not None and newest.status == Override.Status.ACTIVE:
        both = {newest.requested_by_id, newest.confirmed_by_id}
        found["may_end"] = actor.user_id in both or access.can(
            actor, "override.end", review.project
        )
    elif roles and is_waiting:
        found["override_form"] = OverrideForm(roles=roles, most=glass.max_hours, auto_id="glass-%s")
    return found
