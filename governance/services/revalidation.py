"""Periodic revalidation: while a version in use is overdue, nothing of its model is promoted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from governance.models import GateReview, PolicyVersion, Promotion
from governance.services.policies import rules_of
from projects.errors import RuleViolated

#: The gate whose validity says how often a version in use is looked at anew.
GATE = "revalidation"
_PASSED = (GateReview.Status.APPROVED, GateReview.Status.EXPIRED)


@dataclass(frozen=True)
class Overdue:
    """A promotion in use, and since when its version waits to be validated anew."""

    promotion: Promotion
    due_at: datetime

    @property
    def sentence(self) -> str:
        return (
            f"{self.promotion} was due for revalidation on {self.due_at:%Y-%m-%d}: have it pass "
            f"the gate {GATE} first."
        )


def overdue(promotions: Iterable[Promotion], policy: PolicyVersion, at: datetime) -> list[Overdue]:
    """Return which applied promotions are overdue; none where the policy has no such gate."""
    rules = rules_of(policy)
    if GATE not in rules.gates:
        return []
    found = []
    for promotion in promotions:
        days = rules.validity_of(GATE, promotion.review.tier)
        since = _validated_at(promotion)
        if days is not None and since is not None and since + timedelta(days=days) <= at:
            found.append(Overdue(promotion, since + timedelta(days=days)))
    return found


def in_use(model_name: str) -> Iterable[Promotion]:
    """Return the promotions of a model that stand somewhere."""
    applied = Promotion.objects.filter(model_name=model_name, status=Promotion.Status.APPLIED)
    return applied.select_related("environment", "review", "project")


def require_none_overdue(model_name: str, policy: PolicyVersion, at: datetime) -> None:
    """Refuse new promotions of a model while a version of it in use is overdue.

    Raises:
        RuleViolated: code `revalidation_overdue`.
    """
    late = overdue(in_use(model_name), policy, at)
    if late:
        raise RuleViolated(
            f"Nothing of {model_name} is promoted while a version in use waits to be validated "
            "anew.",
            code="revalidation_overdue",
            reasons=[one.sentence for one in late],
        )


def _validated_at(promotion: Promotion) -> datetime | None:
    """Return when the version was last looked at as a whole: at this gate, or to be promoted."""
    passed = GateReview.objects.of_subject("model_version", promotion.subject_ref).filter(
        gate=GATE, status__in=_PASSED
    )
    newest = passed.aggregate(Max("decided_at"))["decided_at__max"]
    moments = [newest, promotion.review.decided_at or promotion.approved_at]
    return max((moment for moment in moments if moment is not None), default=None)
