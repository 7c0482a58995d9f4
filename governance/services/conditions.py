"""Promises that approvals were given on."""

from django.db import transaction
from django.utils.timezone import now

from governance import access
from governance.models import Condition
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidTransition, NotPermitted


@transaction.atomic
def meet_condition(condition: Condition, *, actor: Actor) -> Condition:
    """Confirm that a promise was kept; the signer who asked for it may, and whoever oversees.

    Raises:
        NotPermitted: code `not_independent`; who requested the review cannot confirm it.
        InvalidTransition: code `already_met`.
    """
    review = condition.sign_off.review
    own = actor.user_id is not None and actor.user_id == condition.sign_off.signer_id
    access.require(actor, "governance.view" if own else "condition.meet", review.project)
    if actor.user_id is None or actor.user_id == review.requested_by_id:
        raise NotPermitted(
            "Who requested the review cannot confirm its conditions.", code="not_independent"
        )
    unmet = Condition.objects.filter(pk=condition.pk, met_at__isnull=True)
    if unmet.update(met_at=now(), met_by=actor.user) != 1:
        raise InvalidTransition("The condition was met before.", code="already_met")
    condition.refresh_from_db()
    ledger.append("condition.met", subject=condition.ref, actor=actor, data={"review": review.ref})
    return condition
