"""What a page says of the ways out of a promotion: back to an earlier version, or retirement."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance import access
from governance.models import Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services import rollback
from projects.actors import Actor

Status = Promotion.Status
_HOLDS_THE_ALIAS = (Status.APPLIED, Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What there is to go back to, and which buttons make sense for the reader."""

    promotion: Promotion
    holds_the_alias: bool
    good_versions: Sequence[Promotion]
    may_roll_back: bool
    may_retire: bool


def way_out(promotion: Promotion | None, actor: Actor) -> WayOut | None:
    """Return the ways out of a promotion that was applied; the commands judge again."""
    if promotion is None or promotion.applied_at is None:
        return None
    holds = promotion.status in _HOLDS_THE_ALIAS and promotion.rolled_back_at is None
    good = list(rollback.good_versions(promotion)) if holds else []
    project = promotion.project
    retirable = Status.RETIRING in PROMOTION_TRANSITIONS[promotion.status]
    return WayOut(
        promotion=promotion,
        holds_the_alias=holds,
        good_versions=good,
        may_roll_back=bool(good) and access.can(actor, "promotion.roll_back", project),
        may_retire=retirable
        and promotion.status != Status.RETIRING
        and access.can(actor, "promotion.retire", project),
    )
