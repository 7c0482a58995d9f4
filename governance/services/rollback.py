"""Going back to the version that stood before: one recorded act, and no committee."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from governance import access
from governance.models import Finding, GateReview, Promotion
from governance.rules.transitions import PROMOTION_TRANSITIONS
from governance.services.findings import NewFinding, open_finding
from governance.services.promotions import record
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, RuleViolated
from projects.lifecycle import compare_and_swap, move

Status = Promotion.Status
_HOLDS_THE_ALIAS = (Status.APPLIED, Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was undone, and what stands again once a worker has set the alias."""

    undone: Promotion
    restored: Promotion


def last_good(promotion: Promotion) -> Promotion | None:
    """Return the promotion that stood before this one and whose approval still stands.

    One that was rolled back itself, whose review was suspended, went stale or expired, or whose
    retirement is under review, is no good version.
    """
    return good_versions(promotion).first()


def good_versions(promotion: Promotion) -> QuerySet[Promotion]:
    """Return every promotion that could stand again in this one's place, the latest first."""
    earlier = (
        Promotion.objects.backed(now())
        .filter(
            environment=promotion.environment,
            model_name=promotion.model_name,
            status=Status.SUPERSEDED,
            applied_at__isnull=False,
            rolled_back_at__isnull=True,
        )
        .exclude(Q(pk=promotion.pk) | Q(retirement__status=GateReview.Status.OPEN))
    )
    return earlier.select_related("environment", "review", "project").order_by("-applied_at")


@transaction.atomic
def roll_back(
    promotion: Promotion, *, actor: Actor, reason: str, to_version: int | None = None
) -> Rollback:
    """Undo the promotion that holds the alias and queue the last good one again, or a named one.

    The undone version may not be served from this moment on; a worker checks the files of the
    restored one and sets the alias, as for every promotion. A finding is opened on the undone
    version, so that it cannot come back before somebody has looked into it.

    Raises:
        InvalidInput: code `reason_missing`.
        InvalidTransition: the promotion holds no alias.
        RuleViolated: code `no_good_version`, there is nothing to go back to, or not that one.
        StaleState: somebody else rolled it back first.
    """
    access.require(actor, "promotion.roll_back", promotion.project)
    if not reason.strip():
        raise InvalidInput("Say why it has to go back.", code="reason_missing")
    _require_alias(promotion)
    restored = _chosen(promotion, to_version)
    _undo(promotion, restored, actor=actor, reason=reason)
    _restore(restored, promotion, actor=actor, reason=reason)
    _ask_for_a_look(promotion, restored, actor=actor, reason=reason)
    return Rollback(promotion, restored)


def _chosen(promotion: Promotion, to_version: int | None) -> Promotion:
    good = list(good_versions(promotion))
    if not good:
        raise RuleViolated(
            f"There is no version of {promotion.model_name} to go back to: none that stood in "
            f"{promotion.environment} before is still approved. Suspend the promotion instead.",
            code="no_good_version",
            reasons=["No superseded promotion has an approval that stands."],
        )
    if to_version is None:
        return good[0]
    found = next((one for one in good if one.model_version == to_version), None)
    if found is None:
        names = ", ".join(f"v{one.model_version}" for one in good)
        raise RuleViolated(
            f"v{to_version} of {promotion.model_name} is no version to go back to in "
            f"{promotion.environment}; there is {names}.",
            code="no_good_version",
            reasons=[f"Approved and superseded there: {names}."],
        )
    return found


def _require_alias(promotion: Promotion) -> None:
    if promotion.rolled_back_at is not None:
        raise InvalidTransition(f"The promotion of {promotion} was rolled back before.")
    if promotion.status not in _HOLDS_THE_ALIAS or promotion.applied_at is None:
        raise InvalidTransition(
            f"The promotion of {promotion} is {promotion.status}; only one that holds the alias "
            "can be rolled back.",
            details={"status": str(promotion.status)},
        )


def _undo(promotion: Promotion, restored: Promotion, *, actor: Actor, reason: str) -> None:
    changes = {
        "status_reason": f"Rolled back: {reason}",
        "rolled_back_at": now(),
        "resumes_with_review": False,
    }
    if promotion.status == Status.APPLIED:
        move(promotion, Status.SUSPENDED, allowed=PROMOTION_TRANSITIONS, **changes)
    else:
        expected = {"status": Status.SUSPENDED, "rolled_back_at": None}
        compare_and_swap(promotion, expected=expected, **changes)
    why = ledger.remember_personal_text(reason)
    record("promotion.rolled_back", promotion, actor=actor, to=restored.ref, reason=why)


def _restore(restored: Promotion, undone: Promotion, *, actor: Actor, reason: str) -> None:
    move(
        restored,
        Status.APPROVED,
        allowed=PROMOTION_TRANSITIONS,
        status_reason=f"Restored by the rollback of {undone.model_name} v{undone.model_version}.",
        approved_at=now(),
        claimed_by="",
        claimed_at=None,
        attempts=0,
    )
    why = ledger.remember_personal_text(reason)
    record("promotion.restored", restored, actor=actor, undone=undone.ref, reason=why)


def _ask_for_a_look(
    promotion: Promotion, restored: Promotion, *, actor: Actor, reason: str
) -> None:
    open_finding(
        NewFinding(
            project=promotion.project,
            subject_kind="model_version",
            subject_ref=promotion.subject_ref,
            title=f"{promotion} was rolled back to version {restored.model_version}",
            description=reason,
            severity=Finding.Severity.HIGH,
        ),
        actor=actor,
    )
