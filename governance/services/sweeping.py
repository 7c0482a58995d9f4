"""Reading again what reviews bind, so that what moved is seen before anybody relies on it."""

import logging
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from governance import access
from governance.models import GateReview
from governance.rules.differences import State
from governance.rules.staleness import Moved
from governance.services.binding import as_it_is, moved_parts, moved_since_approval
from governance.services.carrying import stands_throughout
from governance.services.differences import state_now
from governance.services.ending import end_stale
from governance.subjects import resolve
from projects.actors import Actor
from projects.errors import InvalidTransition, NotFound, StaleState

log = logging.getLogger(__name__)
Status = GateReview.Status
#: So many reviews are read in one sweep; files are hashed for each model version among them.
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """How many reviews were read, which went stale, and which could not be read."""

    read: int = 0
    stale: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def sweep(*, actor: Actor, at_once: int = AT_ONCE) -> Swept:
    """Read again what open and approved reviews bind, first those not read for longest.

    Each review has a transaction of its own. What cannot be read now says nothing against a
    review; its turn comes again.
    """
    rows = GateReview.objects.filter(status__in=[Status.OPEN, Status.APPROVED])
    waiting = rows.order_by(F("swept_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)
    keys = list(waiting[:at_once])
    swept = Swept(read=len(keys))
    for key in keys:
        _sweep_one(key, swept, actor=actor)
    return swept


def look_again(review: GateReview, *, actor: Actor) -> list[Moved]:
    """Read again what a review binds, end it if something moved, and return what did.

    An approval stands where the policy lets each of its sign-offs outlive the change.

    Raises:
        Unavailable: the sources cannot be read now.
        StaleState, InvalidTransition: somebody else acted on the review meanwhile.
    """
    access.require(actor, "review.sweep", review.project)
    moved, later = _compared(review)
    if moved:
        with transaction.atomic():
            end_stale(review, moved, actor=actor, later=later)
    return moved


def _sweep_one(key: int, swept: Swept, *, actor: Actor) -> None:
    rows = GateReview.objects.select_related("project", "policy_version__policy")
    review = rows.get(pk=key)
    GateReview.objects.filter(pk=key).update(swept_at=now())
    try:
        moved = look_again(review, actor=actor)
    except (StaleState, InvalidTransition):
        return
    except Exception:
        # Whatever is wrong with one subject must not keep the others from being read.
        log.warning("%s could not be read again", review.ref, exc_info=True)
        swept.unread.append(review.ref)
        return
    if moved:
        swept.stale.append(review.ref)


def _compared(review: GateReview) -> tuple[list[Moved], State | None]:
    try:
        facts = resolve(review.subject_kind, review.subject_ref)
    except NotFound:
        own = sorted(review.bindings.items())
        return [Moved(part, digest, "") for part, digest in own if part != "policy"], None
    subject = as_it_is(review, facts)
    later = state_now(review, subject)
    if review.status == Status.OPEN:
        return moved_parts(review, subject), later
    moved = moved_since_approval(review, facts)
    return ([] if stands_throughout(review, moved, facts.authors) else moved), later
