"""Promises that approvals were given on."""

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from governance import access
from governance.models import Condition, Evidence, GateReview, SignOff
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted


@transaction.atomic
def meet_condition(
    condition: Condition, *, actor: Actor, note: str = "", evidence: Evidence | None = None
) -> Condition:
    """Confirm that a promise was kept, by evidence or in words.

    The signer who asked for it may, and whoever oversees; never who requested the review.

    Raises:
        NotPermitted: code `not_independent`.
        InvalidInput: code `note_missing`, or `wrong_evidence`: it is about something else.
        InvalidTransition: code `already_met`.
    """
    review = condition.sign_off.review
    own = actor.user_id is not None and actor.user_id == condition.sign_off.signer_id
    access.require(actor, "governance.view" if own else "condition.meet", review.project)
    if actor.user_id is None or actor.user_id in _requesters(condition):
        raise NotPermitted(
            "Who requested the review cannot confirm its conditions.", code="not_independent"
        )
    _check(review, note, evidence)
    unmet = Condition.objects.unmet().filter(pk=condition.pk)
    changes = {"met_at": now(), "met_by": actor.user, "note": note.strip(), "evidence": evidence}
    if unmet.update(**changes) != 1:
        raise InvalidTransition("The condition was met before.", code="already_met")
    condition.refresh_from_db()
    data = {
        "review": review.ref,
        "evidence": evidence.ref if evidence else None,
        "note": ledger.remember_personal_text(condition.note) if condition.note else None,
    }
    ledger.append("condition.met", subject=condition.ref, actor=actor, data=data)
    return condition


def open_conditions(actor: Actor) -> QuerySet[Condition]:
    """Return the unmet promises of the actor's projects on which something rests, soonest first.

    Also those that a sign-off took along when it was carried over.
    """
    resting = SignOff.objects.filter(
        review__status__in=[GateReview.Status.OPEN, GateReview.Status.APPROVED],
        bindings_digest=F("review__bindings_digest"),
    )
    kept = Q(sign_off__in=resting) | Q(sign_off__carried_to__in=resting)
    rows = Condition.objects.visible_to(actor).unmet().filter(kept).distinct()
    return rows.select_related("sign_off__review__project", "sign_off__signer").order_by(
        "due_on", "pk"
    )


def may_meet(condition: Condition, actor: Actor) -> bool:
    """Return whether the actor could confirm that an unmet promise was kept."""
    project = condition.sign_off.review.project
    own = actor.user_id is not None and actor.user_id == condition.sign_off.signer_id
    fits = own or access.can(actor, "condition.meet", project)
    return condition.met_at is None and fits and actor.user_id not in _requesters(condition)


def _requesters(condition: Condition) -> set[int | None]:
    """Return who requested the reviews that rest on it, by way of carried sign-offs too."""
    carried = SignOff.objects.filter(carried_from=condition.sign_off)
    others = carried.exclude(review__requested_by=None).values_list(
        "review__requested_by", flat=True
    )
    return {condition.sign_off.review.requested_by_id, *others} - {None}


def _check(review: GateReview, note: str, evidence: Evidence | None) -> None:
    if not note.strip() and evidence is None:
        raise InvalidInput(
            "Say how it was met, or name the evidence that shows it.", code="note_missing"
        )
    if evidence is not None and evidence.project_id != review.project_id:
        raise InvalidInput(
            "The evidence belongs to another project than the condition.", code="wrong_evidence"
        )
